"""Probabilities from log odds, and two kinds in one heap."""

import numpy as np
import numpy.typing as npt

from squashlib.kernels.jit import kernel

Floats = npt.NDArray[np.float64]


@kernel
def logistic(x: float) -> float:
    """1 / (1 + exp(-x))."""
    return float(1.0 / (1.0 + np.exp(-x)))


@kernel
def sum_shifted(odds: Floats, shift: float) -> float:
    """Sum of the probabilities that log odds (k,) stand for when all are shifted."""
    total = 0.0
    for x in odds:
        total += logistic(min(max(x + shift, -50.0), 50.0))
    return total


@kernel
def two_kinds(x: Floats, low: float, high: float, spread: float, least: float, rounds: int) -> tuple[Floats, Floats]:
    """Mixture of two normal laws by expectation-maximisation.

    Parameters
    ----------
    x
        Values, (n,).
    low, high, spread
        Means and common spread to begin with.
    least
        No spread gets smaller.

    Returns
    -------
    p, laws
        Probability of the upper law for each value (n,); mean and spread of the upper, then of the lower law, (4,).
    """
    n = x.size
    p = np.zeros(n)
    share, above, below = 0.3, spread, spread
    for _ in range(rounds):
        shift_a, shift_b = np.log(share) - np.log(above), np.log(1.0 - share) - np.log(below)
        total, first, rest = 0.0, 0.0, 0.0
        for i in range(n):
            a = shift_a - 0.5 * ((x[i] - high) / above) ** 2
            b = shift_b - 0.5 * ((x[i] - low) / below) ** 2
            p[i] = logistic(min(max(a - b, -60.0), 60.0))
            total += p[i]
            first += p[i] * x[i]
            rest += (1.0 - p[i]) * x[i]
        share = min(max(total / n, 0.02), 0.9)
        high, low = first / total, rest / max(n - total, 1e-9)
        first, rest = 0.0, 0.0
        for i in range(n):
            first += p[i] * (x[i] - high) ** 2
            rest += (1.0 - p[i]) * (x[i] - low) ** 2
        above = max(np.sqrt(first / total), least)
        below = max(np.sqrt(rest / max(n - total, 1e-9)), least)
    return p, np.array([high, above, low, below])
