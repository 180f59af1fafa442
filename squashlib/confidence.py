"""Intervals of proportions and the quantiles behind them, without the second that importing scipy takes."""

from math import sqrt
from statistics import NormalDist

#: Two-sided 90 % quantiles of the normal law, and for 1 to 4 comparisons at once (Bonferroni).
Z90 = 1.645
Z90_OF = (Z90, 1.960, 2.128, 2.241)
#: Two-sided 95 % quantiles for 1 to 21 comparisons at once (pairs of up to seven games).
Z95_OF = tuple(round(NormalDist().inv_cdf(1 - 0.025 / pairs), 3) for pairs in range(1, 22))
#: The same of Student's t for 1 to 30 degrees of freedom.
T90: tuple[float, ...] = (
    6.314,
    2.920,
    2.353,
    2.132,
    2.015,
    1.943,
    1.895,
    1.860,
    1.833,
    1.812,
    1.796,
    1.782,
    1.771,
    1.761,
    1.753,
)
T90 += (1.746, 1.740, 1.734, 1.729, 1.725, 1.721, 1.717, 1.714, 1.711, 1.708, 1.706, 1.703, 1.701, 1.699, 1.697)


def student90(freedom: int) -> float:
    """Two-sided 90 % quantile of Student's t for `freedom` >= 1 degrees of freedom."""
    return T90[freedom - 1] if freedom <= len(T90) else Z90


def wilson(hits: int, n: int, z: float = Z90) -> list[float]:
    """Wilson's score interval of a proportion (Wilson 1927), 90 % by default."""
    if not n:
        return [0.0, 1.0]
    p = hits / n
    middle, half = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return [round((middle - half) / (1 + z * z / n), 4), round((middle + half) / (1 + z * z / n), 4)]


def difference_interval(a: tuple[int, int], b: tuple[int, int], z: float = Z90) -> list[float]:
    """Interval of the difference of two proportions (hits, n), from Wilson's (Newcombe 1998, method 10)."""
    p, q = a[0] / a[1], b[0] / b[1]
    (l1, u1), (l2, u2) = wilson(*a, z), wilson(*b, z)
    low = p - q - sqrt((p - l1) ** 2 + (u2 - q) ** 2)
    return [round(low, 4), round(p - q + sqrt((u1 - p) ** 2 + (q - l2) ** 2), 4)]
