"""What each second of a session shows: motion energy, swings, and the demand that heart rate follows."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.detectors.activity import measures
from squashlib.detectors.averaging import averaging_s
from squashlib.detectors.likeness import first_odds

Floats = npt.NDArray[np.float64]

KINETICS_S = 55.0  # between on (45-50 s) and off (65-75 s) time constants of heart rate
SLOPE_HALF_S = 2
KINDS = 10
TRANSPORT_S = 3.0  # 1 to 5 s
LEAST_S = 60


@dataclass(frozen=True)
class Features:
    """By second, shape (T,); a sensor that is not there is None, a second without data NaN."""

    measures: Floats | None  # (T, M): measures of activity
    fine: Floats | None  # (5 T, M): the same by 0.2 s
    activity: Floats | None  # the mix of them that tells play from rest
    swings: Floats | None  # (T, K): how many, from the weakest kind to the strongest
    strong: Floats | None  # (K,): how likely a swing of each kind is of the strong sort
    demand: Floats | None

    def __len__(self) -> int:
        return next((len(x) for x in (self.activity, self.demand) if x is not None), 0)


def measured(seen: Features, starts: Floats, stops: Floats) -> npt.NDArray[np.bool_]:
    """Of which spans (r,) at least half was measured by anything."""
    known = np.zeros(len(seen), bool)
    for x in (seen.activity, seen.demand):
        known |= False if x is None else ~np.isnan(x)
    sums = np.append(0, np.cumsum(known))
    low, high = (np.clip(edge.astype(np.int64), 0, len(known)) for edge in (starts, stops))
    return np.asarray(sums[high] - sums[low] >= 0.5 * (high - low))


def features(session: xr.Dataset, swings: xr.Dataset, motion: xr.Dataset) -> Features:
    """Features of every whole second; `swings` and `motion` as `SwingDetector` finds them."""
    seconds = max(1, int(np.ceil(session.attrs["duration_s"])))
    table, fine = measures(motion) or (None, None)
    moved = None if table is None else table.mean(axis=1)
    counts, strong = (
        (None, None) if moved is None else by_likeness(swings["swing_time"].values, first_odds(swings), seconds)
    )
    if moved is not None and counts is not None:
        counts[np.isnan(moved)] = np.nan
    return Features(table, fine, moved, counts, strong, demand(session, seconds))


def by_likeness(times: Floats, odds: Floats, seconds: int) -> tuple[Floats, Floats]:
    """Swings of each second by kind of likeness (T, K), kinds being equally common; how many are strokes (K,)."""
    counts, strong = np.zeros((seconds, KINDS)), np.zeros(KINDS)
    if len(odds):
        kind = np.searchsorted(np.quantile(odds, np.arange(1, KINDS) / KINDS), odds, side="right")
        np.add.at(counts, (np.clip(times.astype(np.int64), 0, seconds - 1), kind), 1.0)
        p = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
        strong = np.bincount(kind, p, KINDS) / np.maximum(np.bincount(kind, minlength=KINDS), 1)
    return counts, strong


def demand(session: xr.Dataset, seconds: int) -> Floats | None:
    """The level that heart rate heads for, bpm: h + tau dh/dt with the slope of a line over five seconds; (seconds,).

    Heart rate answers effort as a first-order system, so its slope shows a rally that its level hides.
    """
    if session.sizes.get("hr_time", 0) < 30:
        return None
    times, bpm = session["hr_time"].values, session["heart_rate"].values.astype(np.float64)
    seen = ~np.isnan(bpm)
    if seen.sum() < 30:
        return None
    times, bpm = times[seen], bpm[seen]
    grid = np.arange(seconds) + TRANSPORT_S + averaging_s(times, bpm) / 2
    level = np.interp(grid, times, bpm)
    apart = np.interp(grid, times[1:], np.diff(times))
    offsets = np.arange(-SLOPE_HALF_S, SLOPE_HALF_S + 1)
    weights = offsets / (offsets**2).sum()
    slope = np.convolve(np.pad(level, SLOPE_HALF_S, "edge"), weights[::-1], "valid")
    smooth = np.convolve(np.pad(level, SLOPE_HALF_S, "edge"), np.full(len(offsets), 1 / len(offsets)), "valid")
    wanted = smooth + KINETICS_S * np.clip(slope, -4, 4)
    wanted[(apart > 15) | (grid < times[0] - 5) | (grid > times[-1] + 5)] = np.nan
    return np.asarray(wanted) if (~np.isnan(wanted)).sum() > LEAST_S else None
