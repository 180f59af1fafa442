"""When each message of a FIT file was written: full and compressed timestamps, and the device's clock corrected.

Times are seconds since `origin_s`, which is FIT seconds (since 1989-12-31 UTC); whole milliseconds stay exact.
A timestamp below 0x10000000 counts from the device's start (FIT SDK, type date_time); `timestamp_correlation` (162)
says what time it was then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from squashlib.kernels import fit_scan

if TYPE_CHECKING:
    from squashlib.decode.fit import Table

Array = npt.NDArray[Any]
TIMESTAMP, CORRELATION = 253, 162
SYSTEM_TIME = 0x10000000
INVALID = 0xFFFFFFFF
#: A device's clock that is off by more is set wrong, not drifting: nothing is corrected by it.
MAX_DRIFT_S = 3600.0


@dataclass(frozen=True, eq=False)
class Clock:
    """`stamps` by place in the file if some are compressed; `knots` (k, 2): the device's time and what to add."""

    origin_s: int
    stamps: npt.NDArray[np.uint32] | None
    knots: npt.NDArray[np.float64]

    def times(self, table: "Table", sensor: bool = False) -> npt.NDArray[np.float64]:
        """Seconds (n,) since the origin, NaN for messages without a time; `sensor` for those of the sensors' clock."""
        stamps = _stamps(table) if self.stamps is None else self.stamps[table.rank]
        if stamps is None:
            return np.full(len(table), np.nan)
        times = stamps.astype(np.float64)
        times[stamps == INVALID] = np.nan
        if len(self.knots):
            counted = self.knots[0, 0] < SYSTEM_TIME  # only times of the same clock as the knots are corrected
            same = stamps < SYSTEM_TIME if counted else np.full(len(stamps), sensor)
            times += np.where(same, np.interp(times, self.knots[:, 0], self.knots[:, 1]), 0)
        times -= self.origin_s
        return times


def clock(tables: "Sequence[Table]", correlations: "Sequence[Table]", compressed: bool) -> Clock:
    """The clock of a recording, by its `timestamp_correlation`s; its origin is the first dated timestamp."""
    knots = _knots(correlations)
    origin_s = int(knots[0].sum()) if len(knots) else 0
    for stamps in map(_stamps, tables):
        if stamps is not None and len(dated := stamps[(stamps >= SYSTEM_TIME) & (stamps != INVALID)]):
            origin_s = int(dated[0])
            break
    return Clock(origin_s, _counted_on(tables) if compressed else None, knots)


def _stamps(table: "Table") -> npt.NDArray[np.uint32] | None:
    column = table.column(TIMESTAMP)
    return column if column is not None and column.dtype == np.uint32 and column.ndim == 1 else None


def _counted_on(tables: "Sequence[Table]") -> npt.NDArray[np.uint32]:
    """The stamp of every message by its place in the file, five-bit times counted on from the stamp before."""
    n = max((int(table.rank.max()) for table in tables), default=-1) + 1
    stamps, ticks = np.full(n, INVALID, np.uint32), np.full(n, -1, np.int8)
    for table in tables:
        headers = table.buffer[table.offsets - 1]
        ticks[table.rank] = np.where(headers & 0x80, headers & 31, -1)
        if (column := _stamps(table)) is not None:
            stamps[table.rank] = column
    fit_scan.count_on(stamps, ticks)
    return stamps


def _knots(tables: "Sequence[Table]") -> npt.NDArray[np.float64]:
    """What each `timestamp_correlation` says: the device's time and how far it lay behind, shape (k, 2), increasing."""
    if not tables:
        return np.empty((0, 2))
    knots: npt.NDArray[np.float64] = np.concatenate([_correlation(table) for table in tables])
    knots = knots[np.isfinite(knots).all(axis=1)]
    counted = knots[:, 0] < SYSTEM_TIME
    knots = knots[counted] if counted.any() else knots[np.abs(knots[:, 1]) <= MAX_DRIFT_S]
    _, first = np.unique(knots[:, 0], return_index=True)
    return knots[first]


def _correlation(table: "Table") -> npt.NDArray[np.float64]:
    def seconds(whole: str, fraction: str, ms: str) -> Array:
        base = table.scalar(whole)
        if base is None:
            return np.full(len(table), np.nan)
        parts = [table.scalar(fraction), table.scalar(ms)]
        fine = np.zeros(len(table))
        for part, unit in zip(parts, (1.0, 1000.0), strict=True):  # a device writes one of both
            if part is not None:
                fine = np.where((fine == 0) & np.isfinite(part), part / unit, fine)
        return base + fine

    device = seconds("system_timestamp", "fractional_system_timestamp", "system_timestamp_ms")
    return np.column_stack((device, seconds("timestamp", "fractional_timestamp", "timestamp_ms") - device))
