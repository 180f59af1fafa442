"""Points as a person presses them: with a habit, and with mistakes."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np

from squashlib.session import iso
from squashlib.simulate.script import Rally, Script

MISSED, DOUBLED, LATE, LET_PRESSED = 0.03, 0.012, 0.03, 0.8


def press_points(
    rng: np.random.Generator, script: Script, start: datetime, *, faults: bool
) -> tuple[list[dict[str, Any]], list[float]]:
    """What the watch sent, as `POST …/points` takes it, and when the wrist moved for it (s).

    Everyone has a habit of pressing 1 to 5 s after the ball is dead. With `faults` some presses are late, some missed
    (half of those are made up at the next press), some doubled (taken back before the next), and lets often unsaid.
    """
    habit_s, spread_s = rng.uniform(1.0, 4.5), rng.uniform(0.4, 1.2)
    rows: list[tuple[float, Rally, tuple[int, int]]] = []
    owed: Rally | None = None
    for rally, limit_s in zip(script.rallies, _limits(script), strict=True):
        time = rally.stop_s + max(0.3, habit_s + rng.normal(0, spread_s))
        fate = rng.random() if faults else 1.0
        if faults and rally.is_let and rng.random() > LET_PRESSED:
            continue
        if fate < MISSED:
            owed = rally if rng.random() < 0.5 else None
            continue
        if MISSED < fate < MISSED + LATE:
            time += rng.uniform(4, 14)
        time = min(time, limit_s) if faults else time
        if owed is not None and owed.game == rally.game:
            rows.append((time - rng.uniform(0.7, 1.4), owed, owed.score))
        owed = None
        rows.append((time, rally, rally.score))
        if 1 - DOUBLED < fate < 1.0 and not rally.is_let:
            me = rally.winner == "me"
            rows.append((time + rng.uniform(0.2, 0.9), rally, (rally.score[0] + me, rally.score[1] + (not me))))
    return _wire(rows, start), [time for time, *_ in rows]


def _limits(script: Script) -> list[float]:
    """The latest moment to press: before the next rally is over."""
    limits = [rally.stop_s - 0.5 for rally in script.rallies[1:]] + [script.duration_s - 1]
    return limits[: len(script.rallies)]


def _wire(rows: list[tuple[float, Rally, tuple[int, int]]], start: datetime) -> list[dict[str, Any]]:
    points: list[dict[str, Any]] = []
    before, game = (0, 0), 0
    for time, rally, score in rows:
        if rally.game != game:
            before, game = (0, 0), rally.game
        point = {
            "timestamp": iso(start + timedelta(seconds=float(time))),
            "winner": rally.winner,
            "score_me_before": before[0],
            "score_opponent_before": before[1],
            "score_me_after": score[0],
            "score_opponent_after": score[1],
            "game_number": rally.game,
            "is_let": rally.is_let,
        }
        points.append(point)
        before = score
    return points
