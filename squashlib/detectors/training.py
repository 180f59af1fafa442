"""Sessions that are no match: drills, solo, ghosting, another sport. Bouts and strokes, no structure forced on them.

A match of squash is work in short pieces: rallies of 14 s and rests of 9 s, seldom a minute of play without a rest. Who
hits for minutes on end trains.
"""

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.detectors.model import LONGEST_S, RALLY, STATES, WARMUP
from squashlib.schema import time_attrs

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

MATCH_SPORTS = ("squash", "racket", "unknown", "generic", "training", "")
#: Half of all play lies in stretches longer than this: 20 s for labelled rallies, 30 to 60 s for professionals'.
LONGEST_HALF_S = 100.0
#: Two who play in turn hit each 2.7 to 3.1 s; who hits this fast hits alone.
ALONE_S = 1.7
APART_S = 1.1
#: A drop is swung at about a third of a drive's speed; half of that again for a weak one.
SOFTEST, HARD_QUANTILE = 0.2, 0.98
BOUT_GAP_S, FEWEST_STROKES = 12.0, 3


def is_training(sport: str, swings: xr.Dataset, path: npt.NDArray[np.int64]) -> bool:
    """Whether sport, tempo or the match model's own best path (T,) say that this was no match of squash."""
    between = np.diff(swings["swing_time"].values[training_strokes(swings)])
    tempo = between[between < 6.0]
    if sport.lower() not in MATCH_SPORTS or (len(tempo) > 30 and float(np.median(tempo)) < ALONE_S):
        return True
    play = np.isin(path, (RALLY, WARMUP))
    edges = np.flatnonzero(np.diff(np.concatenate(([0], play.astype(np.int8), [0]))))
    starts, stops = edges[::2], edges[1::2]
    if not len(starts):
        return False
    joined = np.append(True, starts[1:] - stops[:-1] > 4)
    lengths = np.add.reduceat(stops - starts, np.flatnonzero(joined)).astype(np.float64)
    warm = path[starts[joined]] == WARMUP
    warm &= np.cumsum(warm) == 1  # one warm-up belongs to a match
    if warm.any() and lengths[warm].max() <= LONGEST_S[WARMUP]:
        lengths = lengths[~warm]
    return bool(2 * lengths[lengths > LONGEST_HALF_S].sum() > lengths.sum())


def training_strokes(swings: xr.Dataset) -> Bools:
    """Which swings are strokes when nothing tells play from rest: strong ones, from the strongest on, apart; (k,)."""
    times, strength = swings["swing_time"].values, swings["swing_strength"].values.astype(np.float64)
    found = np.zeros(len(times), bool)
    if not len(times):
        return found
    floor = SOFTEST * float(np.quantile(strength, HARD_QUANTILE))
    low, high = np.searchsorted(times, times - APART_S), np.searchsorted(times, times + APART_S, side="right")
    order = np.argsort(-strength, kind="stable")
    for k in order[strength[order] > floor]:
        found[k] = not found[low[k] : high[k]].any()
    return found


def bouts(times: Floats) -> tuple[Floats, Floats]:
    """Starts and stops of hitting without a break of twelve seconds, of at least three strokes; each (b,), seconds."""
    if not len(times):
        return np.empty(0), np.empty(0)
    cuts = np.flatnonzero(np.diff(times) > BOUT_GAP_S) + 1
    held = [group for group in np.split(times, cuts) if len(group) >= FEWEST_STROKES]
    return np.array([group[0] - 0.5 for group in held]).clip(0.0), np.array([group[-1] + 0.5 for group in held])


#: What a segment can be: a state of the match model, or a bout of training.
KINDS = (*STATES, "bout")


def bout_segments(start: str, starts: Floats, stops: Floats) -> xr.Dataset:
    """Bouts as segments."""
    flags = {"flag_values": list(range(len(KINDS))), "flag_meanings": " ".join(KINDS)}
    return xr.Dataset(
        {
            "segment_start": ("segment", starts, time_attrs(start, "start of a segment")),
            "segment_stop": ("segment", stops, time_attrs(start, "end of a segment")),
            "segment_kind": ("segment", np.full(len(starts), len(KINDS) - 1, np.int8), flags),
            "segment_confidence": ("segment", np.full(len(starts), 0.8, np.float32), {"units": "1"}),
        }
    )
