"""Walk a FIT file's record headers: where every message lies and which definition it follows."""

import numpy as np
import numpy.typing as npt

from squashlib.kernels.jit import kernel

Bytes = npt.NDArray[np.uint8]


@kernel
def crc16(data: Bytes, start: int, stop: int) -> int:
    """FIT's CRC of `data[start:stop]` (nibble table of the FIT protocol)."""
    table = np.array(
        [0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
         0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400], dtype=np.uint32)  # fmt: skip
    wide = np.empty(256, np.uint32)
    for value in range(256):
        crc = table[value & 15]
        crc = (crc >> 4) ^ table[crc & 15] ^ table[value >> 4]
        wide[value] = crc
    crc = np.uint32(0)
    for i in range(start, stop):
        crc = (crc >> np.uint32(8)) ^ wide[(crc ^ data[i]) & np.uint32(255)]
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
