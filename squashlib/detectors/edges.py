"""Where rallies begin and end: from the wearer's own contacts, and from whether the wearer was playing around them.

One wrist feels half of the contacts. The serve was the wearer's first contact or one of the opponent's 1.44 s before
it; the last contact was the wearer's or one 1.44 s later. Somebody who receives, or runs for the opponent's last shot,
moves as in play during that time, somebody about to serve or walking back does not.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from squashlib.detectors.activity import mixed
from squashlib.detectors.motion_bins import PER_SECOND
from squashlib.scoring import Point

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

INTER_SHOT_S = 1.44  # median between the two players' contacts, labelled video
BALL_DEAD_S = 2.3  # median from last contact to ball dead, labelled video
BIN_S = 1 / PER_SECOND
#: What is looked at before the first and after the last own contact, and how much of each bin's evidence is new.
BEFORE_S, AFTER_S = (-1.5, -0.6), (1.0, 1.9)
NEWS = 0.35
STROKE_S = 0.4


def play_evidence(table: Floats, strokes: Floats, starts: Floats, stops: Floats) -> Floats:
    """Log likelihood ratio of playing against resting in each bin of 0.2 s, 0 where nothing is known; (B,).

    `table` (B, M) holds measures of activity. Learnt from the inside of rallies away from strokes, and from the rests
    between them.
    """
    bins = len(table)
    middle = BIN_S * (np.arange(bins, dtype=np.float64) + 0.5)
    play = spans(middle, starts + 1.0, stops - 1.0)
    if len(strokes):
        at = np.searchsorted(strokes, middle)
        before, after = np.append(-np.inf, strokes)[at], np.append(strokes, np.inf)[at]
        play &= np.minimum(middle - before, after - middle) > STROKE_S
    gap = starts[1:] - stops[:-1]
    short = (gap > 4.0) & (gap < 30.0)
    rest = spans(middle, stops[:-1][short] + 2.0, starts[1:][short] - 2.0)
    activity = mixed(table, play, rest)
    seen = ~np.isnan(activity)
    if min((play & seen).sum(), (rest & seen).sum()) < 60:
        return np.zeros(bins)
    (m1, s1), (m0, s0) = ((activity[kind & seen].mean(), activity[kind & seen].std()) for kind in (play, rest))
    ratio = -0.5 * ((activity - m1) / s1) ** 2 - np.log(s1) + 0.5 * ((activity - m0) / s0) ** 2 + np.log(s0)
    return np.asarray(np.clip(np.nan_to_num(ratio), -4, 4))


def spans(times: Floats, starts: Floats, stops: Floats) -> Bools:
    """Which times lie in one of the sorted, disjoint spans; (n,)."""
    if not len(starts):
        return np.zeros(len(times), bool)
    where = np.searchsorted(starts, times, side="right") - 1
    return np.asarray((where >= 0) & (times < stops[np.maximum(where, 0)]))


def playing(evidence: Floats, times: Floats, window_s: tuple[float, float]) -> Floats:
    """Probability that the wearer played in a window around each time, (k,)."""
    sums = np.append(0.0, np.cumsum(evidence))
    low, high = (np.clip(np.rint((times + edge) / BIN_S).astype(np.int64), 0, len(evidence)) for edge in window_s)
    told = NEWS * (sums[high] - sums[low])
    return np.asarray(1 / (1 + np.exp(-np.clip(told, -30, 30))))


def served(starts: Floats, points: Sequence[Point]) -> list[int]:
    """Whether the wearer served each rally: the winner of the point before serves; -1 unknown."""
    won = sorted((p for p in points if p.winner and not p.is_let), key=lambda p: p.time_s)
    times = np.array([p.time_s for p in won])
    found = []
    for start in starts:
        at = int(np.searchsorted(times, start + 1.0)) - 1
        recent = at >= 0 and start - times[at] < 60
        found.append(int(won[at].winner == "me") if recent else -1)
    return found


def snapped(
    fine: Floats, strokes: Floats, starts: Floats, stops: Floats, points: Sequence[Point]
) -> tuple[Floats, Floats]:
    """Bounds moved to the serve and to the ball's death; a rally without own strokes stays as it is.

    `fine` (B, M) holds measures of activity by 0.2 s, `strokes` the times of own contacts.
    """
    low, high = starts.copy(), stops.copy()
    evidence = play_evidence(fine, strokes, starts, stops)
    server = served(starts, points)
    before, after = (playing(evidence, strokes, window) for window in (BEFORE_S, AFTER_S))
    for i in range(len(low)):
        floor = high[i - 1] + 1.0 if i else 0.0
        first = int(np.searchsorted(strokes, max(low[i] - 2.0, floor)))
        past = int(np.searchsorted(strokes, high[i] + 0.5, side="right"))
        if past <= first:
            continue
        received = {1: 0.0, 0: 1.0}.get(server[i], before[first])
        low[i] = max(floor, strokes[first] - received * INTER_SHOT_S)
        high[i] = strokes[past - 1] + after[past - 1] * INTER_SHOT_S + BALL_DEAD_S
    return low, high
