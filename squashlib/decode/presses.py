"""Scores that watch apps write into developer fields become points."""

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from squashlib.decode import fit
from squashlib.decode.developer import fields
from squashlib.decode.fit import Table

Array = npt.NDArray[Any]
RECORD, LAP = 20, 19

#: Names under which apps keep the running score of player one and two, compared without case and underscores.
SCORE = re.compile(r"^(?:score)?player([12])(?:score)?$")
GAME_SCORE = re.compile(r"^(?:setscore|gamescore|gamesscore)?player([12])(?:gamescore|setscore|games|sets)?$")


def presses(tables: list[Table], start_s: float) -> dict[str, Array] | None:
    """Points wherever one side's score rises by one; times in seconds after `start_s`, None if no score is kept."""
    times, score = _scores(tables, SCORE)
    if not len(times):
        return None
    sets_times, sets = _scores(tables, GAME_SCORE, unlike=SCORE)
    rows: list[tuple[float, int, float, float, float]] = []
    game = 1
    before = np.zeros(2)
    for time, now in zip(times, score, strict=True):
        if (now < before).any():
            game += 1
            before = np.zeros(2)
        rise = now - before
        if rise.sum() > 0:
            played = sets[np.searchsorted(sets_times, time, side="right") - 1].sum() if len(sets_times) else 0
            winner = 1 if rise[0] > 0 and rise[1] == 0 else 2 if rise[1] > 0 and rise[0] == 0 else 0
            rows.append((time - start_s, winner, now[0], now[1], float(max(game, played + 1))))
        before = now
    columns = np.array(rows, np.float64).reshape(-1, 5)
    return {
        "point_time": columns[:, 0],
        "point_winner": columns[:, 1].astype(np.int8),
        "point_score_me": columns[:, 2],
        "point_score_opponent": columns[:, 3],
        "point_game": columns[:, 4],
        "point_is_let": np.zeros(len(columns), np.int8),
    }


def _scores(tables: list[Table], name: re.Pattern[str], unlike: re.Pattern[str] | None = None) -> tuple[Array, Array]:
    """Times (n,) and both players' scores (n, 2) from records, or from laps if records have none."""
    for num in (RECORD, LAP):
        times, scores = [], []
        for table in (t for t in tables if t.layout.num == num):
            found: dict[int, Array] = {}
            for description, raw in fields(table, tables):
                plain = description.name.lower().replace("_", "").replace(" ", "")
                match = name.match(plain)
                if match and not (unlike and unlike.match(plain)) and raw.ndim == 1:
                    found[int(match[1])] = fit.number(raw, description.base, description.scale, description.offset)
            clock = next((raw for n, _, raw, _ in fit.columns(table) if n == "timestamp"), None)
            if clock is not None and len(found) == 2:
                times.append(fit.number(clock, 6))
                scores.append(np.column_stack((found[1], found[2])))
        if times:
            when, both = np.concatenate(times), np.concatenate(scores)
            good = np.isfinite(when) & np.isfinite(both).all(axis=1)
            order = np.argsort(when[good], kind="stable")
            return when[good][order], both[good][order]
    return np.empty(0), np.empty((0, 2))
