"""How far two annotators agree on one session."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from squashlib.evaluate.matching import match_spans, match_times
from squashlib.labels import LabelSet

STEP_S = 1.0
AT_IOU = 0.5
WITHIN_S = 0.25


def cohens_kappa(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> float | None:
    """Agreement beyond chance of two codings (n,) of the same units (Cohen, 1960): 1 is perfect, 0 is chance.

    None where both use one and the same code throughout: chance alone explains that, and kappa is 0/0.
    """
    if a.shape != b.shape:
        raise ValueError(f"codings have shapes {a.shape} and {b.shape}, must be of the same units")
    codes = np.union1d(a, b)
    by_chance = sum(float((a == code).mean()) * float((b == code).mean()) for code in codes)
    return None if len(a) == 0 or by_chance == 1.0 else (float((a == b).mean()) - by_chance) / (1.0 - by_chance)


def agreement(a: LabelSet, b: LabelSet, kind: str = "rally") -> dict[str, Any]:
    """Compare two sets of one session.

    Returns
    -------
    dict
        `kappa` of a 1 s grid (in a `kind` or not, from the first to the last label of either), `f1` of spans matched
        one to one at IoU 0.5, medians of what `b`'s starts and ends lie after `a`'s (s), `stroke_f1` within 0.25 s;
        null where neither labelled it.

    Raises
    ------
    ValueError
        If the sets are of two sessions.
    """
    if a.session_id != b.session_id:
        raise ValueError(f"label sets are of sessions '{a.session_id}' and '{b.session_id}', must be of one")
    one, two = _spans(a, kind), _spans(b, kind)
    pairs = match_spans(one, two, AT_IOU)
    apart = two[pairs[:, 1]] - one[pairs[:, 0]]
    moments = [np.array([label.start_s for label in labels.of("stroke")]) for labels in (a, b)]
    hits = len(match_times(moments[0], moments[1], WITHIN_S))
    return {
        "annotators": (f"{a.author} v{a.version}", f"{b.author} v{b.version}"),
        "kind": kind,
        "kappa": _kappa(one, two),
        "f1": _f1(len(pairs), len(one), len(two)),
        "count": (len(one), len(two)),
        "start_difference_s": _median(apart[:, 0]),
        "end_difference_s": _median(apart[:, 1]),
        "boundary_difference_s": _median(np.abs(apart).ravel()),
        "stroke_f1": _f1(hits, len(moments[0]), len(moments[1])),
    }


def agreements(sets: Sequence[LabelSet], kind: str = "rally") -> list[dict[str, Any]]:
    """`agreement` of every pair."""
    return [agreement(a, b, kind) for a, b in combinations(sets, 2)]


def _spans(labels: LabelSet, kind: str) -> npt.NDArray[np.float64]:
    return np.array([(label.start_s, label.stop_s) for label in labels.of(kind)], np.float64).reshape(-1, 2)


def _kappa(one: npt.NDArray[np.float64], two: npt.NDArray[np.float64]) -> float | None:
    edges = np.concatenate((one.ravel(), two.ravel()))
    if not len(edges):
        return None
    grid = np.arange(edges.min(), edges.max(), STEP_S) + STEP_S / 2
    kappa = cohens_kappa(_inside(grid, one), _inside(grid, two))
    return None if kappa is None else round(kappa, 4)


def _inside(grid: npt.NDArray[np.float64], spans: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    return np.asarray(((grid[:, None] >= spans[:, 0]) & (grid[:, None] < spans[:, 1])).any(axis=1))


def _f1(matched: int, one: int, two: int) -> float | None:
    return round(2 * matched / (one + two), 4) if one + two else None


def _median(values: npt.NDArray[np.float64]) -> float | None:
    return round(float(np.median(values)), 3) if len(values) else None
