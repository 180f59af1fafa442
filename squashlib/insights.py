"""What the events mean for the player: figures with intervals, and sentences where an interval excludes no effect."""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.athlete import Athlete
from squashlib.confidence import Z90_OF, difference_interval, student90, wilson
from squashlib.detectors.framework import MetricResult
from squashlib.detectors.heart import samples
from squashlib.scoring import Point
from squashlib.zones_won import best, by_zone

Floats = npt.NDArray[np.float64]

BEFORE_S = 5.0  # heart rate at a point is the mean of the five seconds before it
NO_POINTS = "no points were pressed, so winning cannot be compared"
STREAK = 3
LEAST_POINTS = 8  # fewer tell nothing of a length
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
        **_recovery(metrics),
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


def _recovery(metrics: Mapping[str, MetricResult]) -> dict[str, Any]:
    drop = metrics.get("hr_recovery_60s")
    value = None if drop is None or drop.value is None else round(float(drop.value), 1)  # type: ignore[arg-type]
    # The time to fall by 20 bpm, if the fall goes on as it did in the first minute.
    seconds = round(20 * 60 / value, 1) if value and value > 5 else None
    return {"hr_recovery_avg_seconds": seconds, "recovery_to_target_hr": 20, "hr_recovery_60s": value}


def _by_game(groups: Mapping[str, xr.Dataset], played: Sequence[Point], at_points: Floats) -> list[dict[str, Any]]:
    """Each game: mean heart rate, points, and its heart rate above the first game's as a share."""
    games, rallies = groups["games"], groups["rallies"]
    rows: list[dict[str, Any]] = []
    first = None
    for g in range(games.sizes["game"]):
        low, high = float(games["game_start"][g]), float(games["game_stop"][g]) + 15
        inside = [point for point in played if low <= point.time_s <= high]
        means = rallies["rally_hr_mean"].values[rallies["rally_game"].values == g + 1]
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
        if i < len(played) and played[i].winner == played[start].winner and played[i].game == played[start].game:
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


def recommendations(
    figures: Mapping[str, Any], groups: Mapping[str, xr.Dataset], metrics: Mapping[str, MetricResult]
) -> list[dict[str, Any]]:
    """Sentences, each with its evidence; the surest first."""
    found: list[dict[str, Any]] = []
    interval = figures["hr_difference_interval"]
    if interval and interval[0] * interval[1] > 0:
        calm = interval[1] < 0
        gap = abs(figures["hr_difference"])
        text = (
            f"You won points at {gap:.0f} bpm less than you lost them: play calmer, take your time before the serve."
            if calm
            else f"You won points at {gap:.0f} bpm more than you lost them: raise the pace, pressure suits you."
        )
        found.append(
            {
                "text": text,
                "evidence": {"hr_difference_interval": interval, **figures["sample_size"]},
                "confidence": 0.9,
            }
        )
    found += _length_sentences(figures["win_rate_by_rally_length"])
    found += _drift_sentence(metrics)
    found += _tempo_sentence(groups["rallies"])
    return sorted(found, key=lambda item: -item["confidence"])


def _length_sentences(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Lengths at which the player does better or worse than in the other rallies, all of them sure at once to 90 %."""
    hits = [round(row["win_percentage"] * row["points"] / 100) for row in rows]
    whole, won = sum(row["points"] for row in rows), sum(hits)
    told = [
        (row, hit)
        for row, hit in zip(rows, hits, strict=True)
        if min(row["points"], whole - row["points"]) >= LEAST_POINTS
    ]
    found = []
    for row, hit in told:
        others = (won - hit, whole - row["points"])
        low, high = difference_interval((hit, row["points"]), others, Z90_OF[min(len(told), 4) - 1])
        if low <= 0 <= high:
            continue
        span = f"longer than {row['from_s']} s" if row["to_s"] is None else f"of {row['from_s']} to {row['to_s']} s"
        verdict = "suit you" if low > 0 else "cost you points"
        rest = 100 * others[0] / others[1]
        text = (
            f"Rallies {span} {verdict}: you won {row['win_percentage']:.0f} % of them and {rest:.0f} % of the others."
        )
        evidence = {**row, "others_won": others[0], "others": others[1], "difference_interval": [low, high]}
        found.append({"text": text, "evidence": evidence, "confidence": 0.9})
    return found


def _drift_sentence(metrics: Mapping[str, MetricResult]) -> list[dict[str, Any]]:
    drift = metrics.get("hr_drift")
    if drift is None or drift.value is None:
        return []
    low, high = drift.metadata["interval"]
    if low <= 0 <= high:
        return []
    per_half = float(drift.value) / 2  # type: ignore[arg-type]
    text = (
        f"Your heart rate in rallies rose by {per_half:.0f} bpm each half hour: the same work cost more as you tired."
        if per_half > 0
        else f"Your heart rate in rallies fell by {-per_half:.0f} bpm each half hour: you worked less towards the end."
    )
    return [
        {
            "text": text,
            "evidence": {"hr_drift": drift.value, "interval": [low, high]},
            "confidence": 0.95 * drift.confidence,
        }
    ]


def _tempo_sentence(rallies: xr.Dataset) -> list[dict[str, Any]]:
    """Whether rallies grew longer or shorter, by the rank correlation of length with order (normal approximation)."""
    lengths = rallies["rally_stop"].values - rallies["rally_start"].values
    if len(lengths) < 20:
        return []
    ranks = np.argsort(np.argsort(lengths)).astype(float)
    order = np.arange(len(lengths), dtype=float)
    rho = float(np.corrcoef(ranks, order)[0, 1])
    if abs(rho) * sqrt(len(lengths) - 1) < 1.96:
        return []
    third = len(lengths) // 3
    early, late = float(np.median(lengths[:third])), float(np.median(lengths[-third:]))
    word = "longer" if rho > 0 else "shorter"
    text = f"Rallies grew {word}: {early:.0f} s at first, {late:.0f} s in the last third."
    sure = 0.9 * float(rallies["rally_confidence"].mean())
    return [
        {"text": text, "evidence": {"rank_correlation": round(rho, 3), "rallies": len(lengths)}, "confidence": sure}
    ]


def headlines(insights: Mapping[str, Any]) -> list[str]:
    """Up to three sentences for the top of a page."""
    return [str(item["text"]) for item in insights["recommendations"][:3]]
