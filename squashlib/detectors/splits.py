"""Rallies that hold a rest: the model looks second by second, and a rest of three seconds is soon overlooked.

Between two own strokes further apart than play has them, a finer look at the wearer's activity tells whether play went
on or the ball was dead.
"""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from squashlib.detectors.edges import BIN_S, NEWS

Floats = npt.NDArray[np.float64]

#: Own strokes across the shortest rest: the ball dies 1.1 s after the last contact, the next serve is the other's.
APART_S = 3.6
#: What is looked at between two strokes: not the strokes themselves, and at least so long.
AFTER_S, BEFORE_S, SHORTEST_S = 0.8, 0.4, 2.0
#: Log odds that a rest needs: most long gaps between strokes are a soft stroke missed by a player who waits.
SURELY = 5.0


def rest_told(evidence: Floats, after: float, before: float) -> float:
    """The most that any stretch between two strokes says for a rest, log likelihood ratio; -inf if they are too close.

    `evidence` (B,) is that of play by bins of 0.2 s.
    """
    if before - after < APART_S:
        return -np.inf
    low, high = round((after + AFTER_S) / BIN_S), round((before - BEFORE_S) / BIN_S)
    told = np.append(0.0, np.cumsum(-NEWS * evidence[low:high]))
    least = round(SHORTEST_S / BIN_S)
    if len(told) <= least:
        return -np.inf
    return float((np.maximum.accumulate(told[::-1])[::-1][least:] - told[: len(told) - least]).max())


def split(
    evidence: Floats, strokes: Floats, starts: Floats, stops: Floats
) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Starts and stops of the pieces of rallies (r,) that rests part, and which rally each was of, (k,) each."""
    low, high, of = list[float](), list[float](), list[int]()
    for i, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        own = strokes[np.searchsorted(strokes, start - 1.0, side="right") : np.searchsorted(strokes, stop + 0.5)]
        low.append(start)
        for after, before in pairwise(own.tolist()):
            if rest_told(evidence, after, before) > SURELY:
                high.append(after + 1.0)
                low.append(before - 1.0)
                of.append(i)
        high.append(stop)
        of.append(i)
    return np.array(low), np.array(high), np.array(of, np.int64)
