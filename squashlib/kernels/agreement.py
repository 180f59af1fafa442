"""How far sampled segmentations agree: on seconds, on spans, and which disjoint spans are worth most together."""

import numpy as np
import numpy.typing as npt

from squashlib.kernels.jit import kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@kernel
def held_by(starts: Ints, stops: Ints, sample_starts: Ints, sample_stops: Ints, offsets: Ints) -> tuple[Floats, Floats]:
    """Share of samples that hold a span overlapping each given one by half (IoU 0.5), and the mean IoU; both (k,).

    Parameters
    ----------
    starts, stops
        Spans, (k,).
    sample_starts, sample_stops
        Disjoint sorted spans of all samples, one sample after the other, (m,).
    offsets
        Where each sample's spans begin, (N+1,).
    """
    share, mean = np.zeros(starts.size), np.zeros(starts.size)
    samples, last = offsets.size - 1, -1
    for k in range(starts.size):
        last = max(last, starts[k])
    following = np.empty(last + 1, np.int64)  # first span that ends after a second
    for n in range(samples):
        low, high = offsets[n], offsets[n + 1]
        at = low
        for second in range(following.size):
            while at < high and sample_stops[at] <= second:
                at += 1
            following[second] = at
        for k in range(starts.size):
            best, at = 0.0, following[starts[k]]
            while at < high and sample_starts[at] < stops[k]:
                both = min(stops[k], sample_stops[at]) - max(starts[k], sample_starts[at])
                either = max(stops[k], sample_stops[at]) - min(starts[k], sample_starts[at])
                best = max(best, both / either)
                at += 1
            share[k] += best >= 0.5
            mean[k] += best
    for k in range(starts.size):
        share[k] /= max(1, samples)
        mean[k] /= max(1, samples)
    return share, mean


@kernel
def best_disjoint(starts: Ints, stops: Ints, worth: Floats) -> npt.NDArray[np.bool_]:
    """Which spans, sorted by their end, to choose so that none overlap and their worth together is largest; (k,)."""
    n = starts.size
    total, before = np.zeros(n + 1), np.zeros(n, np.int64)
    for k in range(n):
        low, high = 0, k  # how many of the spans before end until this one starts
        while low < high:
            middle = (low + high) // 2
            if stops[middle] <= starts[k]:
                low = middle + 1
            else:
                high = middle
        before[k] = low
        total[k + 1] = max(total[k], total[before[k]] + worth[k])
    chosen = np.zeros(n, np.bool_)
    k = n
    while k > 0:
        if total[k] > total[k - 1]:
            chosen[k - 1] = True
            k = before[k - 1]
        else:
            k -= 1
    return chosen


@kernel
def shares(paths: npt.NDArray[np.int8], states: int) -> Floats:
    """Share of paths (N, T) that hold each state at each second, (T, S)."""
    N, T = paths.shape
    out = np.zeros((T, states))
    for n in range(N):
        for t in range(T):
            out[t, paths[n, t]] += 1.0
    for t in range(T):
        for s in range(states):
            out[t, s] /= max(1, N)
    return out


@kernel
def agreements(paths: npt.NDArray[np.int8], share: Floats) -> Floats:
    """Sum over each path (N, T) of the shares (T, S) of what it holds, (N,)."""
    N, T = paths.shape
    out = np.zeros(N)
    for n in range(N):
        for t in range(T):
            out[n] += share[t, paths[n, t]]
    return out
