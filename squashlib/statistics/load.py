"""Training load as exponentially weighted means of days (Williams et al. 2017, Br J Sports Med 51:209-210)."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from squashlib.statistics.played import Played

ACUTE_DAYS, CHRONIC_DAYS = 7, 28
LOAD = "training_load"


def load(played: Sequence[Played], until: datetime, zone: tzinfo = UTC) -> dict[str, Any]:
    """Acute (7 days) and chronic (28 days) load a day, at the end of the day of `until`, and their ratio.

    Each day's load weighs 2 / (n + 1) as much as what was before it. A day without a session has load 0; sessions
    whose load is not known are left out and counted. The ratio is null before 28 days of history: the chronic mean
    still remembers its start more than the player's habit.
    """
    past = [one for one in played if one.start <= until]
    days: dict[date, float] = {}
    for one in past:
        if (value := one.figure(LOAD)) is not None:
            day = one.start.astimezone(zone).date()
            days[day] = days.get(day, 0.0) + value
    unknown = len(past) - sum(one.figure(LOAD) is not None for one in past)
    nothing = {"acute": None, "chronic": None, "ratio": None, "unit": "load per day", "sessions_without_load": unknown}
    if not days:
        return {**nothing, "reason": "no session with a training load"}
    first, last = min(days), until.astimezone(zone).date()
    line = [days.get(first + timedelta(days=i), 0.0) for i in range((last - first).days + 1)]
    acute, chronic = (_weighted(line, n) for n in (ACUTE_DAYS, CHRONIC_DAYS))
    young = len(line) < CHRONIC_DAYS
    ratio = None if young or chronic <= 0 else round(acute / chronic, 3)
    reason = f"{len(line)} days of history, {CHRONIC_DAYS} are needed for a ratio" if young else None
    means = {"acute": round(acute, 2), "chronic": round(chronic, 2), "ratio": ratio}
    return {**nothing, **means, "reason": reason}


def _weighted(line: Sequence[float], days: int) -> float:
    return list(forgetting(line, days))[-1]


def forgetting(line: Sequence[float], days: int) -> Iterator[float]:
    """Mean of each day and those before it, in which a day weighs less the longer it is past.

    The weights are those of the days that there were: a plain exponential mean takes the first session for the load
    of every day before it, and a month later still tells of a habit that nobody had.
    """
    keep = 1 - 2 / (days + 1)
    total = weights = 0.0
    for value in line:
        total, weights = keep * total + value, keep * weights + 1
        yield total / weights
