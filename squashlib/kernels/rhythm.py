"""Which swings of a rally are the strokes: those that look it, at the distances at which strokes follow each other."""

import numpy as np
import numpy.typing as npt

from squashlib.kernels.jit import kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Between two strokes in a row lie at most so many other swings.
NEAR = 10


@kernel
def gap_weight(gap_s: float, usual_s: float) -> float:
    """Density of the time between own strokes over that of a Poisson course of the same rate.

    Lognormal around the usual time; a twelfth goes to any distance, for strokes unseen or played by surprise.
    """
    z = np.log(gap_s / usual_s) / 0.22
    return float(0.92 * usual_s * np.exp(-0.5 * z * z) / (gap_s * 0.22 * 2.5066) + 0.08)


@kernel
def edge_weight(wait_s: float, usual_s: float) -> float:
    """Weight of the time from a rally's edge to the nearest own stroke: the longer beyond the usual, the less."""
    return float(np.exp(-max(0.0, wait_s - usual_s) / 1.5) + 0.02)


@kernel
def stroke_marginals(
    times: Floats, log_odds: Floats, low: Ints, high: Ints, starts: Floats, stops: Floats, usual_s: float
) -> Floats:
    """Probability of each swing to be a stroke given all others of its rally; 0 outside rallies.

    Parameters
    ----------
    times, log_odds
        Of all swings, (k,): seconds, and the log odds that each has by its own looks.
    low, high
        First swing of each rally and first after it, (r,).
    starts, stops
        Each rally's bounds in seconds, (r,).
    usual_s
        Usual time between own strokes.
    """
    out = np.zeros(times.size)
    for r in range(low.size):
        n = high[r] - low[r]
        t, odds = times[low[r] : high[r]], log_odds[low[r] : high[r]]
        ahead, behind, apart = np.empty(n), np.empty(n), np.empty((n, NEAR))
        none = np.log(edge_weight(stops[r] - starts[r], 6.0))
        total = none
        for i in range(n):
            weight = edge_weight(t[i] - starts[r], 3.0)
            ahead[i] = np.log(weight)
            for j in range(max(0, i - NEAR), i):
                apart[j, i - j - 1] = np.log(gap_weight(max(t[i] - t[j], 0.05), usual_s))
                ahead[i] = _plus(ahead[i], ahead[j] + apart[j, i - j - 1])
            ahead[i] += odds[i]
            total = _plus(total, ahead[i] + np.log(edge_weight(stops[r] - t[i], 4.0)))
        for i in range(n - 1, -1, -1):
            behind[i] = np.log(edge_weight(stops[r] - t[i], 4.0))
            for j in range(i + 1, min(n, i + 1 + NEAR)):
                behind[i] = _plus(behind[i], odds[j] + behind[j] + apart[i, j - i - 1])
            out[low[r] + i] = np.exp(ahead[i] + behind[i] - total)
    return out


@kernel
def _plus(a: float, b: float) -> float:
    """Log of the sum of what two logs stand for."""
    return float(max(a, b) + np.log1p(np.exp(-abs(a - b))))
