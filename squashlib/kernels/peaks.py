"""Peaks of an envelope, and moving means."""

import numpy as np
import numpy.typing as npt

from squashlib.kernels.jit import kernel

Floats = npt.NDArray[np.float64]


@kernel
def magnitude(values: npt.NDArray[np.float32], lead: int, smooth: int) -> Floats:
    """Length of each row of (n, 3) after taking off a moving mean of 2·lead+1 rows (0: nothing), smoothed; (n,)."""
    n = values.shape[0]
    sums = np.zeros((n + 1, 3))
    if lead > 0:
        for i in range(n):
            for k in range(3):
                sums[i + 1, k] = sums[i, k] + values[i, k]
    out = np.empty(n)
    for i in range(n):
        low, high = max(0, i - lead), min(n, i + lead + 1)
        total = 0.0
        for k in range(3):
            value = float(values[i, k])
            if lead > 0:
                value -= (sums[high, k] - sums[low, k]) / (high - low)
            total += value * value
        out[i] = np.sqrt(total)
    return moving_mean(out, smooth)


@kernel
def moving_mean(values: Floats, half: int) -> Floats:
    """Centred mean over 2·half+1 samples, fewer at the edges; (n,)."""
    n = values.size
    sums = np.zeros(n + 1)
    for i in range(n):
        sums[i + 1] = sums[i] + values[i]
    out = np.empty(n)
    for i in range(n):
        low, high = max(0, i - half), min(n, i + half + 1)
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
