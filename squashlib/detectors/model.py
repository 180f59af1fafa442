"""The semi-Markov model of a match: states, how long they last, what follows what, and what they look like.

Durations after labelled video (rally gamma k=2.8 mean 14 s, rest gamma k=5.6 mean 9.5 s), widened for other levels,
and the rules (warm-up four to five minutes, interval 90 to 120 s).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import lgamma

import numpy as np
import numpy.typing as npt

from squashlib.detectors.features import Features

Floats = npt.NDArray[np.float64]

#: What a second can be called. The model has one state more: idling before the warm-up is not idling after it.
STATES = ("warmup", "rally", "rest", "game_break", "idle", "cooldown")
WARMUP, RALLY, REST, BREAK, IDLE, COOLDOWN = range(6)
BEFORE = 6
NAMED = np.array([WARMUP, RALLY, REST, BREAK, IDLE, COOLDOWN, IDLE])
N_STATES = len(NAMED)
LONGEST_S = np.array([600, 300, 75, 320, 480, 900, 900])

#: Probability of beginning in, of moving between (row: from), and of ending in each state.
FIRST = np.array([0.48, 0.05, 0.02, 0.02, 0.0, 0.0, 0.43])
LAST = np.array([0.01, 0.12, 0.12, 0.05, 0.2, 0.5, 0.01])
CHANGE = np.array(
    [
        [0.0, 0.2, 0.0, 0.8, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.935, 0.05, 0.003, 0.012, 0.0],
        [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.99, 0.0, 0.0, 0.01, 0.0, 0.0],
        [0.0, 0.8, 0.0, 0.1, 0.0, 0.1, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.75, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0],
    ]
)
#: Strokes of the wearer a second.
STROKE_RATE = np.array([0.33, 0.34, 0.03, 0.03, 0.01, 0.03, 0.02])
#: A ball played back, a practice swing: strokes happen anywhere, at this share of their rate in rallies or more.
STRAY = 0.05
#: Where a state's features begin, as quantiles of the session's.
START_QUANTILE = np.array([0.55, 0.8, 0.35, 0.12, 0.08, 0.15, 0.08])
#: Neighbouring seconds repeat each other; each feature's log likelihood is scaled to what is new in a second.
SWING_NEWS = 1.0
NEWS = {"activity": 0.6, "demand": 0.4}
#: How far warm-up is from rest towards rally: hitting with little running, at a heart rate not far from that of rests.
WARM = {"activity": 0.35, "demand": 0.2}


@dataclass(frozen=True)
class Laws:
    """Means of rally (to its last contact) and rest (from there to the next serve) in this session, seconds."""

    rally_s: float = 11.5
    rest_s: float = 11.5


def log_gamma(d: Floats, shape: float, mean: float) -> Floats:
    """Log density of a gamma law of durations."""
    scale = mean / shape
    return np.asarray((shape - 1) * np.log(d) - d / scale - shape * np.log(scale) - lgamma(shape))


def log_lognormal(d: Floats, median: float, sigma: float) -> Floats:
    """Log density of a lognormal law of durations."""
    return np.asarray(-0.5 * (np.log(d / median) / sigma) ** 2 - np.log(d * sigma * np.sqrt(2 * np.pi)))


@lru_cache(maxsize=4)
def durations(laws: Laws) -> Floats:
    """Log probability of each duration 1..D in each state, (D+1, S); kept, so not to be changed."""
    d = np.arange(1, LONGEST_S.max() + 1, dtype=np.float64)
    table = np.column_stack(
        [
            log_gamma(d, 9.0, 270.0),
            log_mix((0.85, log_gamma(d, 2.4, laws.rally_s)), (0.15, log_gamma(d, 2.0, 2 * laws.rally_s))),
            log_mix((0.88, log_gamma(d, 5.0, laws.rest_s)), (0.12, log_gamma(d, 3.0, 2.2 * laws.rest_s))),
            log_lognormal(d, 100.0, 0.4),
            log_lognormal(d, 100.0, 0.8),
            -d / 180.0 - np.log(180.0),
            log_lognormal(d, 60.0, 1.2),
        ]
    )
    return np.vstack((np.full(N_STATES, -np.inf), table))


def log_mix(*parts: tuple[float, Floats]) -> Floats:
    """Log density of a mixture of laws with their shares."""
    return np.asarray(np.logaddexp.reduce([np.log(share) + density for share, density in parts]))


def log_or_never(p: Floats) -> Floats:
    """Log, -inf for 0."""
    with np.errstate(divide="ignore"):
        return np.log(p)


@dataclass(frozen=True)
class Looks:
    """Mean and spread of a Gaussian feature in each state, (S,)."""

    mean: Floats
    spread: Floats


def first_looks(name: str, x: Floats) -> Looks:
    """Looks of a feature to start from: quantiles of this session."""
    seen = x[~np.isnan(x)]
    low, high, *means = np.quantile(seen, (0.1, 0.9, *START_QUANTILE))
    mean, spreads = np.array(means), np.full(N_STATES, max(float(high - low) / 4, 1e-3))
    mean[WARMUP] = mean[REST] + WARM[name] * (mean[RALLY] - mean[REST])
    spreads[WARMUP] *= 1.4  # the ball is fetched now and then
    return Looks(mean, spreads)


#: Seconds that a state must have held before it is believed as much as what was thought before.
SLOW_TO_LEARN = np.array([150, 30, 30, 300, 600, 600, 600])


def learnt_looks(x: Floats, path: npt.NDArray[np.int64], before: Looks) -> Looks:
    """Looks of the seconds that a path assigns to each state, held back towards what was thought before.

    A second without play never looks busier than a rest between rallies, else one quiet state would swallow a match.
    """
    mean, spread = before.mean.copy(), before.spread.copy()
    for s in range(N_STATES):
        held = x[(path == s) & ~np.isnan(x)]
        weight = len(held) / (len(held) + SLOW_TO_LEARN[s])
        if len(held) > 5:
            mean[s] = weight * held.mean() + (1 - weight) * mean[s]
            spread[s] = weight * max(held.std(), 0.4 * before.spread[s]) + (1 - weight) * spread[s]
    spread = np.minimum(spread, 1.2 * max(spread[RALLY], spread[REST]))
    quiet = [BREAK, IDLE, COOLDOWN, BEFORE]
    mean[quiet] = np.minimum(mean[quiet], mean[REST] - 0.3 * spread[REST])
    return Looks(mean, spread)


def log_emissions(seen: Features, looks: Mapping[str, Looks], rates: Floats | None) -> Floats:
    """Log likelihood of every second in every state, (T, S); a missing second says nothing."""
    out = np.zeros((len(seen), N_STATES))
    for name, look in looks.items():
        z = (getattr(seen, name)[:, None] - look.mean) / look.spread
        out += NEWS[name] * np.nan_to_num(-0.5 * np.minimum(z * z, 16.0) - np.log(look.spread))
    if seen.swings is not None and rates is not None:
        out += SWING_NEWS * np.nan_to_num(seen.swings @ np.log(rates) - rates.sum(axis=0))
    return out


def first_rates(seen: Features) -> Floats | None:
    """Swings a second of each kind in each state, (K, S): strokes as the game has them, the others anywhere alike."""
    if seen.swings is None or seen.strong is None:
        return None
    number = np.nansum(seen.swings, axis=0)
    strokes = number * seen.strong
    shape = strokes / max(strokes.sum(), 1e-9)
    others = (number - strokes) / max(len(seen), 1)
    return np.asarray(shape[:, None] * STROKE_RATE + others[:, None] + 1e-3)


def learnt_rates(seen: Features, path: npt.NDArray[np.int64], before: Floats | None) -> Floats | None:
    """Rates of the seconds that a path assigns to each state, held back towards what was thought before."""
    if seen.swings is None or before is None:
        return None
    rates = before.copy()
    known = ~np.isnan(seen.swings[:, 0])
    for s in range(N_STATES):
        held = seen.swings[(path == s) & known]
        rates[:, s] = (held.sum(axis=0) + SLOW_TO_LEARN[s] * before[:, s]) / (len(held) + SLOW_TO_LEARN[s])
    return np.maximum(rates, STRAY * rates[:, [RALLY]])
