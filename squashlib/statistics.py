"""Figures over weeks, months and years, from the summaries of analyses; days are those of the player's own zone."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Literal

from squashlib.confidence import student90

Period = Literal["weekly", "monthly", "yearly", "all_time"]

ACUTE_DAYS, CHRONIC_DAYS = 7, 28


@dataclass(frozen=True)
class Played:
    """One session: when it began, the games of its final score if known, and its analysis' summary."""

    start: datetime
    games_me: int | None
    games_opponent: int | None
    summary: Mapping[str, Any]

    def figure(self, name: str) -> float | None:
        """A figure of the summary, None if the data could not tell."""
        value = self.summary.get(name)
        if isinstance(value, Mapping):
            value = next((item for item in value.values() if isinstance(item, (int, float))), None)
        return float(value) if isinstance(value, (int, float)) else None


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
    decided = [one for one in played if one.games_me is not None and one.games_opponent is not None]
    wins = sum(one.games_me > one.games_opponent for one in decided)  # type: ignore[operator]
    losses = sum(one.games_me < one.games_opponent for one in decided)  # type: ignore[operator]
    won, lost = (int(_total(played, name) or 0) for name in ("points_won", "points_lost"))
    return {
        "sessions": len(played),
        "matches_won": wins,
        "matches_lost": losses,
        "win_rate": _share(wins, wins + losses),
        "points_won": won,
        "points_lost": lost,
        "point_win_rate": _share(won, won + lost),
        "total_playing_time_s": _total(played, "total_playing_time"),
        "total_session_duration_s": _total(played, "total_session_duration"),
        "rallies": _total(played, "number_of_rallies"),
        "avg_playing_heart_rate": _mean(played, "avg_playing_heart_rate"),
        "hr_recovery_60s": _mean(played, "hr_recovery_60s"),
        "training_load": _total(played, "training_load"),
        "time_in_zones_s": {f"zone_{zone}": _total(played, f"time_in_zone_{zone}") for zone in range(1, 6)},
    }


def _known(played: Sequence[Played], name: str) -> list[float]:
    return [value for one in played if (value := one.figure(name)) is not None]


def _total(played: Sequence[Played], name: str) -> float | None:
    known = _known(played, name)
    return round(sum(known), 3) if known else None


def _mean(played: Sequence[Played], name: str) -> float | None:
    known = _known(played, name)
    return round(sum(known) / len(known), 3) if known else None


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def load(played: Sequence[Played], until: datetime) -> dict[str, Any]:
    """Acute load (7 days) and chronic load (28 days, as a week) until a moment, and their ratio.

    Without a session older than the acute week the ratio is null: there is nothing yet to compare with.
    """
    acute, chronic = (_load_of(played, until, days) for days in (ACUTE_DAYS, CHRONIC_DAYS))
    weekly = chronic * ACUTE_DAYS / CHRONIC_DAYS
    ratio = round(acute / weekly, 3) if weekly > 0 and chronic > acute else None
    return {"acute": round(acute, 1), "chronic": round(weekly, 1), "ratio": ratio}


def _load_of(played: Sequence[Played], until: datetime, days: int) -> float:
    recent = [one for one in played if until - timedelta(days=days) < one.start <= until]
    return sum(_known(recent, "training_load"))


def trend(played: Sequence[Played], name: str) -> dict[str, Any]:
    """Change of a figure in 30 days: least squares over sessions, with its 90 % interval; null for fewer than three."""
    rows = [(one.start.timestamp() / 86_400, value) for one in played if (value := one.figure(name)) is not None]
    slope, half = _slope(rows)
    if slope is None or half is None:
        reason = f"{len(rows)} sessions on different days have it, 3 are needed"
        return {"change_per_30_days": None, "interval": None, "sessions": len(rows), "reason": reason}
    interval = [round(30 * (slope - half), 3), round(30 * (slope + half), 3)]
    return {"change_per_30_days": round(30 * slope, 3), "interval": interval, "sessions": len(rows), "reason": None}


def _slope(rows: Sequence[tuple[float, float]]) -> tuple[float | None, float | None]:
    n = len(rows)
    if n < 3:
        return None, None
    mean_x, mean_y = sum(x for x, _ in rows) / n, sum(y for _, y in rows) / n
    spread = sum((x - mean_x) ** 2 for x, _ in rows)
    if spread < 1e-9:
        return None, None
    slope = sum((x - mean_x) * (y - mean_y) for x, y in rows) / spread
    rest = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in rows)
    return slope, student90(n - 2) * math.sqrt(rest / (n - 2) / spread)
