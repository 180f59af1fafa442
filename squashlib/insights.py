"""What the events mean for the player: figures with intervals, and sentences where an interval excludes no effect."""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.athlete import Athlete
from squashlib.confidence import student90, wilson
from squashlib.detectors.framework import MetricResult
from squashlib.detectors.heart import samples
from squashlib.scoring import Point
from squashlib.sentences import recommendations
from squashlib.zones_won import best, by_zone

Floats = npt.NDArray[np.float64]

BEFORE_S = 5.0  # heart rate at a point is the mean of the five seconds before it
NO_POINTS = "no points were pressed, so winning cannot be compared"
STREAK = 3
FALL_BPM = 20.0
LENGTHS = ((0, 6), (6, 12), (12, 20), (20, 1e9))


def explain(
    session: xr.Dataset,
    groups: Mapping[str, xr.Dataset],
    metrics: Mapping[str, MetricResult],
    points: Sequence[Point],
    athlete: Athlete,
) -> dict[str, Any]:
    """The insights of `GET /api/sessions/{id}/insights` without ids and time.

    Figures that points or heart rate cannot tell are None, with the reason under `reasons`.
    """
    times, bpm, _ = samples(session)
    played = [point for point in points if point.winner is not None and not point.is_let]
    at_points = heart_at([point.time_s for point in played], times, bpm)
    won = np.array([point.winner == "me" for point in played], bool)
    zones = by_zone(session, athlete, points, at_points, won, bpm)
    figures: dict[str, Any] = {
        **_difference(at_points, won),
        "optimal_hr_zone": best(zones),
        "performance_by_zone": zones,
        **_recovery(metrics, groups["games"], times, bpm),
        "performance_by_game": _by_game(groups, played, at_points),
        "momentum_analysis": _momentum(played, at_points),
        "win_rate_by_rally_length": _by_length(groups["rallies"]),
        "clutch": _clutch(played),
    }
    reasons = _reasons(played, bpm, figures)
    return {
        "insight_type": "performance",
        "metrics": figures,
        "reasons": reasons,
        "recommendations": recommendations(figures, groups, metrics),
    }


def heart_at(moments: Sequence[float], times: Floats, bpm: Floats) -> Floats:
    """Mean heart rate of the five seconds before each moment, NaN without a sample; (k,)."""
    out = np.full(len(moments), np.nan)
    for i, moment in enumerate(moments):
        low, high = np.searchsorted(times, (moment - BEFORE_S, moment), side="right")
        if high > low:
            out[i] = bpm[low:high].mean()
    return out


def _difference(at_points: Floats, won: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Means on won and lost points, and Welch's 90 % interval of their difference."""
    a, b = at_points[won & ~np.isnan(at_points)], at_points[~won & ~np.isnan(at_points)]
    found: dict[str, Any] = {
        "avg_hr_on_won_points": round(float(a.mean()), 2) if len(a) else None,
        "avg_hr_on_lost_points": round(float(b.mean()), 2) if len(b) else None,
        "hr_difference": None,
        "hr_difference_interval": None,
        "sample_size": {"won": len(a), "lost": len(b)},
    }
    if len(a) and len(b):
        found["hr_difference"] = round(float(a.mean() - b.mean()), 2)
    if len(a) > 4 and len(b) > 4:
        va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
        freedom = (va + vb) ** 2 / max(va**2 / (len(a) - 1) + vb**2 / (len(b) - 1), 1e-300)
        half = student90(int(freedom)) * sqrt(va + vb)
        middle = float(a.mean() - b.mean())
        found["hr_difference_interval"] = [round(middle - half, 2), round(middle + half, 2)]
    return found


def _recovery(metrics: Mapping[str, MetricResult], games: xr.Dataset, times: Floats, bpm: Floats) -> dict[str, Any]:
    """Fall in the minute after a game, and how long a fall by 20 bpm took on average (games that saw one)."""
    drop = metrics.get("hr_recovery_60s")
    value = None if drop is None or drop.value is None else round(float(drop.value), 1)  # type: ignore[arg-type]
    took, targets = [], []
    for end in games["game_stop"].values:
        peak = bpm[(times >= end - 10) & (times <= end + 10)]
        later = (times > end) & (times <= end + 180)
        if not len(peak):
            continue
        fallen = np.flatnonzero(later & (bpm <= peak.max() - FALL_BPM))
        if len(fallen):
            took.append(float(times[fallen[0]] - end))
            targets.append(float(peak.max() - FALL_BPM))
    return {
        "hr_recovery_avg_seconds": round(float(np.mean(took)), 1) if took else None,
        "recovery_to_target_hr": round(float(np.mean(targets)), 1) if targets else None,
        "hr_recovery_60s": value,
    }


def _by_game(groups: Mapping[str, xr.Dataset], played: Sequence[Point], at_points: Floats) -> list[dict[str, Any]]:
    """Each game: mean heart rate, points, and its heart rate above the first game's as a share."""
    games, rallies = groups["games"], groups["rallies"]
    rows: list[dict[str, Any]] = []
    first = None
    beats, number = rallies["rally_hr_mean"].values, rallies["rally_game"].values
    spans = zip(games["game_start"].values.tolist(), games["game_stop"].values.tolist(), strict=True)
    for g, (low, stop) in enumerate(spans):
        high = stop + 15
        inside = [point for point in played if low <= point.time_s <= high]
        means = beats[number == g + 1]
        mean = float(np.nanmean(means)) if len(means) and not np.isnan(means).all() else None
        first = first or mean
        rows.append(
            {
                "game_number": g + 1,
                "avg_hr": None if mean is None else round(mean, 1),
                "points_won": sum(point.winner == "me" for point in inside) if played else None,
                "points_lost": sum(point.winner == "opponent" for point in inside) if played else None,
                "fatigue_indicator": None if mean is None or first is None else round(mean / first - 1, 4),
            }
        )
    return rows


def _momentum(played: Sequence[Point], at_points: Floats) -> list[dict[str, Any]]:
    """Streaks of three points or more."""
    found, start = [], 0
    for i in range(1, len(played) + 1):
        if i < len(played) and _goes_on(played[i - 1], played[i]):
            continue
        if i - start >= STREAK:
            beats = at_points[start:i]
            seen = beats[~np.isnan(beats)]
            rise = float(seen[-1] - seen[0]) if len(seen) > 1 else 0.0
            trend = "increasing" if rise > 3 else "decreasing" if rise < -3 else "stable"
            found.append(
                {
                    "streak_type": "winning" if played[start].winner == "me" else "losing",
                    "streak_length": i - start,
                    "avg_hr_during_streak": round(float(seen.mean()), 1) if len(seen) else None,
                    "hr_trend": trend,
                    "start_s": round(played[start].time_s, 1),
                }
            )
        start = i
    return found


def _goes_on(before: Point, after: Point) -> bool:
    """Whether two presses are of one streak: the same winner and game, and no point of the other's between them."""
    if after.winner != before.winner or after.game != before.game:
        return False
    others = [point.score_opponent if after.winner == "me" else point.score_me for point in (before, after)]
    return None in others or others[0] == others[1]


def _by_length(rallies: xr.Dataset) -> list[dict[str, Any]]:
    lengths = rallies["rally_stop"].values - rallies["rally_start"].values
    winner = rallies["rally_winner"].values
    rows = []
    for low, high in LENGTHS:
        here = winner[(lengths >= low) & (lengths < high) & (winner > 0)]
        if len(here):
            hits = int((here == 1).sum())
            rows.append(
                {
                    "from_s": low,
                    "to_s": None if high > 1e6 else high,
                    "points": len(here),
                    "win_percentage": round(100 * hits / len(here), 1),
                    "interval": wilson(hits, len(here)),
                }
            )
    return rows


def _clutch(played: Sequence[Point]) -> dict[str, Any] | None:
    """Points from 8-all on, or with a side at game point within two of the other."""
    scored = [p for p in played if p.score_me is not None and p.score_opponent is not None]
    tight = [p for p in scored if min(p.score_me or 0, p.score_opponent or 0) >= 8]
    if len(tight) < 4:
        return None
    hits = sum(point.winner == "me" for point in tight)
    percentage = round(100 * hits / len(tight), 1)
    return {"points": len(tight), "win_percentage": percentage, "interval": wilson(hits, len(tight))}


def _reasons(played: Sequence[Point], bpm: Floats, figures: Mapping[str, Any]) -> dict[str, str]:
    missing = [name for name, value in figures.items() if value is None or value == []]
    heart = "no heart rate was measured"
    by_points = {"optimal_hr_zone", "performance_by_zone", "momentum_analysis", "win_rate_by_rally_length", "clutch"}
    reasons = {}
    for name in missing:
        if not played and (name in by_points or name.startswith(("avg_hr_on", "hr_difference"))):
            reasons[name] = NO_POINTS
        elif not len(bpm):
            reasons[name] = heart
        else:
            reasons[name] = "too few points or games to tell"
    return reasons


def headlines(insights: Mapping[str, Any]) -> list[str]:
    """Up to three sentences for the top of a page."""
    return [str(item["text"]) for item in insights["recommendations"][:3]]
