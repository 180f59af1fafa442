"""The algebra of spans against the slow, obvious version on a grid of integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squashlib.intervals import Intervals

GRID = np.arange(0, 40) + 0.5


@st.composite
def spans(draw: st.DrawFn) -> Intervals:
    bounds = sorted(draw(st.sets(st.integers(0, 40), max_size=16)))
    return Intervals.of(zip(bounds[::2], bounds[1::2], strict=False))


def cells(intervals: Intervals) -> list[bool]:
    return [any(start <= t < stop for start, stop in intervals) for t in GRID]


@given(spans(), spans())
def test_algebra_equals_that_of_sets(a: Intervals, b: Intervals) -> None:
    in_a, in_b = np.array(cells(a)), np.array(cells(b))
    assert cells(a.union(b)) == (in_a | in_b).tolist()
    assert cells(a.intersect(b)) == (in_a & in_b).tolist()
    assert cells(a.difference(b)) == (in_a & ~in_b).tolist()
    assert cells(a.complement(0, 40)) == (~in_a).tolist()


@given(spans())
def test_contains_and_index(a: Intervals) -> None:
    assert a.contains(GRID).tolist() == cells(a)
    where = a.index(GRID)
    assert all(a.start[i] <= t < a.stop[i] for i, t in zip(where, GRID, strict=True) if i >= 0)


@given(st.lists(st.booleans(), max_size=30))
def test_where_gives_runs(flags: list[bool]) -> None:
    times = np.arange(len(flags), dtype=float)
    assert Intervals.where(times, np.array(flags, bool), 1.0).contains(times + 0.5).tolist() == flags


@pytest.mark.parametrize(
    ("start", "stop", "says"),
    [
        ([0.0, 2.0], [3.0, 4.0], "overlap"),
        ([5.0, 0.0], [6.0, 1.0], "overlap"),
        ([1.0], [1.0], "end after it starts"),
        ([np.nan], [1.0], "finite"),
        ([0.0], [1.0, 2.0], "shape"),
    ],
)
def test_nothing_is_repaired(start: list[float], stop: list[float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Intervals(np.array(start), np.array(stop))


def test_spans_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        Intervals.of([(0, 1)]).start[0] = 5


def test_gaps() -> None:
    assert list(Intervals.gaps(np.array([0.0, 1, 2, 9, 10]), 2.0)) == [(2.0, 9.0)]
