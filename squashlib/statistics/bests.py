"""A player's bests: the sessions in which a figure was never better, and the longest run of wins."""

from collections.abc import Sequence
from typing import Any

from squashlib.moments import iso
from squashlib.statistics.played import Played

#: More is better in each of them.
FIGURES = (
    "longest_rally_length", "number_of_rallies", "shots_detected", "total_playing_time", "training_load",
    "hr_recovery_60s",
)  # fmt: skip


def bests(played: Sequence[Played]) -> dict[str, Any]:
    """The best value of each figure with its session; null where no session knows it. The first of equals counts."""
    found: dict[str, Any] = {}
    for name in FIGURES:
        known = [(value, one) for one in played if (value := one.figure(name)) is not None]
        value, one = max(known, key=lambda pair: (pair[0], -pair[1].start.timestamp()), default=(None, None))
        found[name] = None if one is None else {"value": value, "start": iso(one.start), "session_id": one.session_id}
    return {**found, "longest_winning_streak": streak(played)}


def streak(played: Sequence[Played]) -> int | None:
    """Most decided matches won one after the other; None while none is decided."""
    longest = run = 0
    decided = [one.won for one in sorted(played, key=lambda one: one.start) if one.won is not None]
    for won in decided:
        run = run + 1 if won else 0
        longest = max(longest, run)
    return longest if decided else None
