"""Scores that watch apps write become points: developer fields, fields of the profile, or `sport_point` events.

What apps do (read in the sources of public ones for squash, badminton, padel and roundnet): some write the running
score into every record (`my_points`, `opponent_points`), most write a lap when a game ends, with the game's final score
(`player1score`, `set_score_player_1`, `score_you`, the profile's `player_score`), and games won into the session
(`player1GameScore`, `set_player_1`). A game's final score is one point of unknown winner: it says nothing of the
rallies before it.
"""

import re
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from squashlib.decode.developer import Description, fields
from squashlib.decode.fit import Recording, Table
from squashlib.decode.layout import number

Array = npt.NDArray[Any]
Row = tuple[float, int, float, float, int]  # time, winner, both scores, game

SESSION, LAP, RECORD, EVENT = 18, 19, 20, 21
SPORT_POINT = 33
MAX_POINTS = 10_000
MAX_ROWS = 200_000  # two days at one a second
#: No game takes less: a lap so short that repeats the score before it is what the watch writes when it is stopped.
SHORTEST_GAME_S = 90.0

#: How apps call the wearer (1) and the opponent (2), and what is counted: points, or games won.
SIDES = {"player1": 1, "p1": 1, "you": 1, "my": 1, "me": 1, "player": 1, "player2": 2, "p2": 2, "opponent": 2, "opp": 2}
POINTS = re.compile("(?:set|game)?(?:score|points)")
GAMES_WON = re.compile("(?:set|game)(?:s|score)?")


def presses(recording: Recording) -> dict[str, Array] | None:
    """Points by the running score, else by the games' final ones; times as `recording.clock`, None without a score."""
    for times, score in (_scores(recording, RECORD), _events(recording)):
        if len(times):
            return _columns(_rises(times, score))
    times, score = _scores(recording, LAP)
    if not len(times):
        return None
    steps = np.abs(np.diff(score, axis=0)).sum(axis=1)
    by_point = (steps == 1).sum() > (steps > 1).sum()
    return _columns(_rises(times, score) if by_point else _finals(recording))


def _rises(times: Array, score: Array) -> list[Row]:
    """A point wherever a score rises; one that falls by a point is undone, by more is a new game's."""
    changed = np.flatnonzero((np.diff(score, axis=0, prepend=np.full((1, 2), -1.0)) != 0).any(axis=1))
    rows: list[Row] = []
    game, before = 1, np.zeros(2)
    for time, now in zip(times[changed].tolist(), score[changed], strict=True):
        change = now - before
        if (change < 0).any():
            if change.sum() == -1 and (change <= 0).all():
                rows = rows[:-1] if rows and rows[-1][4] == game else rows
                before = now
                continue
            game, change = game + 1, now
        if change.sum() > 0:
            winner = 1 if change[1] == 0 else 2 if change[0] == 0 else 0
            rows.append((time, winner, now[0], now[1], game))
        before = now
    return rows


def _finals(recording: Recording) -> list[Row]:
    """The last point of each game, its winner unknown; no more games than the session says were won."""
    times, score = _scores(recording, LAP)
    kept: list[int] = []
    for i in np.flatnonzero(score.sum(axis=1) > 0).tolist():  # none yet after the warm-up
        if not kept or (score[i] != score[i - 1]).any() or times[i] - times[i - 1] >= SHORTEST_GAME_S:
            kept.append(i)
    won = _scores(recording, SESSION)[1][-1:].sum()
    kept = kept[: int(won)] if won else kept
    return [(float(times[i]), 0, *score[i].tolist(), g + 1) for g, i in enumerate(kept)]


def _columns(rows: list[Row]) -> dict[str, Array]:
    columns = np.array(rows[:MAX_POINTS], np.float64).reshape(-1, 5)
    return {
        "point_time": columns[:, 0],
        "point_winner": columns[:, 1].astype(np.int8),
        "point_score_me": columns[:, 2],
        "point_score_opponent": columns[:, 3],
        "point_game": columns[:, 4],
        "point_is_let": np.zeros(len(columns), np.int8),
    }


def _scores(recording: Recording, num: int) -> tuple[Array, Array]:
    """Times (n,) and both players' scores (n, 2) from the messages `num`: points, of a session the games won."""
    times, scores = [], []
    for table in recording.of(num):
        found = _described(table, recording, GAMES_WON if num == SESSION else POINTS) or _native(table, num)
        if len(found) == 2:
            times.append(recording.clock.times(table))
            scores.append(np.column_stack((found[1], found[2])))
    return _ordered(np.concatenate(times), np.concatenate(scores)) if times else (np.empty(0), np.empty((0, 2)))


def _described(table: Table, recording: Recording, counted: re.Pattern[str]) -> dict[int, Array]:
    """By player: what an app wrote under such a name."""

    def player(description: Description) -> int | None:
        return _player(description.name, counted)

    found: dict[int, Array] = {}
    for description, raw in fields(table, recording, player):
        if (who := player(description)) and raw.ndim == 1:
            found[who] = number(raw, description.base, description.scale, description.offset)
    return found


@lru_cache(maxsize=1024)
def _player(name: str, counted: re.Pattern[str]) -> int | None:
    """Whose count a field of that name holds; compared without case, blanks and underscores."""
    plain = re.sub("[^a-z0-9]", "", name.lower())
    for side, player in SIDES.items():
        beside = {plain.removeprefix(side), plain.removesuffix(side)} - {plain}
        if any(map(counted.fullmatch, beside)):
            return player
    return None


def _native(table: Table, num: int) -> dict[int, Array]:
    """By player: the profile's own fields of laps."""
    names = ("player_score", "opponent_score") if num == LAP else ()
    values = {i + 1: table.scalar(name) for i, name in enumerate(names)}
    return {who: column for who, column in values.items() if column is not None}


def _events(recording: Recording) -> tuple[Array, Array]:
    """Times (n,) and both scores (n, 2) of the profile's own event: own score in the low half of `data`."""
    times, scores = [], []
    for table in recording.of(EVENT):
        event, data = table.column(0), table.column(3)
        if event is None or data is None or event.ndim != 1 or data.dtype != np.uint32 or data.ndim != 1:
            continue
        here = np.flatnonzero((event == SPORT_POINT) & (data != 0xFFFFFFFF))[:MAX_ROWS]
        if len(here):
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
