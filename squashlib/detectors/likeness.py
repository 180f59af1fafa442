"""How much each swing of a session looks like its strokes: a discriminant learnt in the session itself.

Players differ by a factor of four and watches sit as they like, so no border holds for all. What play and rest look
like is learnt from the segmentation: swings between rallies are no strokes, those in rallies are where their looks and
the rhythm of the game say so.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Looks of a swing, and how much each tells before anything was learnt, per spread of the session.
LOOKS = {
    "strength": 1.0, "pull": 0.6, "jolt": 0.3, "width": -0.2,
    "before": -0.2, "after": -0.2, "straight": 0.1, "along": 0.3,
}  # fmt: skip
HELD_BACK = 20.0
INTER_SHOT_S = 1.44
BALL_DEAD_S = 2.4
ROUNDS = 2


@dataclass(frozen=True)
class Likeness:
    """Of every swing (k,): log odds of being a stroke if in play, by looks alone; and probability with the rhythm.

    `weights` (F+1,) are those of the looks and a constant, `looks` (k, F) are `standardised`.
    """

    log_odds: Floats
    probability: Floats
    weights: Floats
    looks: Floats


def standardised(swings: xr.Dataset) -> Floats:
    """Looks of all swings about their median in units of their spread, at most 4 either way, (k, F)."""
    table = swings["swing_looks"].values.astype(np.float64)
    if len(table) < 8:
        return np.zeros_like(table)
    middle = np.median(table, axis=0)
    spread = 1.4826 * np.median(np.abs(table - middle), axis=0)
    return np.asarray(np.clip((table - middle) / np.where(spread > 1e-6, spread, np.inf), -4, 4))


def first_odds(swings: xr.Dataset) -> Floats:
    """Log odds before anything was learnt: two kinds of swings told apart by a mixture, (k,)."""
    from squashlib.detectors.mixture import strong_kind

    p = np.clip(strong_kind(standardised(swings) @ np.array(list(LOOKS.values()))), 1e-4, 1 - 1e-4)
    return np.asarray(np.log(p / (1 - p)))


def learn(swings: xr.Dataset, starts: Floats, stops: Floats, quiet: Bools, before: Likeness | None = None) -> Likeness:
    """Learn from rallies (r,), from which swings (k,) surely are no strokes, and from where it stood before."""
    times, looks = swings["swing_time"].values, before.looks if before else standardised(swings)
    low, high = np.searchsorted(times, starts - 0.2), np.searchsorted(times, stops)
    playing = np.zeros(len(times), bool)
    for a, b in zip(low, high, strict=True):
        playing[a:b] = True
    prior = np.append(np.array(list(LOOKS.values())), 0.0)
    weights = before.weights if before else prior
    table = np.column_stack((looks, np.ones(len(looks))))
    expected = (np.maximum(stops - starts - BALL_DEAD_S, 0) / (2 * INTER_SHOT_S) + 0.5).sum()
    used = playing | quiet
    p = np.zeros(len(times))
    odds = table @ weights
    for _ in range(ROUNDS):
        odds = table @ weights
        odds = odds + offset(odds[playing], float(expected))
        p = in_rhythm(times, odds, starts, stops)
        weights = regression(table[used], p[used], prior)
    return Likeness(odds, p, weights, looks)


def in_rhythm(times: Floats, odds: Floats, starts: Floats, stops: Floats) -> Floats:
    """Probability of each swing to be a stroke of the rally it lies in, given all others there; 0 outside, (k,)."""
    from squashlib.kernels.rhythm import stroke_marginals

    low, high = np.searchsorted(times, starts - 0.2), np.searchsorted(times, stops)
    return stroke_marginals(times, odds, low, high, starts, stops, 2 * INTER_SHOT_S)


def offset(odds: Floats, expected: float) -> float:
    """What to add to log odds so that probabilities sum to what is expected."""
    from squashlib.kernels.logistic import sum_shifted

    if not len(odds):
        return 0.0
    low, high = -30.0, 30.0
    for _ in range(26):
        middle = (low + high) / 2
        if sum_shifted(odds, middle) < expected:
            low = middle
        else:
            high = middle
    return middle


def regression(table: Floats, p: Floats, prior: Floats) -> Floats:
    """Logistic regression on probabilities, held back towards prior weights (the last column is the constant)."""
    weights = prior.copy()
    pull = np.append(np.full(table.shape[1] - 1, HELD_BACK), 1e-3)
    held, weighed = np.diag(pull), np.empty(table.shape[::-1])
    columns = np.ascontiguousarray(table.T)  # a step of NumPy for each look is quicker than one for each swing
    for _ in range(12):
        q = 1 / (1 + np.exp(-np.clip(weights @ columns, -30, 30)))
        slope = columns @ (p - q) - pull * (weights - prior)
        curve = np.multiply(columns, q * (1 - q), out=weighed) @ columns.T + held
        step = np.linalg.solve(curve, slope)
        weights = weights + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-4:
            break
    return weights
