"""Sums and means of sessions, all of them or by period; days are those of the player's own zone."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any, Literal

from squashlib.confidence import wilson
from squashlib.statistics.played import Played

Period = Literal["weekly", "monthly", "yearly", "all_time"]


def aggregate(played: Sequence[Played], period: Period, zone: tzinfo) -> list[dict[str, Any]]:
    """A row for each period with a session in it, oldest first."""
    by_period: dict[str, list[Played]] = defaultdict(list)
    for one in sorted(played, key=lambda one: one.start):
        by_period[_name(one.start.astimezone(zone), period)].append(one)
    return [{"period": name, **totals(group)} for name, group in by_period.items()]


def _name(day: datetime, period: Period) -> str:
    if period == "weekly":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02d}"
    return {"monthly": f"{day:%Y-%m}", "yearly": f"{day:%Y}", "all_time": "all_time"}[period]


def totals(played: Sequence[Played]) -> dict[str, Any]:
    """Sessions, wins, points, load, recovery and time in zones of some sessions; null where nothing is known."""
    won, lost = points(played)
    return {
        "sessions": len(played),
        **results(played),
        "points_won": won,
        "points_lost": lost,
        **_share("point_win_rate", won, None if won is None or lost is None else won + lost),
        "total_playing_time_s": _total(played, "total_playing_time"),
        "total_session_duration_s": _total(played, "total_session_duration"),
        "rallies": _total(played, "number_of_rallies"),
        "avg_playing_heart_rate": _mean(played, "avg_playing_heart_rate"),
        "hr_recovery_60s": _mean(played, "hr_recovery_60s"),
        "training_load": _total(played, "training_load"),
        "time_in_zones_s": {f"zone_{zone}": _total(played, f"time_in_zone_{zone}") for zone in range(1, 6)},
        "performance_by_zone": performance_by_zone(played),
    }


def results(played: Sequence[Played]) -> dict[str, Any]:
    """Matches won and lost, and the share won with its 90 % interval (Wilson); null while none is decided."""
    wins, losses = (sum(one.won is outcome for one in played) for outcome in (True, False))
    return {"matches_won": wins, "matches_lost": losses, **_share("win_rate", wins, wins + losses)}


def _share(name: str, part: int | None, whole: int | None) -> dict[str, Any]:
    if part is None or not whole:
        return {name: None, f"{name}_interval": None}
    return {name: round(part / whole, 4), f"{name}_interval": wilson(part, whole)}


def points(played: Sequence[Played]) -> tuple[int | None, int | None]:
    """Points won and lost in sessions whose points are known; null when none are."""
    known = [one for one in played if (one.figure("points_won") or 0) + (one.figure("points_lost") or 0) > 0]
    won, lost = (_total(known, name) for name in ("points_won", "points_lost"))
    return (None, None) if not known else (int(won or 0), int(lost or 0))


def performance_by_zone(played: Sequence[Played]) -> list[dict[str, Any]]:
    """Points won and lost by the heart-rate zone in which they were played, with the share won and its interval."""
    counts: dict[int, list[int]] = {}
    for one in played:
        for row in one.summary.get("performance_by_zone") or ():
            here = counts.setdefault(int(row["zone"]), [0, 0])
            here[0] += int(row["points_won"])
            here[1] += int(row["points_lost"])
    return [
        {"zone": zone, "points_won": won, "points_lost": lost, **_share("win_rate", won, won + lost)}
        for zone, (won, lost) in sorted(counts.items())
    ]


def _known(played: Sequence[Played], name: str) -> list[float]:
    return [value for one in played if (value := one.figure(name)) is not None]


def _total(played: Sequence[Played], name: str) -> float | None:
    known = _known(played, name)
    return round(sum(known), 3) if known else None


def _mean(played: Sequence[Played], name: str) -> float | None:
    known = _known(played, name)
    return round(sum(known) / len(known), 3) if known else None
