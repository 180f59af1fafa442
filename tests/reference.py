"""Slow, obvious versions of the kernels."""

from itertools import product

import numpy as np


def crc16(data: bytes) -> int:
    """Bit by bit: CRC-16/ARC, which FIT uses."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return crc


def all_paths(cumulative, duration, longest, change, first, last, ends):  # type: ignore[no-untyped-def]
    """Log weight of every segmentation of T seconds: {path of (state, length): weight}."""
    T, S = cumulative.shape[0] - 1, cumulative.shape[1]
    found = {}
    for cuts in product((0, 1), repeat=T - 1):
        bounds = [0, *(i + 1 for i, cut in enumerate(cuts) if cut), T]
        lengths = np.diff(bounds)
        for states in product(range(S), repeat=len(lengths)):
            weight = first[states[0]] + last[states[-1]]
            for i, (s, d) in enumerate(zip(states, lengths, strict=True)):
                if d > longest[s]:
                    weight = -np.inf
                    break
                a, b = bounds[i], bounds[i + 1]
                weight += cumulative[b, s] - cumulative[a, s] + duration[d, s] + ends[b, s]
                if i:
                    weight += change[states[i - 1], s]
            found[tuple(zip(states, lengths.tolist(), strict=True))] = weight
    return found


def peaks(times, envelope, apart_s, floor):  # type: ignore[no-untyped-def]
    """Samples above the floor that nothing near exceeds; of equals the first."""
    found = []
    for i in range(len(times)):
        near = [j for j in range(len(times)) if j != i and abs(times[j] - times[i]) <= apart_s]
        if envelope[i] > floor and all(
            envelope[j] < envelope[i] or (j > i and envelope[j] == envelope[i]) for j in near
        ):
            found.append(i)
    return found
