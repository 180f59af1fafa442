"""A recording is more than its match: what a watch feels on a table, in a bag or at dinner changes nothing."""

import numpy as np
import pytest
import xarray as xr

import squashlib
from squashlib.detectors.edges import BIN_S
from squashlib.detectors.splits import rest_told, split
from squashlib.session import build, parse_iso, start_of
from squashlib.simulate.match import Match

RATE_HZ = 25.0


@pytest.fixture(scope="module")
def match() -> Match:
    return squashlib.simulate(seed=3, rate_hz=RATE_HZ)


def left_on(match: Match, before_s: float, after_s: float) -> xr.Dataset:
    """A match of which the watch lay on a table before and after."""
    rng, session = np.random.default_rng(0), match.session
    length = float(session.attrs["duration_s"])
    streams = {"hr_time": (session["hr_time"].values + before_s, {"heart_rate": session["heart_rate"].values})}
    for dim, name, level, noise in (
        ("accel_time", "acceleration", 9.81, 0.05),
        ("gyro_time", "angular_velocity", 0.0, 0.02),
    ):
        sides = np.arange(0, before_s, 1 / RATE_HZ), np.arange(0, after_s, 1 / RATE_HZ) + before_s + length
        still = [rng.normal([0, 0, level], noise, (len(side), 3)) for side in sides]
        still[0][2500:2505] += 3.0  # the table is knocked
        still[1][-100:-50] += rng.normal(0, 4.0, still[1][-100:-50].shape)  # somebody picks the watch up to stop it
        times = np.concatenate([sides[0], session[dim].values + before_s, sides[1]])
        streams[dim] = (times, {name: np.concatenate([still[0], session[name].values, still[1]])})
    return build(streams, start_time=start_of(session), duration_s=before_s + length + after_s)


@pytest.mark.parametrize(("before_s", "after_s"), [(0, 420), (0, 7200), (1800, 1200)])
def test_a_watch_left_on_a_table_sees_the_same_match(match: Match, before_s: float, after_s: float) -> None:
    alone = squashlib.analyse(match.session)
    left = squashlib.analyse(left_on(match, before_s, after_s))
    assert left.rallies.sizes["rally"] == pytest.approx(alone.rallies.sizes["rally"], abs=1)
    assert left.games.sizes == alone.games.sizes
    assert left.games["game_start"].values - before_s == pytest.approx(alone.games["game_start"].values, abs=2)
    assert left.strokes.sizes["stroke"] == pytest.approx(alone.strokes.sizes["stroke"], rel=0.02)
    assert {group.sizes.get("swing") for group in left.groups.values()} - {None} == {
        left.groups["swings"].sizes["swing"]
    }
    document = left.to_dict()
    assert len(document["rallies"]) == left.rallies.sizes["rally"]


def test_hours_at_rest_after_a_match_change_little_for_the_heart(match: Match) -> None:
    times, bpm = match.session["hr_time"].values, match.session["heart_rate"].values
    after = np.arange(times[-1] + 1, times[-1] + 7200)
    rest = 72 + (bpm[-1] - 72) * np.exp(-(after - times[-1]) / 120) + np.random.default_rng(3).normal(0, 1, len(after))
    streams = {"hr_time": (np.append(times, after), {"heart_rate": np.round(np.append(bpm, rest))})}
    start = start_of(match.session)
    longer = squashlib.analyse(build(streams, start_time=start, duration_s=float(after[-1]) + 1))
    alone = squashlib.analyse(match.session.drop_dims(["accel_time", "gyro_time"]))
    assert longer.rallies.sizes["rally"] == pytest.approx(alone.rallies.sizes["rally"], rel=0.15)
    assert longer.games["game_stop"].values[-1] == pytest.approx(alone.games["game_stop"].values[-1], abs=30)


def test_a_table_plays_no_squash() -> None:
    rng, seconds = np.random.default_rng(1), 1800
    times = np.arange(0, seconds, 1 / RATE_HZ)
    streams = {
        "accel_time": (times, {"acceleration": rng.normal([0, 0, 9.81], 0.05, (len(times), 3))}),
        "gyro_time": (times, {"angular_velocity": rng.normal(0, 0.02, (len(times), 3))}),
    }
    found = squashlib.analyse(build(streams, start_time=parse_iso("2026-01-05T18:00:00Z"), duration_s=seconds))
    assert not found.rallies.sizes["rally"]
    assert not found.games.sizes["game"]
    assert not found.strokes.sizes["stroke"]


def test_a_rally_is_parted_where_a_rest_is_told() -> None:
    evidence = np.full(round(60 / BIN_S), 2.0)
    strokes = np.array([10.0, 13.0, 16.0, 23.0, 26.0, 29.0])
    starts, stops = np.array([9.0]), np.array([31.0])
    assert split(evidence, strokes, starts, stops)[2].tolist() == [0], "who moves as in play has missed a stroke"
    evidence[round(18 / BIN_S) : round(22 / BIN_S)] = -2.0
    low, high, of = split(evidence, strokes, starts, stops)
    assert (low.tolist(), high.tolist(), of.tolist()) == ([9.0, 22.0], [17.0, 31.0], [0, 0])


def test_what_tells_of_a_rest_is_the_best_stretch_of_all() -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        evidence = rng.normal(0, 2, 60)
        slow = max(-0.35 * evidence[a:b].sum() for a in range(4, 40) for b in range(a + 10, 50))
        assert rest_told(evidence, 0.0, 10.2) == pytest.approx(slow)
