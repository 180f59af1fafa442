"""From the bytes of motion messages straight to samples in physical units: no copy in between."""

import numpy as np
import numpy.typing as npt

from squashlib.kernels.jit import kernel

#: How an axis is coded: unsigned or signed 16-bit counts, or 32-bit floats.
UNSIGNED, SIGNED, FLOAT = 0, 1, 2


@kernel
def numbers(data: npt.NDArray[np.uint8], code: int, big: bool, out: npt.NDArray[np.float32]) -> None:
    """The numbers that `data` holds from its first byte on, NaN where one is FIT's invalid value."""
    high = 0 if big else 1
    if code == FLOAT:
        words = np.empty(1, np.uint32)
        for i in range(out.size):
            word = np.int64(0)
            for j in range(4):
                word |= np.int64(data[4 * i + j]) << (24 - 8 * j if big else 8 * j)
            words[0] = word
            out[i] = words.view(np.float32)[0]
        return
    invalid = 0x7FFF if code == SIGNED else 0xFFFF
    for i in range(out.size):
        count = np.int64(data[2 * i + high]) << 8 | np.int64(data[2 * i + 1 - high])
        value = count - ((count & 0x8000) << 1) if code == SIGNED else count
        out[i] = np.float32(np.nan) if count == invalid else np.float32(value)


@kernel
def samples(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.uint32],
    began_ms: npt.NDArray[np.float64],
    later: int,
    axes: npt.NDArray[np.int64],
    k: int,
    code: int,
    big: bool,
    which: npt.NDArray[np.int64],
    matrices: npt.NDArray[np.float32],
    zeros: npt.NDArray[np.float32],
    times: npt.NDArray[np.float64],
    values: npt.NDArray[np.float32],
) -> int:
    """Fill `times` (n·k,) and `values` (n·k, 3) with the samples that have a time and any axis.

    `began_ms` (n,) is each message's time; `later` where its `sample_time_offset` lies (ms, 16 bits each; -1 without),
    `axes` (3,) where x, y and z do, k values each. A sample is `matrices[c] · (raw - zeros[c])`, c the message's
    calibration `which` (n,). Returns how many there are.
    """
    turned = False
    for c in range(matrices.shape[0]):
        for i in range(3):
            for j in range(3):
                turned |= i != j and matrices[c, i, j] != 0
    width = 4 if code == FLOAT else 2
    raw, offset_ms = np.empty((3, k), np.float32), np.zeros(k, np.float32)
    n = 0
    for i in range(offsets.size):
        base = np.int64(offsets[i])
        matrix, zero = matrices[which[i]], zeros[which[i]]
        for axis in range(3):
            begin = base + axes[axis]
            numbers(data[begin : begin + width * k], code, big, raw[axis])
        if later >= 0:
            numbers(data[base + later : base + later + 2 * k], UNSIGNED, big, offset_ms)
        missing = False
        for s in range(k):
            time = (began_ms[i] + offset_ms[s]) / 1000.0
            x, y, z = raw[0, s] - zero[0], raw[1, s] - zero[1], raw[2, s] - zero[2]
            missing |= np.isnan(time) | np.isnan(x) & np.isnan(y) & np.isnan(z)
            times[n + s] = time
            if turned:
                for axis in range(3):
                    values[n + s, axis] = matrix[axis, 0] * x + matrix[axis, 1] * y + matrix[axis, 2] * z
            else:
                values[n + s, 0] = matrix[0, 0] * x
                values[n + s, 1] = matrix[1, 1] * y
                values[n + s, 2] = matrix[2, 2] * z
        n = kept(times, values, n, k) if missing else n + k
    return n


@kernel
def kept(times: npt.NDArray[np.float64], values: npt.NDArray[np.float32], n: int, k: int) -> int:
    """Close the gaps that samples without a time or any value leave among the last `k`; returns the new end."""
    for s in range(n, n + k):
        if not (np.isnan(times[s]) or np.isnan(values[s]).all()):
            times[n] = times[s]
            values[n] = values[s]
            n += 1
    return n
