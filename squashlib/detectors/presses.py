"""Presses as evidence: each ends a rally some seconds before it; scores and game numbers bound the games."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from squashlib.detectors.model import BREAK, N_STATES, RALLY
from squashlib.scoring import Point

Floats = npt.NDArray[np.float64]

MISSED = 0.05  # share of rallies without a press
SPURIOUS_PER_S = 1 / 1200
DOUBLE_S = 3.0
FEW = 5  # so many points are notes on single rallies, not a match that was scored as it went


def pressed(points: Sequence[Point]) -> tuple[Point, ...]:
    """Those that say how one rally ended: a final score that a watch noted with its lap says it of the game alone."""
    return tuple(point for point in points if point.winner or point.is_let)


def press_times(points: Sequence[Point]) -> Floats:
    """Times of presses in order, double presses (within three seconds) once; (k,)."""
    times = np.array(sorted(point.time_s for point in points))
    return times[np.append(True, np.diff(times) > DOUBLE_S)] if len(times) else times


def end_weights(presses: Floats, seconds: int, offset_s: float, spread_s: float) -> Floats:
    """Log weight of a rally ending at each second, (T+1, S): high some seconds before a press, low without one."""
    out = np.zeros((seconds + 1, N_STATES))
    if not len(presses):
        return out
    ends = np.arange(seconds + 1, dtype=np.float64)
    density = np.zeros(seconds + 1)
    for press in presses:
        low, high = max(0, int(press - 25)), min(seconds + 1, int(press + 3))
        lead = press - ends[low:high]
        near = np.exp(-0.5 * ((lead - offset_s) / spread_s) ** 2) / (spread_s * np.sqrt(2 * np.pi))
        late = np.where(lead > 0, np.exp(-np.maximum(lead, 0) / 8) / 8, 0.0)
        density[low:high] = np.maximum(density[low:high], 0.93 * near + 0.07 * late)
    out[:, RALLY] = np.log(MISSED + (1 - MISSED) * density / SPURIOUS_PER_S)
    return out


def estimate_offset(presses: Floats, ends: Floats) -> tuple[float, float]:
    """Median and spread of how long after a rally's end the press came, for the next round; (s, s)."""
    if not len(presses) or not len(ends):
        return 3.0, 2.0
    where = np.searchsorted(ends, presses) - 1
    lead = (presses - ends[np.maximum(where, 0)])[where >= 0]
    lead = lead[lead < 12]
    if len(lead) < 5:
        return 3.0, 2.0
    middle = float(np.median(lead))
    spread = 1.4826 * float(np.median(np.abs(lead - middle)))
    return middle, float(np.clip(spread, 0.8, 2.5))


def break_weights(points: Sequence[Point], seconds: int) -> Floats:
    """Log weight of every second in every state, (T, S): game numbers say between which presses a break lies."""
    out = np.zeros((seconds, N_STATES))
    numbered = sorted((p for p in points if p.game is not None and not p.is_let), key=lambda p: p.time_s)
    if len(numbered) < 5:
        return out
    out[:, BREAK] = -0.25
    for before, after in pairwise(numbered):
        low, high = int(max(0, before.time_s)), int(min(seconds, after.time_s))
        if after.game != before.game:
            out[low:high, BREAK] = 0.1
    first, last = int(max(0, numbered[0].time_s)), int(min(seconds, numbered[-1].time_s))
    out[:first, BREAK] = 0.0
    out[last:, BREAK] = -0.25
    return out
