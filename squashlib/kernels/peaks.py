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
    return moving_mean(lengths(values, lead), smooth)


@kernel
def lengths(values: npt.NDArray[np.float32], lead: int) -> Floats:
    """Length of each row less the moving mean, (n,). Away from the edges no row asks how many its mean is of."""
    n, width = values.shape[0], 2 * lead + 1
    out = np.empty(n)
    for i in range(min(n, lead)):
        out[i] = length_at(values, i, lead)
    for i in range(max(min(n, lead), n - lead - 1), n):
        out[i] = length_at(values, i, lead)
    x, y, z = 0.0, 0.0, 0.0
    for i in range(min(n, width)):
        x, y, z = x + known(values[i, 0]), y + known(values[i, 1]), z + known(values[i, 2])
    share = 1.0 / width if lead > 0 else 0.0
    middle, coming, inside = values[lead:], values[width:], out[lead:]
    for i in range(n - width):
        a, b, c = known(middle[i, 0]) - x * share, known(middle[i, 1]) - y * share, known(middle[i, 2]) - z * share
        inside[i] = np.sqrt(a * a + b * b + c * c)
        x += known(coming[i, 0]) - known(values[i, 0])
        y += known(coming[i, 1]) - known(values[i, 1])
        z += known(coming[i, 2]) - known(values[i, 2])
    return out


@kernel
def length_at(values: npt.NDArray[np.float32], i: int, lead: int) -> float:
    """Length of row `i` less the mean of the rows around it."""
    low, high = max(0, i - lead), min(values.shape[0], i + lead + 1)
    total = 0.0
    for k in range(3):
        around = 0.0
        if lead > 0:
            for j in range(low, high):
                around += known(values[j, k])
        total += (known(values[i, k]) - around / (high - low)) ** 2
    return float(np.sqrt(total))


@kernel
def moving_mean(values: Floats, half: int) -> Floats:
    """Centred mean over 2·half+1 samples, fewer at the edges; (n,)."""
    n, width = values.size, 2 * half + 1
    out = np.empty(n)
    for i in range(min(n, half)):
        out[i] = mean_at(values, i, half)
    for i in range(max(min(n, half), n - half - 1), n):
        out[i] = mean_at(values, i, half)
    total = 0.0
    for i in range(min(n, width)):
        total += values[i]
    coming, inside = values[width:], out[half:]
    for i in range(n - width):
        inside[i] = total / width
        total += coming[i] - values[i]
    return out


@kernel
def mean_at(values: Floats, i: int, half: int) -> float:
    """Mean of the samples around `i`."""
    total, low, high = 0.0, max(0, i - half), min(values.size, i + half + 1)
    for j in range(low, high):
        total += values[j]
    return total / (high - low)


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
