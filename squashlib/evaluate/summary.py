"""Many sessions: each figure with its interval by bootstrap over sessions, never over windows of one player."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from squashlib.evaluate.calibration import calibration_error, reliability
from squashlib.evaluate.comparison import Comparison, Hits

Array = npt.NDArray[np.float64]
Figure = Callable[[Sequence[Comparison]], float]

RESAMPLES = 400
LEVEL = 0.95


def summarise(comparisons: Sequence[Comparison], *, seed: int = 0) -> dict[str, Any]:
    """Figures over sessions (one session per player), each with a 95 % interval.

    Parameters
    ----------
    comparisons
        One per session, of `squashlib.evaluate.compare`.

    Returns
    -------
    `{"sessions": n, NAME: {"value", "low", "high"} | null, …, "reliability": […]}`; null where no session can tell.

    Raises
    ------
    ValueError
        If there is no session.
    """
    if not comparisons:
        raise ValueError("there are no sessions to summarise, must be at least one")
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(comparisons), (RESAMPLES, len(comparisons)))
    row: dict[str, Any] = {"sessions": len(comparisons)}
    for name, figure in FIGURES.items():
        value = figure(comparisons)
        row[name] = None if np.isnan(value) else {"value": round(value, 4)} | _interval(figure, comparisons, drawn)
    confidence, correct = _confidences(comparisons)
    return row | {"reliability": reliability(confidence, correct)}


def _interval(figure: Figure, comparisons: Sequence[Comparison], drawn: npt.NDArray[np.intp]) -> dict[str, float]:
    values = np.array([figure([comparisons[i] for i in sample]) for sample in drawn])
    low, high = np.nanquantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {"low": round(float(low), 4), "high": round(float(high), 4)}


def _pooled(hits: Sequence[Hits]) -> float:
    pooled = Hits(*(sum(getattr(h, part) for h in hits) for part in ("matched", "truth", "found")))
    return pooled.f1 if hits else float("nan")


def _rally_f1(at: float) -> Figure:
    return lambda comparisons: _pooled([c.rallies[at] for c in comparisons])


def _stroke_f1(within_s: float) -> Figure:
    return lambda comparisons: _pooled([c.strokes[within_s] for c in comparisons if c.strokes is not None])


def _median(errors: Callable[[Comparison], Array]) -> Figure:
    def figure(comparisons: Sequence[Comparison]) -> float:
        pooled = np.abs(np.concatenate([errors(c) for c in comparisons]))
        return float(np.median(pooled)) if len(pooled) else float("nan")

    return figure


def _mean(value: Callable[[Comparison], float]) -> Figure:
    def figure(comparisons: Sequence[Comparison]) -> float:
        values = np.array([value(c) for c in comparisons])
        return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")

    return figure


def _per_rally(number: Callable[[Comparison], int]) -> Figure:
    return lambda cs: sum(number(c) for c in cs) / max(1, sum(c.count[0] for c in cs))


def _confidences(comparisons: Sequence[Comparison]) -> tuple[Array, npt.NDArray[np.bool_]]:
    return np.concatenate([c.confidence for c in comparisons]), np.concatenate([c.correct for c in comparisons])


def _brier(comparisons: Sequence[Comparison]) -> float:
    confidence, correct = _confidences(comparisons)
    return float(np.mean((confidence - correct) ** 2)) if len(correct) else float("nan")


def _right_side(comparisons: Sequence[Comparison]) -> float:
    told = sum(c.side.found for c in comparisons)
    return sum(c.side.matched for c in comparisons) / told if told else float("nan")


def _inside(comparison: Comparison) -> float:
    truth, _, low, high = comparison.count
    return float("nan") if np.isnan(low) else float(low <= truth <= high)


FIGURES: dict[str, Figure] = {
    "rally_f1_iou_0.3": _rally_f1(0.3),
    "rally_f1_iou_0.5": _rally_f1(0.5),
    "rally_f1_iou_0.7": _rally_f1(0.7),
    "rally_f1_iou_0.75": _rally_f1(0.75),
    "boundary_error_s": _median(lambda c: c.boundary_error_s),
    "onset_error_s": _median(lambda c: c.onset_error_s),
    "end_error_s": _median(lambda c: c.end_error_s),
    "last_contact_error_s": _median(lambda c: c.last_contact_error_s),
    "merges_per_rally": _per_rally(lambda c: c.merged),
    "splits_per_rally": _per_rally(lambda c: c.split),
    "count_error": _mean(lambda c: (c.count[1] - c.count[0]) / max(1, c.count[0])),
    "count_error_absolute": _mean(lambda c: abs(c.count[1] - c.count[0]) / max(1, c.count[0])),
    "count_interval_coverage": _mean(_inside),
    "games_f1_iou_0.8": lambda cs: _pooled([c.games for c in cs if c.games is not None]),
    "games_number_right": _mean(
        lambda c: float(c.games.truth == c.games.found) if c.games is not None else float("nan")
    ),
    "stroke_f1_within_0.15_s": _stroke_f1(0.15),
    "stroke_f1_within_0.25_s": _stroke_f1(0.25),
    "stroke_f1_within_0.35_s": _stroke_f1(0.35),
    "stroke_side_right": _right_side,
    "calibration_error": lambda cs: calibration_error(*_confidences(cs)),
    "brier": _brier,
    "frame_balanced_accuracy": _mean(lambda c: c.frame_accuracy),
    "playing_time_error": _mean(lambda c: c.play_error),
    "warmup_iou": _mean(lambda c: c.warmup_iou),
}
