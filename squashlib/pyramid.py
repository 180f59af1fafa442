"""A long series at every zoom: the lowest and highest value of ever wider bins, in tiles small enough to send.

JupyterLab's server drops what a kernel sends above 1 MB/s (`iopub_data_rate_limit`), so values travel as 16-bit steps
between the series' lowest and highest, and only the tiles that are looked at.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int16]

FACTOR = 4  # bins of one level in a bin of the next
TILE = 1024  # bins
COARSE = 4096  # a level of at most this many bins is sent whole at the start
NOTHING = -32768  # an empty bin
TOP = 32767


@dataclass(frozen=True, eq=False)
class Channel:
    """One series to be drawn.

    Parameters
    ----------
    times
        Seconds since the session's start, increasing, shape (n,).
    values
        Shape (n,); NaN is missing.
    """

    name: str
    units: str
    times: Floats
    values: npt.NDArray[np.floating]

    def __post_init__(self) -> None:
        if np.shape(self.times) != np.shape(self.values) or np.ndim(self.times) != 1:
            raise ValueError(
                f"channel '{self.name}' has times of shape {np.shape(self.times)} and values of shape "
                f"{np.shape(self.values)}, must be one (n,) each"
            )

    @cached_property
    def step_s(self) -> float:
        """The usual time between samples, seconds."""
        return float(np.median(np.diff(self.times))) if len(self.times) > 1 else 1.0

    @cached_property
    def range(self) -> tuple[float, float]:
        """Lowest and highest value; 0 and 1 where nothing was measured."""
        seen = self.values[np.isfinite(self.values)]
        if not len(seen):
            return 0.0, 1.0
        low, high = float(seen.min()), float(seen.max())
        return (low, high) if high > low else (low - 0.5, high + 0.5)

    @cached_property
    def levels(self) -> list[Steps]:
        """Lowest and highest step of each bin, shape (2, bins); bins of level k last `step_s * FACTOR ** k`."""
        lows, highs = self._finest()
        levels = [np.stack((lows, highs))]
        while levels[-1].shape[1] > TILE:
            levels.append(coarser(levels[-1]))
        return levels

    def _finest(self) -> tuple[Steps, Steps]:
        seen = np.isfinite(self.values)
        low, high = self.range
        steps = np.rint((self.values[seen] - low) / (high - low) * 2 * TOP - TOP).astype(np.int16)
        at = np.rint(self.times[seen] / self.step_s).astype(np.int64)  # a finest bin has its sample in the middle
        inside = at >= 0
        at, steps = at[inside], steps[inside]
        count = int(at[-1]) + 1 if len(at) else 1
        lows, highs = np.full(count, TOP, np.int16), np.full(count, NOTHING, np.int16)
        np.minimum.at(lows, at, steps)
        np.maximum.at(highs, at, steps)
        lows[highs == NOTHING] = NOTHING
        return lows, highs

    def tile(self, level: int, number: int) -> Steps:
        """Lowest and highest of the bins from `number * TILE`, shape (2, at most TILE)."""
        return np.ascontiguousarray(self.levels[level][:, number * TILE : (number + 1) * TILE])

    @property
    def coarse_from(self) -> int:
        """The finest level that is sent whole at the start."""
        return next(k for k, level in enumerate(self.levels) if level.shape[1] <= COARSE)


def coarser(level: Steps) -> Steps:
    """The next level: bins of `FACTOR` bins; an empty one stays empty."""
    short = -level.shape[1] % FACTOR
    padded = np.pad(level, ((0, 0), (0, short)), constant_values=NOTHING).reshape(2, -1, FACTOR)
    lows = np.where(padded[0] == NOTHING, TOP, padded[0]).min(axis=1)
    highs = padded[1].max(axis=1)
    return np.stack((np.where(highs == NOTHING, NOTHING, lows), highs)).astype(np.int16)
