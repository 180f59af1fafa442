"""Explicit-duration (semi-Markov) decoding: best path, posterior and sampled paths.

Letters: T seconds, S states, D longest duration. `cumulative` (T+1, S) sums log emissions, `duration` (D+1, S) is log
probabilities of durations (index 0 unused), `change` (S, S) log transitions, `first` and `last` (S,) log weights of
beginning and ending in a state, `ends` (T+1, S) log weights of a segment of that state ending just before a second.
All use -inf for 'impossible'. `longest` (S,) bounds each state's duration.
"""

import numpy as np
import numpy.typing as npt

from squashlib.kernels.jit import kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@kernel
def reach(times: Ints, t: int, longest: int) -> tuple[int, int]:
    """Shortest and longest duration of a segment that ends at `t` and began at a possible time; (low, high)."""
    return max(1, t - times[1]), min(longest, t - times[0])


@kernel
def followed(change: Floats) -> npt.NDArray[np.bool_]:
    """Which states another may follow, (S,); a segment of one that nothing follows ends with the session."""
    out = np.zeros(change.shape[0], np.bool_)
    for s in range(change.shape[0]):
        out[s] = change[s].max() > -np.inf
    return out


@kernel
def best_path(
    cumulative: Floats, duration: Floats, longest: Ints, change: Floats, first: Floats, last: Floats, ends: Floats
) -> Ints:
    """State of every second on the most probable path, (T,)."""
    T, S = cumulative.shape[0] - 1, cumulative.shape[1]
    lasting, goes_on = np.ascontiguousarray(duration.T), followed(change)
    score = np.full((S, T + 1), -np.inf)
    came = np.zeros((S, T + 1), np.int32)
    begun = np.full((S, T + 1), -np.inf)  # weight of entering a state at T - t, less its cumulative emissions
    entry = np.zeros((S, T + 1), np.int8)
    possible = np.empty((S, 2), np.int64)  # first and last time at which a state may begin
    possible[:, 0], possible[:, 1] = T, -1
    for s in range(S):
        begun[s, T] = first[s]
        if first[s] > -np.inf:
            possible[s] = 0
    for t in range(1, T + 1):
        for s in range(S):
            if t < T and not goes_on[s]:
                continue
            low, high = reach(possible[s], t, longest[s])
            best, where = -np.inf, 0
            for d in range(low, high + 1):
                value = begun[s, T - t + d] + lasting[s, d]
                if value > best:
                    best, where = value, d
            score[s, t] = best + cumulative[t, s] + ends[t, s]
            came[s, t] = where
        for s in range(S):
            best, where = -np.inf, 0
            for r in range(S):
                value = score[r, t] + change[r, s]
                if value > best:
                    best, where = value, r
            begun[s, T - t] = best - cumulative[t, s]
            entry[s, t] = where
            if best > -np.inf:
                possible[s, 0], possible[s, 1] = min(possible[s, 0], t), t
    s = 0
    for r in range(S):
        if score[r, T] + last[r] > score[s, T] + last[s]:
            s = r
    return traced(came, entry, s)


@kernel
def traced(came: npt.NDArray[np.int32], entry: npt.NDArray[np.int8], s: int) -> Ints:
    """The path back from state `s` at the end: how long each state had lasted (S, T+1), and which was before it."""
    t = came.shape[1] - 1
    path = np.zeros(t, np.int64)
    while t > 0:
        d = max(1, came[s, t])
        path[t - d : t] = s
        t -= d
        s = entry[s, t]
    return path


@kernel
def log_sum(values: Floats) -> float:
    """Log of the sum of exp(values), (n,)."""
    top = -np.inf
    for value in values:
        top = max(top, value)
    if top == -np.inf:
        return top
    total = 0.0
    for value in values:
        total += np.exp(value - top)
    return float(top + np.log(total))


@kernel
def forward(
    cumulative: Floats, duration: Floats, longest: Ints, change: Floats, first: Floats, ends: Floats
) -> tuple[Floats, Floats]:
    """Log weights of all ways to end a segment before t, and to enter a state at t; both (T+1, S).

    Sums over durations are kept below a fixed range under the largest term, which costs less than 1e-9.
    """
    T, S = cumulative.shape[0] - 1, cumulative.shape[1]
    lasting, goes_on = np.ascontiguousarray(duration.T), followed(change)
    score = np.full((T + 1, S), -np.inf)
    entered = np.full((T + 1, S), -np.inf)
    begun = np.full((S, T + 1), -np.inf)
    possible = np.empty((S, 2), np.int64)
    possible[:, 0], possible[:, 1] = T, -1
    entered[0] = first
    for s in range(S):
        begun[s, T] = first[s]
        if first[s] > -np.inf:
            possible[s] = 0
    values, ways = np.empty(longest.max() + 1), np.empty(S)
    for t in range(1, T + 1):
        for s in range(S):
            if t < T and not goes_on[s]:
                continue
            low, high = reach(possible[s], t, longest[s])
            top = -np.inf
            for d in range(low, high + 1):
                values[d] = begun[s, T - t + d] + lasting[s, d]
                top = max(top, values[d])
            if top > -np.inf:
                total = 0.0
                for d in range(low, high + 1):
                    if values[d] - top > -24.0:
                        total += np.exp(values[d] - top)
                score[t, s] = top + np.log(total) + cumulative[t, s] + ends[t, s]
        for s in range(S):
            for r in range(S):
                ways[r] = score[t, r] + change[r, s]
            entered[t, s] = log_sum(ways)
            begun[s, T - t] = entered[t, s] - cumulative[t, s]
            if entered[t, s] > -np.inf:
                possible[s, 0], possible[s, 1] = min(possible[s, 0], t), t
    return score, entered


@kernel
def sample_paths(
    cumulative: Floats,
    duration: Floats,
    longest: Ints,
    change: Floats,
    last: Floats,
    score: Floats,
    entered: Floats,
    uniform: Floats,
) -> npt.NDArray[np.int8]:
    """Draw paths (N, T) from the posterior, backwards from `forward`; `uniform` is (N, 2T+2) in [0, 1)."""
    T, S = cumulative.shape[0] - 1, cumulative.shape[1]
    N = uniform.shape[0]
    paths = np.zeros((N, T), np.int8)
    lasting = np.ascontiguousarray(duration.T)
    begun = np.ascontiguousarray((entered - cumulative)[::-1].T)  # of a state at T - t
    weights, steps = np.empty(S), np.empty(longest.max())
    for n in range(N):
        t, used = T, 1
        for r in range(S):
            weights[r] = score[T, r] + last[r]
        s = _draw(weights, uniform[n, 0])
        while t > 0:
            D = min(longest[s], t)
            for d in range(1, D + 1):
                steps[d - 1] = begun[s, T - t + d] + lasting[s, d]
            d = _draw(steps[:D], uniform[n, used]) + 1
            paths[n, t - d : t] = s
            t -= d
            if t > 0:
                for r in range(S):
                    weights[r] = score[t, r] + change[r, s]
                s = _draw(weights, uniform[n, used + 1])
            used += 2
    return paths


@kernel
def _draw(weights: Floats, u: float) -> int:
    """Index drawn with probability proportional to exp(weights), which take the weights' place."""
    top = -np.inf
    for value in weights:
        top = max(top, value)
    total = 0.0
    for i in range(weights.size):
        weights[i] = np.exp(weights[i] - top) if weights[i] - top > -32.0 else 0.0
        total += weights[i]
    left = u * total
    chosen = 0
    for i in range(weights.size):
        if weights[i] > 0.0:
            chosen = i
            left -= weights[i]
            if left < 0:
                return i
    return chosen
