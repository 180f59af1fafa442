"""The pyramid holds every sample's extremes at every level, and its tiles are pieces of its levels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squashlib.pyramid import COARSE, FACTOR, NOTHING, TILE, TOP, Channel, coarser


def values_of(channel: Channel, steps: np.ndarray) -> np.ndarray:
    low, high = channel.range
    return low + (steps.astype(float) + TOP) / (2 * TOP) * (high - low)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5000), st.floats(0.0, 0.6))
def test_no_peak_is_lost_at_any_level(seed: int, count: int, missing: float) -> None:
    rng = np.random.default_rng(seed)
    times = np.arange(count) / 50 + rng.uniform(-0.004, 0.004, count)
    values = np.where(rng.random(count) < missing, np.nan, rng.normal(0, 10, count))
    channel = Channel("a", "", times, values)
    step = (channel.range[1] - channel.range[0]) / TOP
    at = np.rint(times / channel.step_s).astype(int)
    seen = np.isfinite(values) & (at >= 0)
    for k, (lows, highs) in enumerate(channel.levels):
        here = at // FACTOR**k
        for name, steps, best in (("low", lows, np.fmin.reduce), ("high", highs, np.fmax.reduce)):
            for b in np.unique(here[seen])[:50]:
                expected = best(values[seen & (here == b)])
                assert values_of(channel, steps[b]) == pytest.approx(expected, abs=step), (name, k, b)
        empty = np.setdiff1d(np.arange(len(lows)), here[seen])
        assert (highs[empty] == NOTHING).all()
        assert (lows[empty] == NOTHING).all()


def test_tiles_are_pieces_of_levels_and_the_coarse_part_is_small() -> None:
    times = np.arange(540_000) / 100
    channel = Channel("a", "", times, np.sin(times).astype("f4"))
    assert [level.shape[1] for level in channel.levels] == [540_000, 135_000, 33_750, 8_438, 2_110, 528]
    whole = np.concatenate([channel.tile(1, n) for n in range(-(-135_000 // TILE))], axis=1)
    assert (whole == channel.levels[1]).all()
    assert channel.levels[channel.coarse_from].shape[1] <= COARSE


def test_nothing_one_sample_and_a_constant_are_drawn() -> None:
    for values in ([], [np.nan], [3.0], [3.0] * 100):
        channel = Channel("a", "", np.arange(len(values), dtype=float), np.array(values))
        assert channel.range[1] > channel.range[0]
        assert channel.levels[0].shape[1] >= 1
    with pytest.raises(ValueError, match="one \\(n,\\) each"):
        Channel("a", "", np.zeros(3), np.zeros(2))


def test_an_empty_bin_stays_empty() -> None:
    level = np.full((2, 6), NOTHING, np.int16)
    level[:, 5] = 7
    assert coarser(level).tolist() == [[NOTHING, 7], [NOTHING, 7]]
