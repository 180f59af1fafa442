"""What a peak of an envelope looks like: how wide it is, how lonely, how straight the movement, how hard the jolt."""

import numpy as np
import numpy.typing as npt

from squashlib.kernels.jit import kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@kernel
def first_from(times: Floats, time: float) -> int:
    """Index of the first of sorted times that is not before `time`."""
    low, high = 0, times.size
    while low < high:
        middle = (low + high) // 2
        if times[middle] < time:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def largest_near(times: Floats, values: Floats, centres: Floats, low_s: float, high_s: float) -> Floats:
    """Largest value with `centre + low_s <= time < centre + high_s` for each centre, 0 without any; (k,)."""
    n = times.size
    out = np.zeros(centres.size)
    for k in range(centres.size):
        i = first_from(times, centres[k] + low_s)
        while i < n and times[i] < centres[k] + high_s:
            out[k] = max(out[k], values[i])
            i += 1
    return out


@kernel
def half_widths(times: Floats, envelope: Floats, at: Ints, longest_s: float) -> Floats:
    """Time that the envelope stays above half of each peak's height around it, at most `longest_s` a side; (k,)."""
    n = envelope.size
    out = np.zeros(at.size)
    for k in range(at.size):
        half = envelope[at[k]] / 2
        i = at[k]
        while i > 0 and envelope[i] > half and times[at[k]] - times[i] < longest_s:
            i -= 1
        j = at[k]
        while j < n - 1 and envelope[j] > half and times[j] - times[at[k]] < longest_s:
            j += 1
        out[k] = times[j] - times[i]
    return out


@kernel
def directions(
    times: Floats, vectors: npt.NDArray[np.float32], centres: Floats, half_s: float
) -> tuple[Floats, Floats]:
    """Unit vector (k, 3) of the mean of (n, 3) vectors around each centre, and its length over their mean length (k,).

    The second is 1 where all point the same way and near 0 where they cancel.
    """
    n = times.size
    out = np.zeros((centres.size, 3))
    straight = np.zeros(centres.size)
    for k in range(centres.size):
        i = first_from(times, centres[k] - half_s)
        length = 0.0
        while i < n and times[i] <= centres[k] + half_s:
            size = 0.0
            for a in range(3):
                value = float(vectors[i, a])
                if np.isfinite(value):
                    out[k, a] += value
                    size += value * value
            length += np.sqrt(size)
            i += 1
        total = np.sqrt(out[k, 0] ** 2 + out[k, 1] ** 2 + out[k, 2] ** 2)
        if total > 0.0:
            straight[k] = total / length
            for a in range(3):
                out[k, a] /= total
    return out, straight


@kernel
def jolts(values: npt.NDArray[np.float32]) -> Floats:
    """Length of the step from each row of (n, 3) to the next, 0 for the first and for missing ones; (n,)."""
    out = np.zeros(values.shape[0])
    for i in range(1, values.shape[0]):
        total = 0.0
        for a in range(3):
            total += (float(values[i, a]) - float(values[i - 1, a])) ** 2
        if np.isfinite(total):
            out[i] = np.sqrt(total)
    return out
