"""Walk a FIT file's record headers: where every message lies and which definition it follows."""

import numpy as np
import numpy.typing as npt

from squashlib.kernels.jit import kernel

Bytes = npt.NDArray[np.uint8]


def _crc_tables() -> npt.NDArray[np.uint16]:
    """Shape (16, 256): row k is what a byte does to the CRC when k more bytes follow."""
    rows = [np.arange(256, dtype=np.uint16)]
    for _ in range(8):
        rows[0] = np.where(rows[0] & 1, rows[0] >> 1 ^ 0xA001, rows[0] >> 1).astype(np.uint16)
    for _ in range(15):
        rows.append(rows[-1] >> 8 ^ rows[0][rows[-1] & 255])
    return np.stack(rows)


CRC = _crc_tables()


@kernel
def crc16(data: Bytes, start: int, stop: int) -> int:
    """FIT's CRC (CRC-16/ARC) of `data[start:stop]`, sixteen bytes at a time ("slicing", Intel 2006)."""
    part = data[start:stop]
    crc = np.int64(0)
    blocks = part.size // 16
    for block in range(blocks):  # counted by `range`, so that the compiler knows indices are not negative
        i = 16 * block
        later = np.int64(0)
        for j in range(2, 16):
            later ^= CRC[15 - j, part[i + j]]
        crc = later ^ CRC[15, part[i] ^ (crc & 255)] ^ CRC[14, part[i + 1] ^ (crc >> 8)]
    for i in range(16 * blocks, part.size):
        crc = (crc >> 8) ^ CRC[0, part[i] ^ (crc & 255)]
    return int(crc)


@kernel
def walk(  # noqa: C901 - one loop over bytes, split up it would be slower and no clearer
    data: Bytes,
    start: int,
    stop: int,
    places: npt.NDArray[np.int64],
    held: npt.NDArray[np.int64],
    group: npt.NDArray[np.int64],
    slots: npt.NDArray[np.int64],
    offsets: npt.NDArray[np.uint32],
    ranks: npt.NDArray[np.uint32],
) -> tuple[int, int, int, int, int]:
    """Go from header to header; what is filled depends on which arrays are not empty.

    First of all empty, to count. Then `places` (m, 2), where definitions begin and end, and `held` (m,), how many
    messages follow each. Then, with the `group` (m,) of each definition and the next free slot of each group, `offsets`
    and `ranks` (n,): where each message lies and its place in the file.
    Returns n, m, how many times are compressed, the position reached, and 0 or why it stopped early: 1 cut short,
    2 a data message without a definition.
    """
    size = np.zeros(16, np.int64)
    current = np.full(16, -1, np.int64)
    n = 0
    m = 0
    compressed = 0
    at = start
    while at < stop:
        header = data[at]
        if header & 0xC0 == 0x40:
            if at + 6 > stop:
                return n, m, compressed, at, 1
            end = at + 6 + 3 * data[at + 5]
            if end > stop:
                return n, m, compressed, at, 1
            total = 0
            for i in range(at + 7, end, 3):
                total += data[i]
            if header & 0x20:
                if end >= stop:
                    return n, m, compressed, at, 1
                first = end + 1
                end = first + 3 * data[end]
                if end > stop:
                    return n, m, compressed, at, 1
                for i in range(first + 1, end, 3):
                    total += data[i]
            if held.size:
                places[m, 0] = at
                places[m, 1] = end
            size[header & 15] = total
            current[header & 15] = m
            m += 1
            at = end
            continue
        local = (header >> 5) & 3 if header & 0x80 else header & 15
        if current[local] < 0:
            return n, m, compressed, at, 2
        if at + 1 + size[local] > stop:
            return n, m, compressed, at, 1
        compressed += header >> 7
        if held.size:
            held[current[local]] += 1
        if offsets.size:
            slot = slots[group[current[local]]]
            slots[group[current[local]]] = slot + 1
            offsets[slot] = at + 1
            ranks[slot] = n
        n += 1
        at += 1 + size[local]
    return n, m, compressed, at, 0


@kernel
def count_on(stamps: npt.NDArray[np.uint32], ticks: npt.NDArray[np.int8]) -> None:
    """Fill the stamps of messages whose header holds five bits of the time (`ticks`, -1 where not), in place."""
    last = np.int64(-1)
    for i in range(stamps.size):
        if ticks[i] >= 0:
            if last >= 0:
                last += (ticks[i] - last) & 31
                stamps[i] = last
        elif stamps[i] != 0xFFFFFFFF:
            last = np.int64(stamps[i])


@kernel
def gather(data: Bytes, offsets: npt.NDArray[np.uint32], shift: int, out: Bytes) -> None:
    """Copy `out.shape[1]` bytes of every message, from `shift` on; out is (n, size)."""
    for i in range(offsets.size):
        base = np.int64(offsets[i]) + shift
        for j in range(out.shape[1]):
            out[i, j] = data[base + j]
