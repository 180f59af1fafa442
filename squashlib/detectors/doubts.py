"""Whether what was found is play of squash at all: the model fits its own structure to anything that a wrist does.

Each doubt is a figure of the whole session that matches never show, of any level, wrist and rate: simulated ones, those
of another simulator and labelled video lie on one side of its border, desk work, running, cycling and ghosting on the
other. Somebody who pressed points played a match, whatever the sensors say.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BELIEVED = 0.95


@dataclass(frozen=True)
class Doubt:
    """How probable play is in spite of it, and why it is doubted, in words."""

    play: float
    words: str


@dataclass(frozen=True)
class Border:
    """Half of the sessions with a figure of `middle` are play; `width` is that of the logistic curve about it."""

    middle: float
    width: float

    def play(self, figure: float) -> float:
        """Probability of play."""
        return float(1 / (1 + np.exp(-np.clip((figure - self.middle) / self.width, -30, 30))))


#: Players of every level average 79 to 93 % of their maximum, 134 bpm and more in simulated matches; desks 80.
PULSE_BPM = Border(105.0, 5.0)
#: Rallies with an own stroke: 0.75 and more at any wrist; 0.6 where a hand just moves now and then.
STRUCK = Border(0.67, 0.02)
#: Mean probability of the strokes to be ones by looks and rhythm: 0.85 and more at the racket's wrist, 0.70 to 0.72 of
#: steps; the other wrist's reach down to that, and say nothing.
STROKES = Border(0.755, 0.012)
#: Mean probability of the rallies where the heart alone tells: 0.85 and more of simulated matches, 0.74 of a real one
#: whose watch smooths; 0.5 of steady running. Cycling has 0.7: the heart alone does not tell it from a match.
RALLIES = Border(0.55, 0.05)


def doubts(pulse_bpm: Floats, struck: Floats, strokes: Floats, rallies: Floats, hand: str | None) -> list[Doubt]:
    """What speaks against play.

    Parameters
    ----------
    pulse_bpm, struck
        Of each rally (r,): mean heart rate and number of own strokes, NaN where not measured.
    strokes, rallies
        Probability of each stroke found (k,), and of each rally found (r,).
    hand
        At which wrist, if it is known: "playing" or "other".
    """
    found = list[Doubt]()
    if not np.isnan(pulse_bpm).all():
        bpm = float(np.nanmedian(pulse_bpm))
        found.append(
            Doubt(PULSE_BPM.play(bpm), f"heart rate in what looks like rallies is {bpm:.0f} bpm, that of rest")
        )
    if np.isnan(struck).all():
        sure = float(rallies.mean())
        found.append(Doubt(RALLIES.play(sure), "heart rate hardly rises and falls as rallies and rests make it do"))
    else:
        share = float((struck > 0).mean())
        found.append(Doubt(STRUCK.play(share), f"{1 - share:.0%} of what looks like rallies holds no stroke"))
        if hand == "playing" and len(strokes):
            found.append(Doubt(STROKES.play(float(strokes.mean())), "movements look little like strokes"))
    return [doubt for doubt in found if doubt.play < BELIEVED]
