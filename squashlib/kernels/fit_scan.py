"""Walk a FIT file's record headers: where every message lies and which definition it follows."""

import numpy as np
import numpy.typing as npt

from squashlib.kernels.jit import kernel

Bytes = npt.NDArray[np.uint8]


@kernel
def crc16(data: Bytes, start: int, stop: int) -> int:
    """FIT's CRC (CRC-16/ARC) of `data[start:stop]`, eight bytes at a time ("slicing by eight", Intel 2006)."""
    table = np.empty((8, 256), np.int64)
    for value in range(256):
        crc = np.int64(value)
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
        table[0, value] = crc
    for k in range(1, 8):
        for value in range(256):
            before = table[k - 1, value]
            table[k, value] = (before >> 8) ^ table[0, before & 255]
    crc = np.int64(0)
    i = start
    while i + 8 <= stop:
        low, high = np.int64(data[i]) ^ (crc & 255), np.int64(data[i + 1]) ^ (crc >> 8)
        crc = (
            table[7, low] ^ table[6, high] ^ table[5, data[i + 2]] ^ table[4, data[i + 3]]
            ^ table[3, data[i + 4]] ^ table[2, data[i + 5]] ^ table[1, data[i + 6]]
            ^ table[0, data[i + 7]]
        )  # fmt: skip
        i += 8
    while i < stop:
        crc = (crc >> 8) ^ table[0, (crc ^ np.int64(data[i])) & 255]
        i += 1
    return int(crc)


@kernel
def scan(  # noqa: C901 - one loop over bytes, split up it would be slower and no clearer
    data: Bytes,
    start: int,
    stop: int,
    offsets: npt.NDArray[np.int64],
    kinds: npt.NDArray[np.int32],
    ticks: npt.NDArray[np.int16],
    definitions: npt.NDArray[np.int64],
) -> tuple[int, int, int, int]:
    """Fill message offsets (n,), their definition's index (n,), the compressed time (n,; -1 none) and definitions (m,).

    Arrays may be of length 0 to count alone. Returns n, m, the position reached, and 0 or why it stopped early:
    1 cut short, 2 a data message without a definition.
    """  # fmt: skip
    size = np.zeros(16, np.int64)
    current = np.full(16, -1, np.int32)
    n = 0
    m = 0
    at = start
    while at < stop:
        header = data[at]
        if header & 0x80:
            local = (header >> 5) & 3
            tick = np.int16(header & 31)
        else:
            local = header & 15
            tick = np.int16(-1)
        if not header & 0x80 and header & 0x40:
            if at + 6 > stop:
                return n, m, at, 1
            fields = data[at + 5]
            end = at + 6 + 3 * fields
            if end > stop:
                return n, m, at, 1
            total = 0
            for i in range(fields):
                total += data[at + 7 + 3 * i]
            if header & 0x20:
                if end >= stop:
                    return n, m, at, 1
                extra = data[end]
                if end + 1 + 3 * extra > stop:
                    return n, m, at, 1
                for i in range(extra):
                    total += data[end + 2 + 3 * i]
                end += 1 + 3 * extra
            if m < definitions.size:
                definitions[m] = at
            size[local] = total
            current[local] = m
            m += 1
            at = end
            continue
        if current[local] < 0:
            return n, m, at, 2
        if at + 1 + size[local] > stop:
            return n, m, at, 1
        if n < offsets.size:
            offsets[n] = at + 1
            kinds[n] = current[local]
            ticks[n] = tick
        n += 1
        at += 1 + size[local]
    return n, m, at, 0


@kernel
def gather(data: Bytes, offsets: npt.NDArray[np.int64], shift: int, out: Bytes) -> None:
    """Copy `out.shape[1]` bytes of every message, from `shift` on; out is (n, size)."""
    for i in range(offsets.size):
        base = offsets[i] + shift
        for j in range(out.shape[1]):
            out[i, j] = data[base + j]
