"""Half-open, sorted, disjoint spans of time and their algebra."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Intervals:
    """Spans `[start, stop)` in seconds, sorted and disjoint; touching spans stay two.

    Raises
    ------
    ValueError
        If the spans are not finite, not longer than nothing, not sorted or overlap. Nothing is repaired silently.
    """

    start: FloatArray
    stop: FloatArray

    def __post_init__(self) -> None:
        start, stop = np.array(self.start, np.float64), np.array(self.stop, np.float64)
        if start.ndim != 1 or start.shape != stop.shape:
            raise ValueError(f"starts have shape {start.shape} and stops {stop.shape}, must be one (n,) each")
        if not (np.isfinite(start).all() and np.isfinite(stop).all()):
            raise ValueError("interval bounds must be finite seconds")
        if (stop <= start).any():
            where = int(np.argmax(stop <= start))
            raise ValueError(f"interval {where} is [{start[where]}, {stop[where]}), must end after it starts")
        if (start[1:] < stop[:-1]).any():
            where = int(np.argmax(start[1:] < stop[:-1]))
            raise ValueError(f"intervals {where} and {where + 1} overlap or are not sorted")
        start.flags.writeable = stop.flags.writeable = False
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "stop", stop)

    @classmethod
    def of(cls, spans: Iterable[tuple[float, float]]) -> "Intervals":
        """From pairs, in order."""
        pairs = np.array(list(spans), np.float64).reshape(-1, 2)
        return cls(pairs[:, 0], pairs[:, 1])

    @classmethod
    def where(cls, times: FloatArray, flags: npt.NDArray[np.bool_], step_s: float) -> "Intervals":
        """Runs of true `flags` on a grid of `step_s`, from the first true sample to a step after the last."""
        edges = np.diff(np.concatenate(([0], flags.astype(np.int8), [0])))
        first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
        return cls(times[first], times[last] + step_s)

    @classmethod
    def gaps(cls, times: FloatArray, longer_than_s: float) -> "Intervals":
        """Where neighbouring samples are further apart than `longer_than_s`."""
        first = np.flatnonzero(np.diff(times) > longer_than_s)
        return cls(times[first], times[first + 1])

    def __len__(self) -> int:
        return len(self.start)

    def __iter__(self) -> Iterator[tuple[float, float]]:
        return zip(self.start.tolist(), self.stop.tolist(), strict=True)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Intervals):
            return NotImplemented
        return np.array_equal(self.start, other.start) and np.array_equal(self.stop, other.stop)

    __hash__ = None  # type: ignore[assignment]

    @property
    def durations(self) -> FloatArray:
        """Length of each span, seconds."""
        return self.stop - self.start

    @property
    def total_s(self) -> float:
        """Length of all spans together, seconds."""
        return float(self.durations.sum())

    def index(self, times: FloatArray) -> npt.NDArray[np.intp]:
        """Which span holds each time, -1 for none."""
        where = np.searchsorted(self.start, times, side="right") - 1
        if not len(self):
            return np.full(np.shape(times), -1, np.intp)
        inside = (where >= 0) & (np.asarray(times) < self.stop[where])
        return np.where(inside, where, -1)

    def contains(self, times: FloatArray) -> npt.NDArray[np.bool_]:
        """Whether each time lies in a span."""
        return self.index(times) >= 0

    def intersect(self, other: "Intervals") -> "Intervals":
        """What lies in both."""
        spans: list[tuple[float, float]] = []
        i = j = 0
        while i < len(self) and j < len(other):
            low, high = max(self.start[i], other.start[j]), min(self.stop[i], other.stop[j])
            if low < high:
                spans.append((float(low), float(high)))
            if self.stop[i] <= other.stop[j]:
                i += 1
            else:
                j += 1
        return Intervals.of(spans)

    def complement(self, low_s: float, high_s: float) -> "Intervals":
        """What of `[low_s, high_s)` lies in no span."""
        inside = self.intersect(Intervals.of([(low_s, high_s)])) if high_s > low_s else Intervals.of([])
        bounds = np.concatenate(([low_s], np.column_stack((inside.start, inside.stop)).ravel(), [high_s])).reshape(
            -1, 2
        )
        return Intervals.of((a, b) for a, b in bounds.tolist() if b > a)

    def union(self, other: "Intervals") -> "Intervals":
        """What lies in either; touching spans are joined."""
        spans: list[tuple[float, float]] = []
        for start, stop in sorted([*self, *other]):
            if spans and start <= spans[-1][1]:
                spans[-1] = (spans[-1][0], max(spans[-1][1], stop))
            else:
                spans.append((start, stop))
        return Intervals.of(spans)

    def difference(self, other: "Intervals") -> "Intervals":
        """What lies in this and not in the other."""
        if not len(self):
            return self
        return self.intersect(other.complement(float(self.start[0]), float(self.stop[-1])))
