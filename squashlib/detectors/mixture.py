"""Two kinds in one heap: a mixture of two normal laws."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

ROUNDS = 40
NARROWEST = 0.12


def strong_kind(x: Floats) -> Floats:
    """Probability of the upper of two normal laws with one spread each, by expectation-maximisation; (n,)."""
    from squashlib.kernels.logistic import two_kinds

    if len(x) < 8:
        return np.zeros(len(x))
    low, high = float(np.quantile(x, 0.3)), float(np.quantile(x, 0.95))
    spread = max(float(x.std()) / 2, 1e-3)
    p, (high, spread_high, low, spread_low) = two_kinds(x, low, high, spread, NARROWEST, ROUNDS)
    if high - low < 0.5 * (spread_high + spread_low):
        return np.zeros(len(x))  # one kind only
    p[x > high] = np.maximum.accumulate(p[np.argsort(x)])[np.argsort(np.argsort(x))][x > high]
    return np.asarray(np.where(x < low, 0.0, p))
