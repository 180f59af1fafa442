"""Slow, obvious versions of the kernels."""

from itertools import pairwise, product

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


def ways_to_the_end(cumulative, duration, longest, change, first, last, ends, join):  # type: ignore[no-untyped-def]
    """All paths' weights put together by `join` (max, or log of the sum), second by second over every duration."""
    T, S = cumulative.shape[0] - 1, cumulative.shape[1]
    begun, ended = np.full((T + 1, S), -np.inf), np.full((T + 1, S), -np.inf)
    begun[0] = first
    for t in range(1, T + 1):
        for s in range(S):
            ways = [begun[t - d, s] + duration[d, s] - cumulative[t - d, s] for d in range(1, min(t, longest[s]) + 1)]
            ended[t, s] = join(ways) + cumulative[t, s] + ends[t, s]
        begun[t] = [join(ended[t] + change[:, s]) for s in range(S)]
    return join(ended[T] + last)


def weight_of(path, cumulative, duration, change, first, last, ends):  # type: ignore[no-untyped-def]
    """Weight of one path, (T,)."""
    stops = [*(np.flatnonzero(np.diff(path)) + 1), len(path)]
    total, start, before = first[path[0]], 0, None
    for stop in map(int, stops):
        s = path[start]
        total += 0.0 if before is None else change[before, s]
        total += duration[stop - start, s] + cumulative[stop, s] - cumulative[start, s] + ends[stop, s]
        start, before = stop, s
    return total + last[before]


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


def half_width(times, envelope, at, longest_s):  # type: ignore[no-untyped-def]
    """Time around a peak in which the envelope stays above half of it, the first sample below on either side."""
    half = envelope[at] / 2
    low = next((i for i in range(at, -1, -1) if envelope[i] <= half or times[at] - times[i] >= longest_s), 0)
    last = len(times) - 1
    high = next((i for i in range(at, last + 1) if envelope[i] <= half or times[i] - times[at] >= longest_s), last)
    return times[high] - times[low]


def stroke_marginals(times, log_odds, start, stop, usual_s, gap_weight, edge_weight):  # type: ignore[no-untyped-def]
    """Every subset of a rally's swings weighed: looks, distances between, and distances to the rally's edges."""
    total, each = 0.0, np.zeros(len(times))
    for chosen in product((False, True), repeat=len(times)):
        held = np.flatnonzero(chosen)
        if len(held):
            weight = edge_weight(times[held[0]] - start, 3.0) * edge_weight(stop - times[held[-1]], 4.0)
            weight *= np.exp(log_odds[held].sum())
            for gap in np.diff(times[held]):
                weight *= gap_weight(max(gap, 0.05), usual_s)
        else:
            weight = edge_weight(stop - start, 6.0)
        total += weight
        each[held] += weight
    return each / total


def best_disjoint(starts, stops, worth):  # type: ignore[no-untyped-def]
    """Largest worth of a choice of spans that do not overlap, every choice tried."""
    best = 0.0
    for chosen in product((False, True), repeat=len(starts)):
        held = sorted((starts[i], stops[i], worth[i]) for i in np.flatnonzero(chosen))
        if all(a[1] <= b[0] for a, b in pairwise(held)):
            best = max(best, sum(row[2] for row in held))
    return best


def overlap(a, b):  # type: ignore[no-untyped-def]
    """Intersection over union of two spans."""
    both = max(0, min(a[1], b[1]) - max(a[0], b[0]))
    return both / (a[1] - a[0] + b[1] - b[0] - both)


def messages(data, start, stop):  # type: ignore[no-untyped-def]
    """FIT data messages of one file, one after the other: (offset, place of its definition among all)."""
    known, found, definitions, at = {}, [], 0, start
    while at < stop:
        header = data[at]
        if header & 0xC0 == 0x40:
            sizes = list(data[at + 7 : at + 6 + 3 * data[at + 5] : 3])
            at += 6 + 3 * data[at + 5]
            if header & 0x20:
                sizes += list(data[at + 2 : at + 1 + 3 * data[at] : 3])
                at += 1 + 3 * data[at]
            known[header & 15] = (definitions, sum(sizes))
            definitions += 1
        else:
            definition, size = known[(header >> 5) & 3 if header & 0x80 else header & 15]
            found.append((at + 1, definition))
            at += 1 + size
    return found


def magnitude(values, lead, smooth):  # type: ignore[no-untyped-def]
    """Length of each row less the mean of the rows around it, then the mean of the lengths around each."""
    values = np.nan_to_num(np.asarray(values, float))
    near = [values[max(0, i - lead) : i + lead + 1].mean(axis=0) * (lead > 0) for i in range(len(values))]
    lengths = np.linalg.norm(values - np.reshape(near, values.shape), axis=1)
    return np.array([lengths[max(0, i - smooth) : i + smooth + 1].mean() for i in range(len(values))])
