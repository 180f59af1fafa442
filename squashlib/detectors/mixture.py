"""Two kinds in one heap: a mixture of two normal laws."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def strong_kind(x: Floats) -> Floats:
    """Probability of the upper of two normal laws with one spread each, by expectation-maximisation; (n,)."""
    if len(x) < 8:
        return np.zeros(len(x))
    low, high = float(np.quantile(x, 0.3)), float(np.quantile(x, 0.95))
    spread_low = spread_high = max(float(x.std()) / 2, 1e-3)
    share = 0.3
    p = np.zeros(len(x))
    for _ in range(40):
        a = np.log(share) - np.log(spread_high) - 0.5 * ((x - high) / spread_high) ** 2
        b = np.log(1 - share) - np.log(spread_low) - 0.5 * ((x - low) / spread_low) ** 2
        p = 1 / (1 + np.exp(np.clip(b - a, -60, 60)))
        share = float(np.clip(p.mean(), 0.02, 0.9))
        high, low = float((p * x).sum() / p.sum()), float(((1 - p) * x).sum() / max((1 - p).sum(), 1e-9))
        spread_high = max(float(np.sqrt((p * (x - high) ** 2).sum() / p.sum())), 0.12)
        spread_low = max(float(np.sqrt(((1 - p) * (x - low) ** 2).sum() / max((1 - p).sum(), 1e-9))), 0.12)
    if high - low < 0.5 * (spread_high + spread_low):
        return np.zeros(len(x))  # one kind only
    p[x > high] = np.maximum.accumulate(p[np.argsort(x)])[np.argsort(np.argsort(x))][x > high]
    return np.asarray(np.where(x < low, 0.0, p))
