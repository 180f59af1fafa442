"""The envelope of a vector, and its peaks."""

import numpy as np
import numpy.typing as npt

from squashlib.kernels.jit import kernel

Floats = npt.NDArray[np.float64]


@kernel
def known(value: float) -> float:
    """The value, 0 if it is missing."""
    return 0.0 if np.isnan(value) else float(value)


@kernel
def magnitude(values: npt.NDArray[np.float32], lead: int, smooth: int) -> Floats:
    """Length of each row of (n, 3) after taking off a moving mean of 2·lead+1 rows (0: nothing), smoothed; (n,).

    A missing value counts as 0. Both means are over fewer at the edges.
    """
    n = values.shape[0]
    out, sums = np.empty(n), np.empty(n + 1)
    x, y, z, total, share = 0.0, 0.0, 0.0, 0.0, 0.0
    sums[0] = 0.0
    for i in range(min(lead, n)):
        x, y, z = x + known(values[i, 0]), y + known(values[i, 1]), z + known(values[i, 2])
    for i in range(n):
        if lead > 0:
            j, k = i + lead, i - lead - 1
            if j < n:
                x, y, z = x + known(values[j, 0]), y + known(values[j, 1]), z + known(values[j, 2])
            if k >= 0:
                x, y, z = x - known(values[k, 0]), y - known(values[k, 1]), z - known(values[k, 2])
            share = 1.0 / (min(n, j + 1) - max(0, k + 1))
        a, b, c = known(values[i, 0]) - x * share, known(values[i, 1]) - y * share, known(values[i, 2]) - z * share
        total += np.sqrt(a * a + b * b + c * c)
        sums[i + 1] = total
    for i in range(n):
        low, high = max(0, i - smooth), min(n, i + smooth + 1)
        out[i] = (sums[high] - sums[low]) / (high - low)
    return out


@kernel
def pick_peaks(times: Floats, envelope: Floats, apart_s: float, floor: float) -> npt.NDArray[np.int64]:
    """Indices of samples above `floor` that nothing within `apart_s` exceeds (of equals the first)."""
    n = envelope.size
    found = np.empty(n, np.int64)
    m = 0
    left = 0
    for i in range(n):
        if envelope[i] <= floor:
            continue
        while times[left] < times[i] - apart_s:
            left += 1
        best = True
        j = i - 1
        while j >= left and best:
            best = envelope[j] < envelope[i]
            j -= 1
        j = i + 1
        while j < n and times[j] <= times[i] + apart_s and best:
            best = envelope[j] <= envelope[i]
            j += 1
        if best:
            found[m] = i
            m += 1
    return found[:m].copy()
