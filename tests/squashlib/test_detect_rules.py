"""Rules that detectors state: knocks in a break, the heart rate's delay by presses, the border between swings."""

from datetime import UTC, datetime
from itertools import product

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from squashlib.detectors import activity, choice, edges, likeness, training
from squashlib.detectors.calibration import calibration
from squashlib.detectors.features import KINDS, by_likeness
from squashlib.detectors.games import (
    AWAY,
    LAWS,
    MOST_RALLIES,
    UNFINISHED,
    by_gaps,
    final_scores,
    for_break,
    games_of,
    knocks,
    overlooked,
)
from squashlib.detectors.likeness import LOOKS
from squashlib.detectors.model import IDLE, N_STATES, RALLY, REST, first_rates, learnt_rates, log_lognormal
from squashlib.detectors.motion_bins import binned
from squashlib.detectors.segmentation import PRESSED_S, Segmentation, in_step
from squashlib.detectors.swings import sensed
from squashlib.scoring import Point
from squashlib.session import build

START = datetime(2026, 1, 1, tzinfo=UTC)


def swings_at(times: np.ndarray, strength: np.ndarray, **looks: np.ndarray) -> xr.Dataset:
    """Swings that differ in strength, and in other looks if given."""
    table = {name: np.zeros(len(times)) for name in LOOKS} | {"strength": np.log(strength)} | looks
    return xr.Dataset(
        {
            "swing_time": ("swing", times),
            "swing_strength": ("swing", strength.astype(np.float32)),
            "swing_looks": (("swing", "look"), np.column_stack([table[name] for name in LOOKS])),
        }
    )


def test_a_ball_hit_in_a_break_is_no_rally_unless_it_was_scored() -> None:
    starts = np.append(np.arange(6) * 25.0, [220.0, 300.0])
    stops = starts + 14.0
    stops[6:] = starts[6:] + 5.0
    assert knocks(starts, stops, [], 2.0, np.full(len(starts), 0.95)).tolist() == [False] * 6 + [True, True]
    scored = Point(227.0, "me", None, None, None, False, "watch")
    assert knocks(starts, stops, [scored], 2.0, np.full(len(starts), 0.95)).tolist() == [False] * 7 + [True]


@pytest.mark.parametrize("unpressed", [4, 5])
def test_a_rally_without_a_press_belongs_to_its_side_of_the_break(unpressed: int) -> None:
    starts = np.append(np.arange(5) * 25.0, 220.0 + np.arange(5) * 25.0)
    stops = starts + 14.0
    game = [1] * 5 + [2] * 5
    scored = {
        i: Point(stop + 2, "me", None, None, game[i], False, "watch") for i, stop in enumerate(stops) if i != unpressed
    }
    path = np.full(400, REST)
    whole = np.empty(0, np.int64)
    found = Segmentation(
        path, path.astype(np.int8)[None], np.zeros((len(path), 6)), 2.0, whole, whole, np.empty(0), None
    )
    games, number = games_of(starts, stops, scored, found, motion=True)
    assert number.tolist() == game
    assert [span[:2] for span in games] == [(0.0, 114.0), (220.0, 334.0)]


def scored_at(time_s: float, me: int, opponent: int, game: int = 1) -> Point:
    return Point(time_s, "me", me, opponent, game, False, "watch")


def test_presses_sent_all_at_once_after_a_game_tell_its_score() -> None:
    burst = [scored_at(130.0 + i, i + 1, 7) for i in range(11)]
    assert final_scores([(0.0, 120.0, 1.0), (230.0, 400.0, 1.0)], burst)[0].tolist() == [11, 7]
    assert np.isnan(final_scores([(0.0, 120.0, 1.0), (230.0, 400.0, 1.0)], burst)[1]).all()


def test_another_match_begins_with_its_first_game() -> None:
    starts = np.concatenate([base + 25.0 * np.arange(12) for base in (0, 400, 1500)])
    stops, path = starts + 14.0, np.full(2000, REST)
    game = [1] * 12 + [2] * 12 + [1] * 12
    scored = {i: Point(stop + 2, "me", None, None, game[i], False, "watch") for i, stop in enumerate(stops)}
    whole = np.empty(0, np.int64)
    found = Segmentation(path, path.astype(np.int8)[None], np.zeros((2000, 6)), 2.0, whole, whole, np.empty(0), None)
    assert games_of(starts, stops, scored, found, motion=True)[1].tolist() == [1] * 12 + [2] * 12 + [3] * 12


@given(st.lists(st.integers(13, 29), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_breaks_of_the_rules_part_games_of_the_law(rallies: list[int], seed: int) -> None:
    breaks = np.cumsum(rallies)[:-1] - 1
    rng = np.random.default_rng(seed)
    gaps = rng.normal(9.5, 2, sum(rallies) - 1).clip(3)
    gaps[breaks] = rng.uniform(85, 130, len(breaks))
    away = np.isin(np.arange(len(gaps)), breaks)
    number, sure = by_gaps(gaps, away)
    assert number.tolist() == np.repeat(np.arange(len(rallies)) + 1, rallies).tolist()
    assert (sure > 0.5).all()


def test_how_many_rallies_there_are_tells_a_towel_from_a_short_break() -> None:
    gaps = np.full(20, 9.0)
    gaps[11] = 75.0
    assert by_gaps(gaps, np.zeros(20, bool))[0].max() == 1, "twelve and nine rallies are one game"
    gaps = np.full(44, 9.0)
    gaps[21] = 45.0
    assert by_gaps(gaps, np.zeros(44, bool))[0].max() == 2, "45 are two"


def test_no_game_lasts_a_whole_match() -> None:
    gaps = np.tile(np.append(np.full(21, 9.0), 45.0), 4)[:-1]
    gaps[[10, 40]] = 25.0
    number, _ = by_gaps(gaps, np.zeros(len(gaps), bool))
    assert np.bincount(number)[1:].tolist() == [22, 22, 22, 22]
    gaps[:] = 9.0
    assert by_gaps(gaps, np.zeros(len(gaps), bool))[1].max() < 0.5, "88 rallies are no game"


def test_how_sure_games_are_is_the_share_of_all_cuts_by_their_weights() -> None:
    """Beside every cut of a short row of rallies by every law, written out."""
    gaps, away = np.array([9.0, 40.0, 8.0, 60.0, 10.0]), np.array([False, True, False, False, False])
    number, sure = by_gaps(gaps, away)
    told = for_break(gaps) + np.where(away, AWAY, overlooked(gaps))
    weights: dict[tuple[int, ...], float] = {}
    lawful: dict[tuple[int, ...], float] = {}
    for chosen in product((False, True), repeat=len(gaps)):
        sizes, cut = np.diff([0, *(np.flatnonzero(chosen) + 1), len(gaps) + 1]), tuple(np.append(0, np.cumsum(chosen)))
        weights[cut] = 0.0
        for prior, median, spread in LAWS:
            lawful[cut] = weights[cut]  # without the last, by which no game is one
            law = np.exp(log_lognormal(np.arange(1.0, MOST_RALLIES + 1), median, spread))
            games = [law[size - 1] for size in sizes]
            for edge in {0, len(sizes) - 1}:  # begun before, or left after
                games[edge] += np.exp(UNFINISHED) * law[sizes[edge] - 1 :].sum()
            weights[cut] += prior * float(np.prod(games)) * float(np.exp(told[list(chosen)].sum()))
    total = sum(weights.values())
    best = max(weights, key=lambda cut: weights[cut])
    assert tuple(number - 1) == best
    for game, p in enumerate(sure):
        rows = np.flatnonzero(np.array(best) == game)
        same = [w for cut, w in lawful.items() if set(np.flatnonzero(np.array(cut) == cut[rows[0]])) == set(rows)]
        assert p == pytest.approx(sum(same) / total)


def test_a_doubtful_rally_amid_what_else_would_be_a_break_is_a_ball_hit_in_it() -> None:
    starts = np.append(np.arange(6) * 25.0, [164.0, 215.0, 240.0, 265.0])
    stops = starts + 14.0
    stops[6] = 169.0
    sure = np.where(np.arange(10) == 6, 0.6, 0.95)
    assert np.flatnonzero(knocks(starts, stops, [], 2.0, sure)).tolist() == [6]
    assert not knocks(starts, stops, [], 2.0, np.full(len(starts), 0.95)).any(), "a sure one is a rally"


def test_a_long_rally_alone_is_a_rally() -> None:
    starts = np.append(np.arange(6) * 25.0, 220.0)
    stops = starts + 14.0
    stops[6] = 260.0
    assert not knocks(starts, stops, [], 2.0, np.full(len(starts), 0.95)).any()


def test_a_slow_heart_and_a_quick_finger_share_what_is_between_them() -> None:
    seconds = np.arange(1200)
    play = seconds % 25 < 15  # play for 15 s, rest for 10 s
    ends = np.arange(15, 1200, 25)
    for late_s, pressed_s in ((0, 2.75), (2, 2.75), (-2, 2.75), (0, 1.25), (0, 4.25)):
        demand = np.where(np.roll(play, late_s), 170.0, 110.0)
        moved, offset_s = in_step(demand, ends + pressed_s)
        assert moved is not None
        turns = np.flatnonzero(np.diff(moved) < 0) + 1
        agreed = np.median((turns + offset_s) - (ends + pressed_s)[: len(turns)])
        assert agreed == pytest.approx(0, abs=1.1), "heart and presses put a rally's end at the same second"
        between = late_s - (pressed_s - 2.75)
        assert offset_s == pytest.approx(2.75 - 0.43 * between, abs=0.5)


def test_without_presses_or_heart_rate_nothing_moves() -> None:
    demand = np.arange(100.0)
    assert in_step(None, np.arange(20.0)) == (None, PRESSED_S)
    moved, offset_s = in_step(demand, np.empty(0))
    assert moved is demand
    assert offset_s == PRESSED_S
    missing, _ = in_step(np.full(100, np.nan), np.linspace(0, 99, 20))
    assert missing is not None
    assert np.isnan(missing).all()


def test_looks_that_tell_strokes_are_learnt_in_the_session() -> None:
    rng = np.random.default_rng(5)
    starts = np.arange(0.0, 1500.0, 25.0)
    stops = starts + 15.0
    hits = (starts[:, None] + np.arange(0.5, 13.0, 2.9)).ravel()
    times = np.sort(np.concatenate((hits, rng.uniform(0, 1500, 600))))
    is_hit = np.isin(times, hits)
    quiet = ((times % 25.0) > 15.5) & ~is_hit
    strength = rng.lognormal(0, 0.3, len(times))  # tells nothing; how straight the movement is tells all
    straight = np.where(is_hit, 1.0, 0.0) + rng.normal(0, 0.2, len(times))
    for scale in (0.25, 1.0, 4.0):  # players differ by a factor of four
        found = likeness.learn(swings_at(times, scale * strength, straight=straight), starts, stops, quiet)
        assert ((found.probability > 0.5) == is_hit).mean() > 0.95


def test_strokes_keep_the_rhythm_of_two_who_hit_in_turn() -> None:
    times = np.array([0.0, 2.9, 4.3, 5.8, 8.7])  # alike in looks; the third stands where the opponent hits
    p = likeness.in_rhythm(times, np.zeros(5), np.array([0.0]), np.array([11.0]))
    assert p[2] < 0.25
    assert (p[[0, 1, 3, 4]] > 0.6).all()


def test_kinds_of_swings_keep_their_number_and_none_gives_none() -> None:
    rng = np.random.default_rng(6)
    counts, strong = by_likeness(np.sort(rng.uniform(0, 99, 300)), rng.normal(size=300), 100)
    assert counts.shape == (100, KINDS)
    assert counts.sum() == 300
    assert counts.sum(axis=0).max() - counts.sum(axis=0).min() <= 2
    assert (np.diff(strong) > 0).all()
    alike, _ = by_likeness(np.arange(50.0), np.ones(50), 100)
    assert alike.sum() == 50
    none, _ = by_likeness(np.empty(0), np.empty(0), 100)
    assert none.sum() == 0


def test_of_sampled_paths_the_rallies_that_most_hold_are_chosen() -> None:
    samples = np.full((10, 60), REST, np.int8)
    samples[:, 5:15] = RALLY
    samples[:9, 20:30] = RALLY
    samples[:3, 28:50] = RALLY  # in three paths the second goes on; in one it is not there
    samples[9, 40:44] = RALLY
    starts, stops, sure = choice.choose(samples)
    assert (starts.tolist(), stops.tolist()) == ([5, 20], [15, 30])
    assert sure.tolist() == [1.0, 0.6]
    path = choice.with_rallies(np.full(60, REST), starts, stops)
    assert (path[5:15] == RALLY).all()
    assert (path[15:20] == REST).all()
    assert (path[30:] == IDLE).all()


def test_one_who_receives_or_runs_for_the_last_ball_plays_longer_than_one_who_serves_and_wins() -> None:
    rng = np.random.default_rng(7)
    n, rate_hz = 60, 50
    starts = 20.0 + 25.0 * np.arange(n)
    receives, runs = np.arange(n) % 2 == 1, np.arange(n) % 3 == 0
    first, last = starts + edges.INTER_SHOT_S * receives, starts + 12.0
    times = np.arange(int(rate_hz * 25 * (n + 1.5))) / rate_hz
    busy = edges.spans(times, starts - 0.2, last + 0.8 + edges.INTER_SHOT_S * runs)
    turn = rng.normal(0, 1, (len(times), 3)) * np.where(busy, 3.0, 0.5)[:, None]
    session = build({"gyro_time": (times, {"angular_velocity": turn})}, start_time=START, duration_s=times[-1])
    _, fine = activity.measures(binned(sensed(session).values(), float(times[-1]))) or ()
    strokes = np.sort(np.concatenate((first, last, first + 3, first + 6)))
    low, high = edges.snapped(fine, strokes, first - 0.5, last + 0.5, [])
    assert np.abs(low - starts).max() < 0.5
    dead = last + edges.BALL_DEAD_S + edges.INTER_SHOT_S * runs
    assert np.abs(high - dead).max() < 0.5


@pytest.mark.parametrize(("apart_s", "sport"), [(2.8, "squash"), (1.4, "squash"), (2.9, "tennis")])
def test_who_hits_for_minutes_on_end_trains(apart_s: float, sport: str) -> None:
    times = np.arange(30.0, 700.0, apart_s)
    path = np.full(800, IDLE)
    path[30:700] = RALLY
    assert training.is_training(sport, swings_at(times, np.full(len(times), 9.0)), path)


def test_a_match_is_no_training() -> None:
    starts = np.arange(0, 2000, 24)
    path = np.full(2000, REST)
    for start in starts:
        path[start : start + 14] = RALLY
    times = (starts[:, None] + np.arange(1.0, 13.0, 2.9)).ravel()
    assert not training.is_training("squash", swings_at(times, np.full(len(times), 9.0)), path)
    path[600:1020] = RALLY  # a rally to be talked of for years
    assert not training.is_training("squash", swings_at(times, np.full(len(times), 9.0)), path)


def test_bouts_are_hitting_without_a_long_break() -> None:
    times = np.concatenate((np.arange(10, 100, 3.0), [150.0, 153.0], np.arange(200, 230, 4.0)))
    starts, stops = training.bouts(times)
    assert (starts.tolist(), stops.tolist()) == ([9.5, 199.5], [97.5, 228.5])


def test_what_is_less_sure_is_wider() -> None:
    alone, points, motion = (calibration(motion=m, points=p) for m, p in ((False, False), (False, True), (True, True)))
    widths = [np.diff(known.count_interval(100))[0] for known in (alone, points, motion)]
    assert widths == sorted(widths, reverse=True)
    share = np.linspace(0, 1, 11)
    assert (alone.confidence(share) <= points.confidence(share)).sum() >= 2
    assert all((np.diff(known.confidence(share)) > 0).all() for known in (alone, points, motion))


def test_rates_are_learnt_from_the_seconds_of_a_state_and_gaps_say_nothing() -> None:
    from squashlib.detectors.features import Features

    counts = np.zeros((2000, KINDS))
    counts[:1000, -1] = 0.5  # the first half holds strong swings only
    seen = Features(None, None, None, counts, np.linspace(0, 1, KINDS), None)
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
    again = learnt_rates(Features(None, None, None, gap, seen.strong, None), path, before)
    assert again is not None
    assert abs(again[-1, 1] - 0.5) < 0.03
