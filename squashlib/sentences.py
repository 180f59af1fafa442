"""Sentences for the player: effects whose interval excludes none, then plain facts that were measured well."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.confidence import Z90_OF, Z95_OF, difference_interval
from squashlib.detectors.framework import MetricResult

Floats = npt.NDArray[np.float64]
Sentence = dict[str, Any]

LEAST_POINTS = 8  # fewer tell nothing of a length
SURE = 0.6  # less sure figures make no sentence
LEAST_DRIFT = 2.0  # bpm in half an hour


def recommendations(
    figures: Mapping[str, Any], groups: Mapping[str, xr.Dataset], metrics: Mapping[str, MetricResult]
) -> list[Sentence]:
    """Sentences, each with its evidence: effects before facts, the surest first."""
    effects = [
        *_difference_sentence(figures),
        *_length_sentences(figures["win_rate_by_rally_length"]),
        *_drift_sentence(metrics),
        *_tempo_sentence(groups["rallies"]),
        *_game_sentence(groups),
        *_recovery_sentence(metrics),
    ]
    facts = [*_zone_fact(metrics), *_streak_fact(figures["momentum_analysis"]), *_longest_fact(groups, metrics)]
    return [*_surest(effects), *_surest(facts)]


def _surest(found: Iterable[Sentence]) -> list[Sentence]:
    return sorted(found, key=lambda item: -item["confidence"])


def _sentence(text: str, evidence: Mapping[str, Any], confidence: float) -> Sentence:
    return {"text": text, "evidence": dict(evidence), "confidence": round(confidence, 4)}


def _difference_sentence(figures: Mapping[str, Any]) -> list[Sentence]:
    interval = figures["hr_difference_interval"]
    if not interval or interval[0] * interval[1] <= 0:
        return []
    gap = abs(figures["hr_difference"])
    text = (
        f"You won points at {gap:.0f} bpm less than you lost them: play calmer, take your time before the serve."
        if interval[1] < 0
        else f"You won points at {gap:.0f} bpm more than you lost them: raise the pace, pressure suits you."
    )
    return [_sentence(text, {"hr_difference_interval": interval, **figures["sample_size"]}, 0.9)]


def _game_sentence(groups: Mapping[str, xr.Dataset]) -> list[Sentence]:
    """The two games whose heart rates in rallies differ most for sure, all pairs of games compared at once to 95 %.

    Rallies of a game repeat each other (heart rate lags): each counts as half a sample.
    """
    rallies = groups["rallies"]
    mean, number = rallies["rally_hr_mean"].values.astype(np.float64), rallies["rally_game"].values
    games = {int(g): mean[(number == g) & ~np.isnan(mean)] for g in np.unique(number[number > 0])}
    games = {g: beats for g, beats in games.items() if len(beats) >= LEAST_POINTS}
    told = {g: (float(beats.mean()), float(beats.var(ddof=1) / len(beats))) for g, beats in games.items()}
    pairs = list(combinations(games, 2))
    best: tuple[float, int, int, float, float] | None = None
    for a, b in pairs:
        gap, error = told[b][0] - told[a][0], sqrt(2 * (told[a][1] + told[b][1]))
        half = Z95_OF[min(len(pairs), len(Z95_OF)) - 1] * error
        if abs(gap) > half and (best is None or abs(gap) - half > best[0]):
            best = (abs(gap) - half, a, b, gap, half)
    if best is None:
        return []
    _, a, b, gap, half = best
    word = "higher" if gap > 0 else "lower"
    text = f"In game {b} your heart rate in rallies was {abs(gap):.0f} bpm {word} than in game {a}."
    evidence = {"games": [a, b], "difference": round(gap, 1), "interval": [round(gap - half, 1), round(gap + half, 1)]}
    sure = float(groups["games"]["game_confidence"].values[[a - 1, b - 1]].min())
    return [_sentence(text, evidence, 0.95 * sure)] if sure >= SURE else []


def _recovery_sentence(metrics: Mapping[str, MetricResult]) -> list[Sentence]:
    drop = metrics.get("hr_recovery_60s")
    if drop is None or drop.value is None or "interval" not in drop.metadata:
        return []
    low, high = drop.metadata["interval"]
    count = len(drop.metadata["by_game"])
    if low <= 0 or drop.confidence < SURE:
        return []
    fall = (low + high) / 2
    text = f"Between games your heart rate fell by {fall:.0f} bpm in a minute ({low:.0f} to {high:.0f})."
    return [_sentence(text, {"interval": [low, high], "games": count}, drop.confidence)]


def _zone_fact(metrics: Mapping[str, MetricResult]) -> list[Sentence]:
    """Time near the maximum, where the maximum is known."""
    zones = [metrics.get(f"time_in_zone_{zone}") for zone in (4, 5)]
    if any(zone is None or zone.value is None or zone.confidence < SURE for zone in zones):
        return []
    known = [zone for zone in zones if zone is not None]
    hard_s, top = sum(float(str(zone.value)) for zone in known), known[0].metadata["hr_max_bpm"]
    if hard_s < 60:
        return []
    text = f"You played {hard_s / 60:.0f} minutes above 80 % of your maximum of {top:.0f} bpm."
    evidence = {"seconds_in_zones_4_and_5": round(hard_s), "hr_max_bpm": top}
    return [_sentence(text, evidence, min(zone.confidence for zone in known))]


def _streak_fact(streaks: Sequence[Mapping[str, Any]]) -> list[Sentence]:
    if not streaks:
        return []
    longest = max(streaks, key=lambda streak: streak["streak_length"])
    if longest["streak_length"] < 5:
        return []
    at = "" if longest["avg_hr_during_streak"] is None else f", at {longest['avg_hr_during_streak']:.0f} bpm"
    won = "won" if longest["streak_type"] == "winning" else "lost"
    return [_sentence(f"You {won} {longest['streak_length']} points in a row{at}.", longest, 0.9)]


def _longest_fact(groups: Mapping[str, xr.Dataset], metrics: Mapping[str, MetricResult]) -> list[Sentence]:
    longest = metrics.get("longest_rally_length")
    if longest is None or longest.value is None or longest.confidence < SURE:
        return []
    at = longest.metadata["rally"] - 1
    strokes, game = (groups["rallies"][name].values[at].item() for name in ("rally_strokes", "rally_game"))
    if np.isnan(strokes):
        return []  # heart rate alone is too blunt for a single rally
    text = f"The longest rally, in game {game}, lasted {longest.value:.0f} s with {strokes:.0f} strokes of yours."
    return [_sentence(text, {"rally": longest.metadata["rally"], "game": game}, longest.confidence)]


def _length_sentences(rows: Sequence[Mapping[str, Any]]) -> list[Sentence]:
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


def _drift_sentence(metrics: Mapping[str, MetricResult]) -> list[Sentence]:
    drift = metrics.get("hr_drift")
    if drift is None or drift.value is None or drift.confidence < SURE:
        return []
    low, high = drift.metadata["interval"]
    per_half = float(drift.value) / 2  # type: ignore[arg-type]
    if low <= 0 or per_half < LEAST_DRIFT:
        return []
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


def _tempo_sentence(rallies: xr.Dataset) -> list[Sentence]:
    """Whether rallies grew longer or shorter, by the rank correlation of length with order (normal approximation)."""
    lengths = rallies["rally_stop"].values - rallies["rally_start"].values
    if len(lengths) < 20 or float(rallies["rally_confidence"].values.mean()) < SURE:
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
    sure = 0.9 * float(rallies["rally_confidence"].values.mean())
    return [
        {"text": text, "evidence": {"rank_correlation": round(rho, 3), "rallies": len(lengths)}, "confidence": sure}
    ]
