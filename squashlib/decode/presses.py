"""Scores that watch apps write become points: into developer fields of records or laps, or as `sport_point` events."""

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from squashlib.decode.developer import Description, fields
from squashlib.decode.fit import Recording
from squashlib.decode.layout import number

Array = npt.NDArray[Any]
LAP, RECORD, EVENT = 19, 20, 21
SPORT_POINT = 33
MAX_POINTS = 10_000
MAX_ROWS = 200_000  # two days at one a second

#: Names under which apps keep the running score of player one and two, compared without case and underscores.
SCORE = re.compile(r"^(?:score)?player([12])(?:score)?$")
GAME_SCORE = re.compile(r"^(?:setscore|gamescore|gamesscore)?player([12])(?:gamescore|setscore|games|sets)?$")


def presses(recording: Recording) -> dict[str, Array] | None:
    """Points wherever one side's score rises by one; times as `recording.clock`, None if no score is kept."""
    times, score = _scores(recording, SCORE)
    if not len(times):
        times, score = _events(recording)
    if not len(times):
        return None
    sets_times, sets = _scores(recording, GAME_SCORE, unlike=SCORE)
    changed = np.flatnonzero((np.diff(score, axis=0, prepend=np.full((1, 2), -1.0)) != 0).any(axis=1))
    rows: list[tuple[float, int, float, float, float]] = []
    game, before = 1, np.zeros(2)
    for time, now in zip(times[changed], score[changed], strict=True):
        if (now < before).any():
            game += 1
            before = np.zeros(2)
        rise = now - before
        if rise.sum() > 0:
            played = sets[np.searchsorted(sets_times, time, side="right") - 1].sum() if len(sets_times) else 0
            winner = 1 if rise[0] > 0 and rise[1] == 0 else 2 if rise[1] > 0 and rise[0] == 0 else 0
            rows.append((time, winner, now[0], now[1], float(max(game, played + 1))))
        before = now
    columns = np.array(rows[:MAX_POINTS], np.float64).reshape(-1, 5)
    return {
        "point_time": columns[:, 0],
        "point_winner": columns[:, 1].astype(np.int8),
        "point_score_me": columns[:, 2],
        "point_score_opponent": columns[:, 3],
        "point_game": columns[:, 4],
        "point_is_let": np.zeros(len(columns), np.int8),
    }


def _scores(recording: Recording, name: re.Pattern[str], unlike: re.Pattern[str] | None = None) -> tuple[Array, Array]:
    """Times (n,) and both players' scores (n, 2) from records, or from laps if records have none."""

    def player(description: Description) -> re.Match[str] | None:
        plain = description.name.lower().replace("_", "").replace(" ", "")
        return None if unlike and unlike.match(plain) else name.match(plain)

    for num in (RECORD, LAP):
        times, scores = [], []
        for table in recording.of(num):
            found: dict[int, Array] = {}
            for description, raw in fields(table, recording, player):
                if (match := player(description)) and raw.ndim == 1:
                    found[int(match[1])] = number(raw, description.base, description.scale, description.offset)
            if len(found) == 2:
                times.append(recording.clock.times(table))
                scores.append(np.column_stack((found[1], found[2])))
        if times:
            return _ordered(np.concatenate(times), np.concatenate(scores))
    return np.empty(0), np.empty((0, 2))


def _events(recording: Recording) -> tuple[Array, Array]:
    """Times (n,) and both scores (n, 2) of the profile's own event: own score in the low half of `data`."""
    times, scores = [], []
    for table in recording.of(EVENT):
        event, data = table.column(0), table.column(3)
        if event is None or data is None or event.ndim != 1 or data.dtype != np.uint32 or data.ndim != 1:
            continue
        here = np.flatnonzero((event == SPORT_POINT) & (data != 0xFFFFFFFF))[:MAX_ROWS]
        times.append(recording.clock.times(table)[here])
        scores.append(np.column_stack((data[here] & 0xFFFF, data[here] >> 16)).astype(np.float64))
    if not times:
        return np.empty(0), np.empty((0, 2))
    return _ordered(np.concatenate(times), np.concatenate(scores))


def _ordered(times: Array, scores: Array) -> tuple[Array, Array]:
    times, scores = times[:MAX_ROWS], scores[:MAX_ROWS]
    good = np.isfinite(times) & np.isfinite(scores).all(axis=1)
    order = np.argsort(times[good], kind="stable")
    return times[good][order], scores[good][order]
