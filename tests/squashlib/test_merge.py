"""Merging recordings counts nothing twice, whatever the order."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from squashlib.decode.merge import merge
from squashlib.session import build

START = datetime(2026, 1, 1, 10, tzinfo=UTC)


def part(first: int, length: int):  # type: ignore[no-untyped-def]
    times = np.arange(length, dtype=float)
    return build(
        {"hr_time": (times, {"heart_rate": 60.0 + (first + times) % 100})},
        start_time=START + timedelta(seconds=first),
        duration_s=length,
        sources=[{"sha256": f"{first}-{length}", "format": "batch", "bytes": 1}],
    )


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60)), min_size=1, max_size=6), st.randoms())
def test_any_order_gives_the_union_once(spans: list[tuple[int, int]], random) -> None:  # type: ignore[no-untyped-def]
    parts = [part(*span) for span in spans]
    merged = merge(parts, session_id="s")
    shuffled = list(parts)
    random.shuffle(shuffled)
    again = merge(shuffled, session_id="s")
    assert merged.identical(again)
    seconds = sorted({first + i for first, length in spans for i in range(length)})
    low = min(first for first, _ in spans)
    assert merged["hr_time"].values.tolist() == [float(s - low) for s in seconds]
    assert merged["heart_rate"].values.tolist() == [60.0 + s % 100 for s in seconds]
