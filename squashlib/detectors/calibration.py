"""How sure rallies and their number really are, by what was measured.

Sampled paths vary less than the truth: the model takes seconds for more independent than they are, rallies without an
own contact leave no trace, and rests of three seconds go unseen. What was found is therefore set beside the truth of 64
simulated matches of all levels, which are neither those of the accuracy table nor of the tests.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

COUNT_LEVEL = 0.9


@dataclass(frozen=True)
class Calibration:
    """Share of the surest rallies that are right, how fast doubt grows, and where the true count lies (5 and 95 %)."""

    surest: float
    doubt: float
    fewer: float
    more: float

    def confidence(self, share: Floats) -> Floats:
        """Of a rally that this share of sampled paths holds, (k,)."""
        return np.asarray(self.surest * share**self.doubt)

    def count_interval(self, count: int) -> tuple[int, int]:
        """Of the true number of rallies when `count` were found."""
        return max(0, int(np.floor(count * (1 - self.fewer) - 0.5))), int(np.ceil(count * (1 + self.more) + 0.5))


MOTION = Calibration(0.98, 1.0, 0.025, 0.085)
MOTION_AND_POINTS = Calibration(0.99, 1.8, 0.03, 0.02)
HEART_AND_POINTS = Calibration(0.975, 1.0, 0.016, 0.11)
HEART = Calibration(0.89, 1.0, 0.012, 0.37)


def calibration(*, motion: bool, points: bool) -> Calibration:
    """For what the session holds."""
    if motion:
        return MOTION_AND_POINTS if points else MOTION
    return HEART_AND_POINTS if points else HEART
