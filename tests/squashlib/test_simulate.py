"""The simulator's laws are those of labelled matches, its motion that of wrists, its faults those of people."""

import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

import squashlib
from squashlib.fingerprint import reached
from squashlib.intervals import Intervals
from squashlib.session import parse_iso
from squashlib.simulate.script import Script, write_script

LABELS = Path(__file__).parents[2].parent / "shared" / "data" / "squash_video_labels"
needs_labels = pytest.mark.skipif(not LABELS.exists(), reason="the labelled matches are not there")


@pytest.fixture(scope="module")
def scripts() -> list[Script]:
    return [write_script(np.random.default_rng(seed), "club") for seed in range(40)]


def labelled() -> dict[str, np.ndarray]:
    """Rallies, rests, contact intervals (to the opponent's and to the own next contact) and hits per rally."""
    segments, hits = pd.read_csv(LABELS / "segments.csv"), pd.read_csv(LABELS / "hits.csv")
    whole = segments[segments.censored == 0]
    found: dict[str, list[float]] = {name: [] for name in ("gap", "own", "hits", "dead")}
    for _, rally in whole[whole.state == "rally"].iterrows():
        inside = (hits.video == rally.video) & (hits.time_s > rally.start_s - 0.3) & (hits.time_s < rally.end_s + 0.3)
        times, player = hits[inside].time_s.to_numpy(), hits[inside].player_id.to_numpy()
        turns = player[1:] != player[:-1]  # the same player twice: a contact was not labelled
        found["gap"] += np.diff(times)[turns].tolist()
        found["own"] += (times[2:] - times[:-2])[turns[1:] & turns[:-1]].tolist()
        found["hits"].append(len(times))
        found["dead"].append(rally.end_s - times[-1])
    lengths = {s: whole[whole.state == s].duration_s.to_numpy() for s in ("rally", "rest")}
    return lengths | {name: np.array(values) for name, values in found.items()}


def simulated(scripts: list[Script]) -> dict[str, np.ndarray]:
    rallies = [r for s in scripts for r in s.rallies]
    pairs = [(a, b) for s in scripts for a, b in pairwise(s.rallies) if a.game == b.game]
    return {
        "rally": np.array([r.stop_s - r.start_s for r in rallies]),
        "rest": np.array([b.start_s - a.stop_s for a, b in pairs]),
        "gap": np.concatenate([np.diff([t for t, _ in r.contacts]) for r in rallies]),
        "own": np.concatenate([np.diff([t for t, mine in r.contacts if mine]) for r in rallies]),
        "hits": np.array([len(r.contacts) for r in rallies]),
        "dead": np.array([r.stop_s - r.last_contact_s for r in rallies]),
    }


@needs_labels
@pytest.mark.parametrize("law", ["rally", "rest", "gap", "own", "hits", "dead"])
def test_laws_are_those_of_labelled_matches(scripts: list[Script], law: str) -> None:
    real, made = labelled()[law], simulated(scripts)[law]
    longest = {"gap": 2.2, "own": 4.2}.get(law, np.inf)  # beyond it a label is missing
    real, made = real[real < longest], made[made < longest]
    assert len(real) > 50
    assert ks_2samp(real, made).pvalue > 0.05, (law, real.mean(), made.mean())


@needs_labels
def test_the_test_of_laws_can_fail(scripts: list[Script]) -> None:
    real, made = labelled(), simulated(scripts)
    for law in ("rally", "rest", "gap"):
        assert ks_2samp(real[law], 1.35 * made[law]).pvalue < 0.05


def test_levels_differ_as_players_do() -> None:
    shots, rests = {}, {}
    for level in ("recreational", "club", "elite"):
        made = simulated([write_script(np.random.default_rng(seed), level) for seed in range(12)])
        shots[level], rests[level] = np.median(made["hits"]), made["rest"].mean()
    assert shots["recreational"] < shots["club"] < shots["elite"]
    assert 10 <= shots["elite"] <= 14
    assert all(8 < rest < 15 for rest in rests.values())


@pytest.mark.parametrize("level", ["recreational", "club", "elite"])
def test_scores_obey_the_laws(level: Any) -> None:
    script = write_script(np.random.default_rng(7), level)
    for number, (start, stop, score) in enumerate(script.games, 1):
        assert max(score) >= 11
        assert max(score) == 11 or abs(score[0] - score[1]) == 2
        rallies = [r for r in script.rallies if r.game == number]
        assert (rallies[0].start_s, rallies[-1].stop_s) == (start, stop)
        assert rallies[-1].score == score
        assert sum(not r.is_let for r in rallies) == sum(score)
    Intervals.of([script.warmup, *((r.start_s, r.stop_s) for r in script.rallies), script.cooldown])


def test_one_seed_is_one_match() -> None:
    a, b, c = (squashlib.simulate(seed, rate_hz=10) for seed in (4, 4, 5))
    assert a.truth == b.truth
    assert a.points == b.points
    assert a.session.drop_vars("axis").equals(b.session.drop_vars("axis"))
    assert a.truth != c.truth


def test_truth_does_not_depend_on_the_watch() -> None:
    one = squashlib.simulate(4, rate_hz=10)
    other = squashlib.simulate(4, rate_hz=100, sensors=("acceleration",))
    assert one.truth == other.truth
    assert set(other.session.data_vars) == {"acceleration"}


def peaks(match: Any, name: str, clock: str) -> np.ndarray:
    """Largest magnitude within 0.2 s of each stroke of the rallies."""
    size = np.linalg.norm(match.session[name].values, axis=1)
    times, zero = match.session[clock].values, parse_iso(match.truth["start"])
    at = np.array([(parse_iso(s["time"]) - zero).total_seconds() for s in match.truth["strokes"]])
    low, high = np.searchsorted(times, at - 0.2), np.searchsorted(times, at + 0.2)
    return np.array([size[a:b].max() for a, b in zip(low, high, strict=True) if b > a])


def test_swings_are_as_fast_as_recorded_ones() -> None:
    gyro = [np.median(peaks(squashlib.simulate(s), "angular_velocity", "gyro_time")) for s in range(20, 32)]
    free = [np.median(peaks(squashlib.simulate(s, hand="other"), "angular_velocity", "gyro_time")) for s in range(6)]
    assert 600 < np.rad2deg(np.median(gyro)) < 1500
    assert 1.8 < max(gyro) / min(gyro) < 5
    assert 150 < np.rad2deg(np.median(free)) < 500


def test_at_rest_the_watch_feels_gravity() -> None:
    match = squashlib.simulate(9, faults=False)
    size = np.linalg.norm(match.session["acceleration"].values, axis=1)
    assert np.median(size) == pytest.approx(9.81, rel=0.06)


def test_faults_are_there_and_can_be_left_out() -> None:
    clean = [squashlib.simulate(s, rate_hz=20, faults=False) for s in range(3)]
    for match in clean:
        assert np.allclose(np.diff(match.session["accel_time"]), 0.05, atol=1e-6)
        assert not np.isnan(match.session["heart_rate"]).any()
        assert len(match.points) == len(match.truth["rallies"])
    faulty = [squashlib.simulate(s, rate_hz=20) for s in range(8)]
    assert any(np.diff(m.session["accel_time"]).max() > 0.25 for m in faulty)
    assert any(np.isnan(m.session["heart_rate"]).any() for m in faulty)
    assert max(np.diff(m.session["accel_time"]).std() for m in faulty) > 1e-4
    assert sum(len(m.points) for m in faulty) < sum(len(m.truth["rallies"]) for m in faulty)
    strong = [np.abs(m.session["angular_velocity"].values).max() for m in (squashlib.simulate(s) for s in range(10))]
    assert max(strong) == pytest.approx(np.deg2rad(2000), rel=1e-5)


def test_presses_come_in_order_and_late() -> None:
    match = squashlib.simulate(2, sensors=())
    times = [parse_iso(p["timestamp"]) for p in match.points]
    assert times == sorted(times)
    ends = np.array([parse_iso(r["end"]).timestamp() for r in match.truth["rallies"]])
    delays = np.array([t.timestamp() - ends[ends < t.timestamp()].max() for t in times])
    assert 0.5 < np.median(delays) < 6


def test_heart_rate_falls_in_breaks() -> None:
    falls = []
    for seed in range(6):
        match = squashlib.simulate(seed, sensors=("heart_rate",), faults=False)
        zero = parse_iso(match.truth["start"])
        times, bpm = match.session["hr_time"].values, match.session["heart_rate"].values
        for a, b in pairwise(match.truth["games"]):
            end, start = ((parse_iso(m) - zero).total_seconds() for m in (a["end"], b["start"]))
            falls.append(np.interp(end, times, bpm) - np.interp(start, times, bpm))
    assert 25 < np.median(falls) < 75


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"rate_hz": 5}, "rate_hz"),
        ({"hand": "left"}, "hand"),
        ({"level": "pro"}, "level"),
        ({"sensors": ["ecg"]}, "ecg"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        squashlib.simulate(1, **arguments)


def test_fast_enough_to_make_many() -> None:
    squashlib.simulate(0, rate_hz=10)
    before = time.process_time()
    minutes = sum(squashlib.simulate(seed, rate_hz=50).session.attrs["duration_s"] for seed in (1, 2)) / 60
    assert time.process_time() - before < 10 * minutes / 90 + 5


def test_simulator_and_detectors_share_no_figure() -> None:
    made = set().union(*(reached(f"squashlib.simulate.{name}") for name in ("match", "script", "fit_writer")))
    found = reached("squashlib.analysis")
    assert "squashlib.simulate.gestures" in made
    assert "squashlib.detectors.rallies" in found
    assert not {name for name in made if name.startswith("squashlib.detectors")}
    assert not {name for name in found if name.startswith("squashlib.simulate")}
