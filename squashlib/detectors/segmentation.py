"""Warm-up, rallies, rests, breaks and the rest, jointly: the best path and paths drawn from the posterior."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.detectors import likeness, model, presses
from squashlib.detectors.activity import mixed
from squashlib.detectors.choice import choose, with_rallies
from squashlib.detectors.features import Features, by_likeness
from squashlib.detectors.model import RALLY, REST, Laws
from squashlib.scoring import Point

Floats = npt.NDArray[np.float64]

ROUNDS = 4
SAMPLES = 100
LAGS_S = range(-6, 7)
PRESSED_S = 2.75  # people press 1 to 4.5 s after the ball is dead; hearts answer 1 to 5 s after effort
FINGERS = 0.43  # share of fingers in the variance of both


@dataclass(frozen=True)
class Segmentation:
    """State of each second (T,), sampled paths (N, T), and how long after a rally's end the player presses (s).

    `shares` (T, S) are each second's probabilities, the share of paths that hold each of `STATES` then.
    `starts`, `stops` and `sure` are the rallies of the path and how probable each is.
    """

    path: npt.NDArray[np.int64]
    samples: npt.NDArray[np.int8]
    shares: Floats
    press_offset_s: float
    starts: npt.NDArray[np.int64]
    stops: npt.NDArray[np.int64]
    sure: Floats
    learnt: likeness.Likeness | None


def segment(seen: Features, points: Sequence[Point], swings: xr.Dataset, *, max_samples: int = SAMPLES) -> Segmentation:
    """Fit the model to this session by alternating best path and its parameters, then sample the posterior."""
    from squashlib.kernels import agreement, semi_markov

    seconds = len(seen)
    rates = model.first_rates(seen)
    points = presses.pressed(points)
    times = presses.press_times(points if len(points) > presses.FEW else ())
    if seen.swings is None:  # no contacts to go by: rallies last until the ball is dead
        laws, spread_s = (Laws(14.1, 9.5) if len(times) else Laws()), 1.4
        demand, offset_s = in_step(seen.demand, times)
        seen = replace(seen, demand=demand)
    else:
        laws, offset_s, spread_s = Laws(), 3.0, 2.5
    looks = {name: model.first_looks(name, x) for name in model.NEWS if (x := getattr(seen, name)) is not None}
    first, change, last = (model.log_or_never(p) for p in (model.FIRST, model.CHANGE, model.LAST))
    learnt: likeness.Likeness | None = None
    for round in range(ROUNDS):
        emissions = model.log_emissions(seen, looks, rates) + presses.break_weights(points, seconds)
        cumulative = np.vstack((np.zeros(model.N_STATES), np.cumsum(emissions, axis=0)))
        ends = presses.end_weights(times, seconds, offset_s, spread_s)
        duration = model.durations(laws)
        if round == ROUNDS - 1:
            break
        path = semi_markov.best_path(cumulative, duration, model.LONGEST_S, change, first, last, ends)
        if seen.measures is not None:
            activity = mixed(seen.measures, path == RALLY, path == REST)
            seen, looks["activity"] = replace(seen, activity=activity), model.first_looks("activity", activity)
        looks = {name: model.learnt_looks(getattr(seen, name), path, look) for name, look in looks.items()}
        starts, stops, kinds = runs(path)
        if seen.swings is not None:  # heart rate alone is too blunt to learn durations from
            learnt = likeness_of(swings, path, learnt)
            seen = with_likeness(seen, swings, learnt.log_odds)
            rates = model.learnt_rates(seen, path, model.first_rates(seen))
            laws = _laws(starts, stops, kinds)
            offset_s, spread_s = presses.estimate_offset(times, stops[kinds == RALLY].astype(np.float64))
    laws_of_match = (cumulative, duration, model.LONGEST_S, change)
    score, entered = semi_markov.forward(*laws_of_match, first, ends)
    uniform = np.random.default_rng(0).random((max_samples, seconds // 2 + 2))  # the same data, the same answer
    samples = semi_markov.sample_paths(*laws_of_match, last, ends, score, entered, uniform)
    starts, stops, sure = choose(samples)
    share = agreement.shares(samples, model.N_STATES)
    path = with_rallies(model.NAMED[typical(samples, share)], starts, stops)
    samples[samples == model.BEFORE] = model.IDLE
    share[:, model.IDLE] += share[:, model.BEFORE]
    return Segmentation(path, samples, share[:, : model.BEFORE], offset_s, starts, stops, sure, learnt)


def likeness_of(
    swings: xr.Dataset, path: npt.NDArray[np.int64], before: likeness.Likeness | None = None
) -> likeness.Likeness:
    """What the rallies and rests of a path teach about swings; those near a rally's edge belong to neither."""
    starts, stops, kinds = runs(path)
    rally = kinds == RALLY
    at = np.clip(swings["swing_time"].values.astype(np.int64), 0, len(path) - 1)
    near = np.convolve(np.isin(path, (RALLY, model.WARMUP)), np.ones(3), "same") > 0
    return likeness.learn(swings, starts[rally].astype(float), stops[rally].astype(float), ~near[at], before)


def with_likeness(seen: Features, swings: xr.Dataset, odds: Floats) -> Features:
    """Features whose swings are sorted by what was learnt of them."""
    counts, strong = by_likeness(swings["swing_time"].values, odds, len(seen))
    if seen.swings is not None:
        counts[np.isnan(seen.swings[:, 0])] = np.nan
    return replace(seen, swings=counts, strong=strong)


def in_step(demand: Floats | None, times: Floats) -> tuple[Floats | None, float]:
    """Demand moved in time to agree with the presses, and how long after a rally's end they come (s).

    Heart rate heads lower from a rally's end until the usual next serve than at other times, so how much sooner a heart
    answers a rally's end than a finger is measured. How it splits into a slow heart and a quick finger is not: each
    gets its share of the surprise by how much people differ in it.
    """
    if demand is None or len(times) < 10:
        return demand, PRESSED_S
    seconds, ends = np.arange(len(demand)), times - PRESSED_S
    since = seconds - ends[np.clip(np.searchsorted(ends, seconds, side="right") - 1, 0, None)]
    played = (seconds > times[0]) & (seconds < times[-1])
    rests, rallies = played & (since >= 0) & (since < 8), played & (since >= 10) & (since < 30)

    def contrast(lag: int) -> float:
        moved = np.roll(demand, -lag)
        return float(np.nanmean(moved[rallies]) - np.nanmean(moved[rests]))

    if not (rests & ~np.isnan(demand)).any() or not (rallies & ~np.isnan(demand)).any():
        return demand, PRESSED_S
    lag = max(LAGS_S, key=contrast)
    fingers = lag * FINGERS
    return np.asarray(np.roll(demand, -round(lag - fingers))), PRESSED_S - fingers


def typical(samples: npt.NDArray[np.int8], share: Floats) -> npt.NDArray[np.int64]:
    """The sampled path that agrees most with each second's probabilities (T, S)."""
    from squashlib.kernels.agreement import agreements

    chosen: npt.NDArray[np.int8] = samples[int(np.argmax(agreements(samples, share)))]
    return chosen.astype(np.int64)


def _laws(starts: npt.NDArray[np.int64], stops: npt.NDArray[np.int64], kinds: npt.NDArray[np.int64]) -> Laws:
    """Mean durations of this session, held back towards the prior as if 30 had been seen before."""
    means = []
    for kind, prior in ((RALLY, Laws().rally_s), (REST, Laws().rest_s)):
        held = (stops - starts)[kinds == kind]
        means.append((held.sum() + 30 * prior) / (len(held) + 30))
    return Laws(float(np.clip(means[0], 6, 22)), float(np.clip(means[1], 6, 18)))


def runs(path: npt.NDArray[np.integer]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Starts, stops and states of constant stretches of a path, each (k,)."""
    edges = np.flatnonzero(np.diff(path)) + 1
    starts = np.concatenate(([0], edges))
    return starts, np.append(edges, len(path)), path[starts].astype(np.int64)
