"""Explicit-duration (semi-Markov) decoding: best path, posterior and sampled paths.

Letters: T seconds, S states, D longest duration. `cumulative` (T+1, S) sums log emissions, `duration` (D+1, S) is log
probabilities of durations (index 0 unused), `change` (S, S) log transitions, `first` and `last` (S,) log weights of
beginning and ending in a state, `ends` (T+1, S) log weights of a segment of that state ending just before a second.
All use -inf for 'impossible'. `longest` (S,) bounds each state's duration.

Segments that end at a second can begin at hundreds of others, of which few matter. Beginnings are therefore looked at
in blocks, and a block is passed over where its highest weight and its likeliest duration together cannot matter: the
best path is the same to the last bit, sums to 1e-9. What is done once is done by NumPy around the kernels, for numba
takes a second to compile what NumPy does in a line.
"""

import numpy as np
import numpy.typing as npt

from squashlib.kernels.jit import kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SHIFT = 4
BLOCK = 1 << SHIFT


def near_maxima(lasting: Floats) -> Floats:
    """For each state and duration the highest weight from there on through one block's length; (S, D+1)."""
    out = lasting.copy()
    for k in range(SHIFT):
        out[:, : -(1 << k)] = np.maximum(out[:, : -(1 << k)], out[:, 1 << k :])
    return out


def by_state(duration: Floats) -> Floats:
    """Weights of durations (D+1, S) with each state's in a row, (S, D+1)."""
    return np.ascontiguousarray(duration.T)


def last_ones(change: Floats) -> npt.NDArray[np.bool_]:
    """Which states nothing follows, (S,): a segment of such a one ends with the session."""
    return np.asarray(change.max(axis=1) == -np.inf)


def best_path(
    cumulative: Floats, duration: Floats, longest: Ints, change: Floats, first: Floats, last: Floats, ends: Floats
) -> Ints:
    """State of every second on the most probable path, (T,)."""
    T, S = cumulative.shape[0] - 1, cumulative.shape[1]
    lasting = by_state(duration)
    begun, blocks = np.full((S, T + 1), -np.inf), np.full((S, T // BLOCK + 1), -np.inf)
    path = np.empty(T, np.int64)
    came, entry = np.zeros((S, T + 1), np.int32), np.zeros((S, T + 1), np.int8)
    begun[:, 0] = blocks[:, 0] = first
    follow_best(
        cumulative, lasting, near_maxima(lasting), longest, change, last_ones(change), last, ends,
        begun, blocks, came, entry, path,
    )  # fmt: skip
    return path


@kernel
def reach(begun: Floats, s: int, possible: Ints, t: int, longest: int) -> tuple[int, int]:
    """Shortest and longest duration of a segment that ends at `t` and began at a possible time; (low, high).

    `possible` (S, 2) are the first and last time at which each state may have begun, and learns of `t - 1` here.
    """
    if begun[s, t - 1] > -np.inf:
        possible[s, 0], possible[s, 1] = min(possible[s, 0], t - 1), t - 1
    return max(1, t - possible[s, 1]), min(longest, t - possible[s, 0])


@kernel
def likeliest(
    begun: Floats, lasting: Floats, blocks: Floats, near: Floats, s: int, t: int, low: int, high: int, guess: int
) -> tuple[float, int]:  # fmt: skip
    """Highest weight of a segment of state `s` that ends at `t` and lasts `low` to `high`, and how long it lasts.

    `begun` (S, T+1) are weights of beginnings, `blocks` the highest of each block of them. `guess` is a
    duration to begin with: the better it is, the more is passed over. Of equals the shortest segment is taken.
    """
    if low > high:
        return -np.inf, max(min(guess, high), 0)
    where = min(max(guess, low), high)
    best = begun[s, t - where] + lasting[s, where]
    latest = t - low
    while latest >= t - high:
        earliest = max(t - high, latest >> SHIFT << SHIFT)
        if blocks[s, latest >> SHIFT] + near[s, t - latest] >= best:
            for d in range(t - latest, t - earliest + 1):
                value = begun[s, t - d] + lasting[s, d]
                if value > best or (value == best and d < where):
                    best, where = value, d
        latest = earliest - 1
    return best, where


@kernel
def follow_best(
    cumulative: Floats, lasting: Floats, near: Floats, longest: Ints, change: Floats,
    is_last: npt.NDArray[np.bool_], last: Floats, ends: Floats, begun: Floats, blocks: Floats,
    came: npt.NDArray[np.int32], entry: npt.NDArray[np.int8], path: Ints,
) -> None:  # fmt: skip
    """Fill the best path from how long each state had lasted (S, T+1), and which was before it."""
    T, S = cumulative.shape[0] - 1, cumulative.shape[1]
    score = np.empty(S)
    possible = np.empty((S, 2), np.int64)
    for s in range(S):
        possible[s, 0], possible[s, 1] = T + 1, -1
    for t in range(1, T + 1):
        for s in range(S):
            low, high = reach(begun, s, possible, t, longest[s])
            score[s] = -np.inf
            if t == T or not is_last[s]:
                guess = came[s, t - 1] + 1
                best, where = likeliest(begun, lasting, blocks, near, s, t, low, high, guess)
                score[s], came[s, t] = best + cumulative[t, s] + ends[t, s], where
        for s in range(S):
            best = -np.inf
            for r in range(S):
                if score[r] + change[r, s] > best:
                    best = score[r] + change[r, s]
                    entry[s, t] = r
            begun[s, t] = best - cumulative[t, s]
            blocks[s, t >> SHIFT] = max(blocks[s, t >> SHIFT], begun[s, t])
    s, t = 0, T
    for r in range(S):
        if score[r] + last[r] > score[s] + last[s]:
            s = r
    while t > 0:
        before = t - max(1, came[s, t])
        for i in range(before, t):
            path[i] = s
        t, s = before, entry[s, before]


def forward(
    cumulative: Floats, duration: Floats, longest: Ints, change: Floats, first: Floats, ends: Floats
) -> tuple[Floats, Floats]:
    """Log weights of all ways to end a segment before t, and to enter a state at t; both (T+1, S).

    Sums over durations are kept below a fixed range under the largest term, which costs less than 1e-9.
    """
    T, S = cumulative.shape[0] - 1, cumulative.shape[1]
    lasting = by_state(duration)
    begun, blocks = np.full((S, T + 1), -np.inf), np.full((S, T // BLOCK + 1), -np.inf)
    score, entered = np.full((T + 1, S), -np.inf), np.full((T + 1, S), -np.inf)
    entered[0] = begun[:, 0] = blocks[:, 0] = first
    scaled = np.zeros((S, T + 1))
    scaled[:, 0] = first > -np.inf
    sum_ahead(
        cumulative, lasting, np.exp(lasting[:, ::-1]), near_maxima(lasting), longest, change, last_ones(change),
        ends, begun, scaled, blocks, score, entered,
    )  # fmt: skip
    return score, entered


@kernel
def sum_ahead(
    cumulative: Floats, lasting: Floats, share: Floats, near: Floats, longest: Ints, change: Floats,
    is_last: npt.NDArray[np.bool_], ends: Floats, begun: Floats, scaled: Floats, blocks: Floats,
    score: Floats, entered: Floats,
) -> None:  # fmt: skip
    """Fill what `forward` returns.

    `share` (S, D+1) are probabilities of durations, the longest first, so that they run as beginnings do; `scaled` is
    exp of what has begun, less the highest of its block.
    """
    T, S = cumulative.shape[0] - 1, cumulative.shape[1]
    possible = np.empty((S, 2), np.int64)
    usual = np.zeros(S, np.int64)
    for s in range(S):
        possible[s, 0], possible[s, 1] = T + 1, -1
    for t in range(1, T + 1):
        for s in range(S):
            low, high = reach(begun, s, possible, t, longest[s])
            if low <= high and (t == T or not is_last[s]):
                log = log_sum(begun, lasting, scaled, share, blocks, near, s, t, low, high, usual)
                score[t, s] = log + cumulative[t, s] + ends[t, s]
        for s in range(S):
            top = -np.inf
            for r in range(S):
                top = max(top, score[t, r] + change[r, s])
            if top > -np.inf:
                total = 0.0
                for r in range(S):
                    if score[t, r] + change[r, s] > top - 40.0:
                        total += np.exp(score[t, r] + change[r, s] - top)
                entered[t, s] = top + np.log(total)
                begun[s, t] = entered[t, s] - cumulative[t, s]
                rescale(begun, scaled, blocks, s, t)


@kernel
def rescale(begun: Floats, scaled: Floats, blocks: Floats, s: int, t: int) -> None:
    """Bring what has begun at `t` into its block: `scaled` is relative to the highest of the block."""
    block = t >> SHIFT
    if begun[s, t] > blocks[s, block]:
        factor = np.exp(blocks[s, block] - begun[s, t])
        for i in range(block << SHIFT, t):
            scaled[s, i] *= factor
        blocks[s, block] = begun[s, t]
    scaled[s, t] = np.exp(begun[s, t] - blocks[s, block])


@kernel
def log_sum(
    begun: Floats, lasting: Floats, scaled: Floats, share: Floats, blocks: Floats, near: Floats,
    s: int, t: int, low: int, high: int, usual: Ints,
) -> float:  # fmt: skip
    """Log of the summed weights of all segments of state `s` that end at `t`, without blocks far below one of them.

    An exponential for each block, not for each segment: its own and that of the duration are at hand. `usual` (S,) is
    the shortest duration of the block in which most of each state's weight lay last; it says what is far below.
    """
    guess, after = min(max(usual[s] + 1, low), high), lasting.shape[1] - 1 - t
    enough = begun[s, t - guess] + lasting[s, guess] - 24.0
    level, total, most = -np.inf, 0.0, 0.0  # the sum and its largest part are relative to the level
    latest = t - low
    while latest >= t - high:
        block = latest >> SHIFT
        earliest = max(t - high, block << SHIFT)
        if blocks[s, block] + near[s, t - latest] > enough:
            part = 0.0
            for i in range(earliest, latest + 1):
                part += scaled[s, i] * share[s, i + after]
            if part > 0.0:
                if blocks[s, block] > level:
                    down = np.exp(level - blocks[s, block])
                    level, total, most = blocks[s, block], total * down, most * down
                part *= np.exp(blocks[s, block] - level)
                total += part
                if part > most:
                    most, usual[s] = part, t - latest
        latest = earliest - 1
    return level + np.log(total) if total > 0.0 else -np.inf


def sample_paths(
    cumulative: Floats, duration: Floats, longest: Ints, change: Floats, last: Floats, ends: Floats,
    score: Floats, entered: Floats, uniform: Floats,
) -> npt.NDArray[np.int8]:  # fmt: skip
    """Draw paths (N, T) from the posterior, backwards from `forward`; `uniform` is (N, U) in [0, 1).

    A path takes two numbers a segment, and begins again with its first ones if it needs more than U.
    """
    T, S = cumulative.shape[0] - 1, cumulative.shape[1]
    lasting = by_state(duration)
    begun = np.full((S, (T // BLOCK + 1) * BLOCK), -np.inf)
    begun[:, : T + 1] = (entered - cumulative).T
    blocks = begun.reshape(S, -1, BLOCK).max(axis=2)
    with np.errstate(invalid="ignore"):
        scaled = np.nan_to_num(np.exp(begun - np.repeat(blocks, BLOCK, axis=1)))
        ended = score - cumulative - ends
    paths = np.empty((len(uniform), T), np.int8)
    draw_back(
        np.exp(lasting), near_maxima(lasting), longest, change, last, score, ended, scaled, blocks, uniform, paths
    )
    return paths


@kernel
def draw_back(
    share: Floats, near: Floats, longest: Ints, change: Floats, last: Floats, score: Floats, ended: Floats,
    scaled: Floats, blocks: Floats, uniform: Floats, paths: npt.NDArray[np.int8],
) -> None:  # fmt: skip
    """Fill the paths. All walk together, since those that end a segment at the same second draw from the same weights.

    `ended` (T+1, S) is the log of what the weights of all segments that end at a second sum to.
    """
    N, U = uniform.shape
    T, S = paths.shape[1], change.shape[0]
    at, used, state = np.empty(N, np.int64), np.empty(N, np.int64), np.empty(N, np.int64)
    kept, steps = np.empty((S, T), np.int64), np.empty((S, T))
    count, total, weights = np.empty(S, np.int64), np.empty(S), np.empty(S)
    for r in range(S):
        weights[r] = score[T, r] + last[r]
    for n in range(N):
        at[n], used[n], state[n] = T, 1, draw_log(weights, uniform[n, 0])
    for t in range(T, 0, -1):
        for s in range(S):
            count[s] = 0
        for n in range(N):
            if at[n] != t:
                continue
            s = state[n]
            if count[s] == 0:
                high = min(longest[s], t)
                count[s], total[s] = lay_out(share, near, scaled, blocks, s, t, high, ended[t, s], kept, steps)
            left, i = uniform[n, used[n] % U] * total[s] - steps[s, 0], 0
            while left >= 0.0 and i < count[s] - 1:
                i += 1
                left -= steps[s, i]
            before = t - kept[s, i]
            for second in range(before, t):
                paths[n, second] = s
            at[n] = before
            for r in range(S):
                weights[r] = score[before, r] + change[r, s]
            if before > 0:
                state[n] = draw_log(weights, uniform[n, (used[n] + 1) % U])
            used[n] += 2


@kernel
def lay_out(
    share: Floats, near: Floats, scaled: Floats, blocks: Floats, s: int, t: int, high: int, log_total: float,
    kept: Ints, steps: Floats,
) -> tuple[int, float]:  # fmt: skip
    """Lay the durations that can be drawn into `kept` and their weights into `steps`, (S, T); number and sum."""
    count, total = 0, 0.0
    latest = t - 1
    while latest >= t - high:
        block = latest >> SHIFT
        earliest = max(t - high, block << SHIFT)
        if blocks[s, block] + near[s, t - latest] - log_total > -32.0:
            factor = np.exp(blocks[s, block] - log_total)
            for d in range(t - latest, t - earliest + 1):
                weight = scaled[s, t - d] * share[s, d] * factor
                if weight > 1e-14:
                    kept[s, count], steps[s, count] = d, weight
                    total += weight
                    count += 1
        latest = earliest - 1
    return count, total


@kernel
def draw_log(weights: Floats, u: float) -> int:
    """Index drawn with probability proportional to exp(weights)."""
    top, total, chosen = -np.inf, 0.0, 0
    for value in weights:
        top = max(top, value)
    for value in weights:
        total += np.exp(value - top) if value - top > -32.0 else 0.0
    left = u * total
    for i in range(weights.size):
        if weights[i] - top > -32.0:
            chosen = i
            left -= np.exp(weights[i] - top)
            if left < 0.0:
                break
    return chosen
