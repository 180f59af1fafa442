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
def best_path(
    cumulative: Floats, duration: Floats, longest: Ints, change: Floats, first: Floats, last: Floats, ends: Floats
) -> Ints:
    """State of every second on the most probable path, (T,)."""
    T, S = cumulative.shape[0] - 1, cumulative.shape[1]
    score = np.full((T + 1, S), -np.inf)
    came = np.zeros((T + 1, S), np.int64)
    entered = np.empty((T + 1, S))
    entry = np.zeros((T + 1, S), np.int64)
    for s in range(S):
        entered[0, s] = first[s]
        entry[0, s] = -1
    for t in range(1, T + 1):
        for s in range(S):
            best, where = -np.inf, 0
            for d in range(1, min(longest[s], t) + 1):
                value = entered[t - d, s] - cumulative[t - d, s] + duration[d, s]
                if value > best:
                    best, where = value, d
            score[t, s] = best + cumulative[t, s] + ends[t, s]
            came[t, s] = where
        for s in range(S):
            best, where = -np.inf, 0
            for r in range(S):
                value = score[t, r] + change[r, s]
                if value > best:
                    best, where = value, r
            entered[t, s] = best
            entry[t, s] = where
    path = np.zeros(T, np.int64)
    s = 0
    for r in range(S):
        if score[T, r] + last[r] > score[T, s] + last[s]:
            s = r
    t = T
    while t > 0:
        d = max(1, came[t, s])
        path[t - d : t] = s
        t -= d
        s = entry[t, s]
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

    Sums over durations are kept below a fixed range under the largest term, which costs less than 1e-12.
    """
    T, S = cumulative.shape[0] - 1, cumulative.shape[1]
    score = np.full((T + 1, S), -np.inf)
    entered = np.full((T + 1, S), -np.inf)
    entered[0] = first
    for t in range(1, T + 1):
        for s in range(S):
            top = -np.inf
            for d in range(1, min(longest[s], t) + 1):
                value = entered[t - d, s] - cumulative[t - d, s] + duration[d, s]
                if value > top:
                    top = value
            if top > -np.inf:
                total = 0.0
                for d in range(1, min(longest[s], t) + 1):
                    value = entered[t - d, s] - cumulative[t - d, s] + duration[d, s] - top
                    if value > -32.0:
                        total += np.exp(value)
                score[t, s] = top + np.log(total) + cumulative[t, s] + ends[t, s]
        for s in range(S):
            entered[t, s] = log_sum(score[t] + change[:, s])
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
    weights = np.empty(S)
    for n in range(N):
        t, used = T, 1
        for r in range(S):
            weights[r] = score[T, r] + last[r]
        s = _draw(weights, uniform[n, 0])
        while t > 0:
            D = min(longest[s], t)
            steps = np.empty(D)
            for d in range(1, D + 1):
                steps[d - 1] = entered[t - d, s] - cumulative[t - d, s] + duration[d, s]
            d = _draw(steps, uniform[n, used]) + 1
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
    """Index drawn with probability proportional to exp(weights)."""
    top = -np.inf
    for value in weights:
        top = max(top, value)
    total = 0.0
    for value in weights:
        if value - top > -32.0:
            total += np.exp(value - top)
    left = u * total
    chosen = 0
    for i in range(weights.size):
        if weights[i] - top > -32.0:
            chosen = i
            left -= np.exp(weights[i] - top)
            if left < 0:
                return i
    return chosen
