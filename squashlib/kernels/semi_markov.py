"""Explicit-duration (semi-Markov) decoding: best path, posterior and sampled paths.

Letters: T seconds, S states, D longest duration. `cumulative` (T+1, S) sums log emissions, `duration` (D+1, S) is log
probabilities of durations (index 0 unused), `change` (S, S) log transitions, `first` and `last` (S,) log weights of
beginning and ending in a state, `ends` (T+1, S) log weights of a segment of that state ending just before a second.
All use -inf for 'impossible'. `longest` (S,) bounds each state's duration.

Segments that end at a second can begin at hundreds of others, of which few matter. Beginnings are therefore looked at
in blocks, and a block is passed over where its highest weight and its likeliest duration together cannot matter: the
results are the same to the last bit.
"""

import numpy as np
import numpy.typing as npt

from squashlib.kernels.jit import kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SHIFT = 4
BLOCK = 1 << SHIFT


@kernel
def reach(times: Ints, t: int, longest: int) -> tuple[int, int]:
    """Shortest and longest duration of a segment that ends at `t` and began at a possible time; (low, high)."""
    return max(1, t - times[1]), min(longest, t - times[0])


@kernel
def followed(change: Floats) -> npt.NDArray[np.bool_]:
    """Whether anything follows each state, (S,); a segment of one that nothing follows ends with the session."""
    out = np.zeros(change.shape[0], np.bool_)
    for s in range(change.shape[0]):
        out[s] = change[s].max() > -np.inf
    return out


@kernel
def near_maxima(duration: Floats) -> Floats:
    """For each state and duration the highest weight from there on through one block's length; (S, D+1)."""
    D, S = duration.shape[0] - 1, duration.shape[1]
    out = np.full((S, D + 1), -np.inf)
    for s in range(S):
        for d in range(D + 1):
            out[s, d] = duration[d : min(D + 1, d + BLOCK), s].max()
    return out


@kernel
def likeliest(
    begun: Floats, lasting: Floats, highest: Floats, near: Floats, t: int, low: int, high: int, guess: int
) -> tuple[float, int]:
    """Highest weight of one state's segment that ends at `t` and lasts `low` to `high`, and how long it lasts.

    `begun` (T+1,) are weights of beginnings, `highest` (blocks,) the highest of each block of them. `guess` is a
    duration to begin with: the better it is, the more is passed over. Of equals the shortest segment is taken.
    """
    where = min(max(guess, low), high)
    best = begun[t - where] + lasting[where] if low <= high else -np.inf
    latest = t - low
    while latest >= t - high:
        earliest = max(t - high, latest & -BLOCK)
        if highest[latest >> SHIFT] + near[t - latest] >= best:
            for d in range(t - latest, t - earliest + 1):
                value = begun[t - d] + lasting[d]
                if value > best or (value == best and d < where):
                    best, where = value, d
        latest = earliest - 1
    return best, where


@kernel
def best_path(
    cumulative: Floats, duration: Floats, longest: Ints, change: Floats, first: Floats, last: Floats, ends: Floats
) -> Ints:
    """State of every second on the most probable path, (T,)."""
    T, S = cumulative.shape[0] - 1, cumulative.shape[1]
    lasting, near, goes_on = np.ascontiguousarray(duration.T), near_maxima(duration), followed(change)
    score = np.full((S, T + 1), -np.inf)
    came = np.zeros((S, T + 1), np.int32)
    begun = np.full((S, T + 1), -np.inf)  # weight of entering a state at t, less its cumulative emissions
    highest = np.full((S, T // BLOCK + 1), -np.inf)
    entry = np.zeros((S, T + 1), np.int8)
    possible = np.empty((S, 2), np.int64)  # first and last time at which a state may begin
    possible[:, 0], possible[:, 1] = T, -1
    for s in range(S):
        begun[s, 0] = highest[s, 0] = first[s]
        if first[s] > -np.inf:
            possible[s] = 0
    for t in range(1, T + 1):
        for s in range(S):
            if t < T and not goes_on[s]:
                continue
            low, high = reach(possible[s], t, longest[s])
            best, where = likeliest(begun[s], lasting[s], highest[s], near[s], t, low, high, came[s, t - 1] + 1)
            score[s, t] = best + cumulative[t, s] + ends[t, s]
            came[s, t] = where
        for s in range(S):
            best, where = -np.inf, 0
            for r in range(S):
                value = score[r, t] + change[r, s]
                if value > best:
                    best, where = value, r
            begun[s, t] = best - cumulative[t, s]
            highest[s, t >> SHIFT] = max(highest[s, t >> SHIFT], begun[s, t])
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
def log_entered(score: Floats, change: Floats, t: int, s: int) -> float:
    """Log of the sum of all ways to enter state `s` at `t`."""
    top = -np.inf
    for r in range(change.shape[0]):
        top = max(top, score[t, r] + change[r, s])
    if top == -np.inf:
        return top
    total = 0.0
    for r in range(change.shape[0]):
        value = score[t, r] + change[r, s]
        if value > -np.inf:
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
    lasting, near, goes_on = np.ascontiguousarray(duration.T), near_maxima(duration), followed(change)
    shares = np.exp(lasting)
    score = np.full((T + 1, S), -np.inf)
    entered = np.full((T + 1, S), -np.inf)
    begun = np.full((S, T + 1), -np.inf)
    highest = np.full((S, T // BLOCK + 1), -np.inf)
    scaled = np.zeros((S, T + 1))  # exp of what has begun, less the highest of its block
    possible = np.empty((S, 2), np.int64)
    possible[:, 0], possible[:, 1] = T, -1
    usual = np.zeros(S, np.int64)
    entered[0] = first
    for s in range(S):
        begun[s, 0] = first[s]
        rescale(begun[s], scaled[s], highest[s], 0)
        if first[s] > -np.inf:
            possible[s] = 0
    for t in range(1, T + 1):
        for s in range(S):
            if t < T and not goes_on[s]:
                continue
            low, high = reach(possible[s], t, longest[s])
            top, usual[s] = likeliest(begun[s], lasting[s], highest[s], near[s], t, low, high, usual[s] + 1)
            if top > -np.inf:
                total = sum_below(scaled[s], shares[s], highest[s], near[s], t, low, high, top)
                score[t, s] = top + np.log(total) + cumulative[t, s] + ends[t, s]
        for s in range(S):
            entered[t, s] = log_entered(score, change, t, s)
            begun[s, t] = entered[t, s] - cumulative[t, s]
            rescale(begun[s], scaled[s], highest[s], t)
            if entered[t, s] > -np.inf:
                possible[s, 0], possible[s, 1] = min(possible[s, 0], t), t
    return score, entered


@kernel
def rescale(begun: Floats, scaled: Floats, highest: Floats, t: int) -> None:
    """Bring what has begun at `t` into its block: `scaled` is relative to the highest of the block."""
    block = t >> SHIFT
    if begun[t] > highest[block]:
        factor = np.exp(highest[block] - begun[t])
        for i in range(block << SHIFT, t):
            scaled[i] *= factor
        highest[block] = begun[t]
    if begun[t] > -np.inf:
        scaled[t] = np.exp(begun[t] - highest[block])


@kernel
def sum_below(
    scaled: Floats, shares: Floats, highest: Floats, near: Floats, t: int, low: int, high: int, top: float
) -> float:
    """Sum of exp(weight - top) over the segments that `likeliest` looks at, without blocks far below the top.

    An exponential for each block, not for each segment: its own and that of the duration are at hand.
    """
    total = 0.0
    latest = t - low
    while latest >= t - high:
        earliest = max(t - high, latest & -BLOCK)
        above = highest[latest >> SHIFT] - top
        if above + near[t - latest] > -24.0:
            part = 0.0
            for i in range(earliest, latest + 1):
                part += scaled[i] * shares[t - i]
            total += part * np.exp(above)
        latest = earliest - 1
    return total


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
    """Draw paths (N, T) from the posterior, backwards from `forward`; `uniform` is (N, U) in [0, 1).

    A path takes two numbers a segment, and begins again with its first ones if it needs more than U. All paths walk
    together, since those that end a segment at the same second draw from the same weights.
    """
    T, S = cumulative.shape[0] - 1, cumulative.shape[1]
    N, U = uniform.shape
    paths = np.zeros((N, T), np.int8)
    at, used, state = np.full(N, T), np.ones(N, np.int64), np.empty(N, np.int64)
    begun, lasting, near = (entered - cumulative).T.copy(), np.ascontiguousarray(duration.T), near_maxima(duration)
    highest = block_maxima(begun)
    weights, steps = np.empty(S), np.empty((S, longest.max()))
    kept, count, total = np.empty((S, longest.max()), np.int64), np.empty(S, np.int64), np.empty(S)
    for n in range(N):
        for r in range(S):
            weights[r] = score[T, r] + last[r]
        state[n] = _draw(weights, uniform[n, 0])
    for t in range(T, 0, -1):
        count[:] = 0
        for n in range(N):
            if at[n] != t:
                continue
            s = state[n]
            if count[s] == 0:
                high = min(longest[s], t)
                count[s], total[s] = _near_top(begun[s], lasting[s], highest[s], near[s], t, high, kept[s], steps[s])
            d = _drawn(kept[s], steps[s], count[s], uniform[n, used[n] % U] * total[s])
            paths[n, t - d : t] = s
            at[n] = t - d
            if t - d > 0:
                for r in range(S):
                    weights[r] = score[t - d, r] + change[r, s]
                state[n] = _draw(weights, uniform[n, (used[n] + 1) % U])
            used[n] += 2
    return paths


@kernel
def block_maxima(begun: Floats) -> Floats:
    """The highest weight of each block of beginnings (S, T+1), (S, blocks)."""
    S, n = begun.shape
    highest = np.full((S, (n - 1) // BLOCK + 1), -np.inf)
    for s in range(S):
        for t in range(n):
            highest[s, t >> SHIFT] = max(highest[s, t >> SHIFT], begun[s, t])
    return highest


@kernel
def _near_top(
    begun: Floats, lasting: Floats, highest: Floats, near: Floats, t: int, high: int, kept: Ints, steps: Floats
) -> tuple[int, float]:
    """Lay the durations that can be drawn into `kept` and exp of their weights into `steps`; number and sum."""
    top, _ = likeliest(begun, lasting, highest, near, t, 1, high, 1)
    count, total = 0, 0.0
    latest = t - 1
    while latest >= t - high:
        earliest = max(t - high, latest & -BLOCK)
        if highest[latest >> SHIFT] + near[t - latest] - top > -32.0:
            for d in range(t - latest, t - earliest + 1):
                below = begun[t - d] + lasting[d] - top
                if below > -32.0:
                    kept[count], steps[count] = d, np.exp(below)
                    total += steps[count]
                    count += 1
        latest = earliest - 1
    return count, total


@kernel
def _drawn(kept: Ints, steps: Floats, count: int, left: float) -> int:
    """The first of `kept` with which the sum of `steps` exceeds `left`."""
    for i in range(count):
        left -= steps[i]
        if left < 0:
            return int(kept[i])
    return int(kept[count - 1])


@kernel
def _draw(weights: Floats, u: float) -> int:
    """Index drawn with probability proportional to exp(weights), which are overwritten."""
    top = -np.inf
    for value in weights:
        top = max(top, value)
    total = 0.0
    for i in range(weights.size):
        below = weights[i] - top
        weights[i] = np.exp(below) if below > -32.0 else 0.0
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
