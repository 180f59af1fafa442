"""How hard and how abruptly the wrist moves, by fifths of a second: all that the model of a match needs of motion.

Kept as a group of its own, so that whoever tries another model on a stored session need not go through its samples.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import xarray as xr

Floats = npt.NDArray[np.float64]

PER_SECOND = 5


def binned(felt: Iterable[tuple[Floats, Floats, Floats]], duration_s: float) -> xr.Dataset:
    """Sums over the samples of each bin, and how many those are, two measures for each sensor; dims `bin`, `measure`.

    Of each sensor its times (s), envelope and steps from sample to sample, (n,) each. Steps are summed by their root,
    since few of them are large.
    """
    bins = PER_SECOND * max(1, int(np.ceil(duration_s)))
    sums, counts = list[Floats](), list[npt.NDArray[np.int64]]()
    for times, envelope, jolts in felt:
        at = np.minimum((times * PER_SECOND).astype(np.int64), bins - 1)
        sums += [np.bincount(at, values, bins).astype(np.float64) for values in (envelope, np.sqrt(jolts))]
        counts += [np.bincount(at, minlength=bins).astype(np.int64)] * 2
    table, number = np.empty((bins, len(sums)), np.float32), np.empty((bins, len(sums)), np.int16)
    for i, (column, count) in enumerate(zip(sums, counts, strict=True)):
        table[:, i], number[:, i] = column, count
    return xr.Dataset(
        {
            "motion_sum": (("bin", "measure"), table, {"long_name": "envelope and root of steps, summed by 0.2 s"}),
            "motion_count": (("bin", "measure"), number, {"units": "1", "long_name": "samples in 0.2 s"}),
        }
    )


def part_of(motion: xr.Dataset, low_s: float, high_s: float) -> xr.Dataset:
    """The bins between two whole seconds."""
    return motion.isel(bin=slice(round(PER_SECOND * low_s), round(PER_SECOND * high_s)))
