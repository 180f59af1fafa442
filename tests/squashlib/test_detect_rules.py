"""Rules that detectors state: knocks in a break, the heart rate's delay by presses, the border between swings."""

import numpy as np
import xarray as xr

from squashlib.detectors.features import KINDS, by_strength
from squashlib.detectors.games import knocks
from squashlib.detectors.model import N_STATES, first_rates, learnt_rates
from squashlib.detectors.segmentation import in_step
from squashlib.detectors.strokes import stroke_probability
from squashlib.scoring import Point


def swings_at(times: np.ndarray, strength: np.ndarray) -> xr.Dataset:
    return xr.Dataset(
        {
            "swing_time": ("swing", times),
            "swing_strength": ("swing", strength.astype(np.float32)),
            "swing_probability": ("swing", np.full(len(times), 0.5, np.float32)),
        }
    )


def test_a_ball_hit_in_a_break_is_no_rally_unless_it_was_scored() -> None:
    starts = np.append(np.arange(6) * 25.0, [220.0, 300.0])
    stops = starts + 14.0
    stops[6:] = starts[6:] + 5.0
    assert knocks(starts, stops, [], 2.0).tolist() == [False] * 6 + [True, True]
    scored = Point(227.0, "me", None, None, None, False, "watch")
    assert knocks(starts, stops, [scored], 2.0).tolist() == [False] * 7 + [True]


def test_a_long_rally_alone_is_a_rally() -> None:
    starts = np.append(np.arange(6) * 25.0, 220.0)
    stops = starts + 14.0
    stops[6] = 260.0
    assert not knocks(starts, stops, [], 2.0).any()


def test_presses_set_the_delay_of_heart_rate() -> None:
    seconds = np.arange(1200)
    demand = np.where(seconds % 25 < 15, 170.0, 110.0)  # play for 15 s, rest for 10 s
    presses = np.arange(15, 1200, 25) + 2.0
    for late in (-3, 0, 5):
        moved = in_step(np.roll(demand, late), presses, 2.0)
        assert moved is not None
        assert (np.abs(moved - demand) > 1).mean() <= 0.1, late  # a second at each of two edges in 25


def test_without_presses_or_heart_rate_nothing_moves() -> None:
    demand = np.arange(100.0)
    assert in_step(None, np.arange(20.0), 2.0) is None
    moved = in_step(demand, np.empty(0), 2.0)
    assert moved is demand
    missing = np.full(100, np.nan)
    assert np.isnan(in_step(missing, np.linspace(0, 99, 20), 2.0)).all()


def test_the_tempo_of_play_parts_strokes_from_other_swings() -> None:
    rng = np.random.default_rng(5)
    hits = np.arange(0.0, 290.0, 2.9)
    times = np.sort(np.concatenate((hits, hits + 1.4)))
    is_hit = np.isin(times, hits)
    for scale in (0.25, 1.0, 4.0):  # players differ by a factor of four
        strength = scale * np.where(is_hit, 10.0, 3.0) * rng.lognormal(0, 0.15, len(times))
        found = stroke_probability(swings_at(times, strength), np.array([0.0]), np.array([291.0])) > 0.5
        assert (found == is_hit).mean() > 0.97


def test_kinds_of_swings_keep_their_number_and_none_gives_none() -> None:
    rng = np.random.default_rng(6)
    counts, strong = by_strength(swings_at(np.sort(rng.uniform(0, 99, 300)), rng.lognormal(size=300)), 100)
    assert counts.shape == (100, KINDS)
    assert counts.sum() == 300
    assert counts.sum(axis=0).max() - counts.sum(axis=0).min() <= 2
    assert ((strong >= 0) & (strong <= 1)).all()
    alike, _ = by_strength(swings_at(np.arange(50.0), np.ones(50)), 100)
    assert alike.sum() == 50
    none, _ = by_strength(swings_at(np.empty(0), np.empty(0)), 100)
    assert none.sum() == 0


def test_rates_are_learnt_from_the_seconds_of_a_state_and_gaps_say_nothing() -> None:
    from squashlib.detectors.features import Features

    counts = np.zeros((2000, KINDS))
    counts[:1000, -1] = 0.5  # the first half holds strong swings only
    seen = Features(None, None, counts, np.linspace(0, 1, KINDS), None)
    before = first_rates(seen)
    assert before is not None
    assert before.shape == (KINDS, N_STATES)
    path = np.repeat([1, 2], 1000)
    after = learnt_rates(seen, path, before)
    assert after is not None
    assert abs(after[-1, 1] - 0.5) < 0.02
    assert after[-1, 2] < 0.05
    gap = counts.copy()
    gap[500:1000] = np.nan
    again = learnt_rates(Features(None, None, gap, seen.strong, None), path, before)
    assert again is not None
    assert abs(again[-1, 1] - 0.5) < 0.03
