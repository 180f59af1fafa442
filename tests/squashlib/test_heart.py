"""Heart-rate figures by hand: zones, loads, recovery; and what their sentences may say."""

from datetime import UTC, datetime
from math import exp

import numpy as np
import pytest
import xarray as xr

from squashlib.athlete import Athlete
from squashlib.detectors.framework import Context, MetricResult
from squashlib.detectors.heart import HeartDetector
from squashlib.insights import explain
from squashlib.sentences import recommendations
from squashlib.session import build

START = datetime(2026, 1, 1, tzinfo=UTC)
FIGURES = {"hr_difference_interval": None, "win_rate_by_rally_length": [], "momentum_analysis": []}


def groups(
    starts: list[float], stops: list[float], games: list[tuple[float, float]], mean: float = 150.0
) -> dict[str, xr.Dataset]:
    n, table = len(starts), np.array(games, float).reshape(-1, 2)
    number = [1 + sum(start >= low for low in table[1:, 0]) for start in starts]
    rallies = {
        "rally_start": np.array(starts, float), "rally_stop": np.array(stops, float), "rally_game": np.array(number),
        "rally_confidence": np.full(n, 0.9), "rally_hr_mean": np.full(n, 150.0), "rally_winner": np.zeros(n, int),
        "rally_strokes": np.full(n, np.nan),
    }  # fmt: skip
    held = {"game_start": table[:, 0], "game_stop": table[:, 1], "game_confidence": np.full(len(table), 0.9)}
    return {
        "rallies": xr.Dataset({name: ("rally", values) for name, values in rallies.items()}),
        "games": xr.Dataset({name: ("game", values) for name, values in held.items()}),
    }


def recorded(bpm: np.ndarray) -> xr.Dataset:
    times = np.arange(len(bpm), dtype=float)
    return build({"hr_time": (times, {"heart_rate": bpm})}, start_time=START, duration_s=len(bpm))


def found(bpm: np.ndarray, athlete: Athlete, parts: dict[str, xr.Dataset]) -> dict[str, MetricResult]:
    session = recorded(bpm)
    return dict(HeartDetector().detect(Context(session, (), athlete, parts)).metrics)


def test_zones_and_edwards_load_by_hand() -> None:
    # a minute each at 45, 55, 65, 75, 85 and 95 % of a maximum of 200
    bpm = np.repeat([90.0, 110, 130, 150, 170, 190], 60)
    metrics = found(bpm, Athlete(hr_max_bpm=200), groups([0.0], [300.0], [(0, 300)]))
    assert [metrics[f"time_in_zone_{zone}"].value for zone in range(1, 6)] == [60.0] * 5
    assert metrics["training_load_edwards"].value == pytest.approx(1 + 2 + 3 + 4 + 5)
    assert metrics["training_load_banister"].value is None
    assert "resting heart rate" in metrics["training_load_banister"].metadata["reason"]


@pytest.mark.parametrize(("sex", "a", "b"), [("male", 0.64, 1.92), ("female", 0.86, 1.67)])
def test_banisters_load_by_hand(sex: str, a: float, b: float) -> None:
    athlete = Athlete(hr_max_bpm=200, hr_rest_bpm=60, sex=sex)
    metrics = found(np.full(600, 165.0), athlete, groups([0.0], [500.0], [(0, 500)]))
    reserve = (165 - 60) / (200 - 60)
    assert metrics["training_load_banister"].value == pytest.approx(10 * reserve * a * exp(b * reserve))


def test_a_gap_counts_for_ten_seconds_at_most() -> None:
    bpm = np.full(200, 150.0)
    bpm[50:150] = np.nan
    metrics = found(bpm, Athlete(hr_max_bpm=200), groups([0.0], [200.0], [(0, 200)]))
    assert metrics["time_in_zone_3"].value == pytest.approx(99 + 10, abs=1.1)


def falling(tau_s: float) -> np.ndarray:
    """Three games of five minutes at 170 bpm, each followed by two minutes of exponential fall towards 90 bpm."""
    rest = 90 + 80 * np.exp(-np.arange(120) / tau_s)
    return np.concatenate([np.concatenate((np.full(300, 170.0), rest))] * 3)


def test_recovery_is_the_fall_in_a_minute_and_the_time_to_fall_by_twenty() -> None:
    games = [(0.0, 300.0), (420.0, 720.0), (840.0, 1140.0)]
    parts = groups([10.0, 430.0, 850.0], [290.0, 710.0, 1130.0], games)
    bpm = falling(60.0)
    metrics = found(bpm, Athlete(), parts)
    fall = 80 * (1 - np.exp(-1))
    assert metrics["hr_recovery_60s"].value == pytest.approx(fall, abs=1)
    assert metrics["hr_recovery_60s"].metadata["interval"] == pytest.approx([fall, fall], abs=1)
    session = recorded(bpm)
    figures = explain(session, parts, metrics, [], Athlete())["metrics"]
    assert figures["hr_recovery_avg_seconds"] == pytest.approx(-60 * np.log(0.75), abs=1.1)
    assert figures["recovery_to_target_hr"] == 150.0


def test_no_fall_of_twenty_gives_no_time() -> None:
    parts = groups([10.0], [290.0], [(0.0, 300.0)])
    session = recorded(np.full(420, 150.0))
    document = explain(session, parts, {}, [], Athlete())
    assert document["metrics"]["hr_recovery_avg_seconds"] is None
    assert document["reasons"]["hr_recovery_avg_seconds"]


def test_games_alike_make_no_sentence_and_different_ones_do() -> None:
    rng = np.random.default_rng(0)
    starts = [float(25 * i + 100 * (i // 20)) for i in range(60)]
    games = [(starts[i], starts[i + 19] + 15) for i in (0, 20, 40)]
    parts = groups(starts, [start + 14 for start in starts], games)
    told = 0
    for _ in range(200):
        parts["rallies"]["rally_hr_mean"] = ("rally", rng.normal(160, 6, 60))
        told += any("than in game" in item["text"] for item in recommendations(FIGURES, parts, {}))
    assert told <= 10  # all pairs at once: 5 % at most
    parts["rallies"]["rally_hr_mean"] = ("rally", rng.normal(160, 6, 60) + np.repeat([0, 0, 15], 20))
    texts = [item["text"] for item in recommendations(FIGURES, parts, {})]
    assert any("game 3" in text and "higher" in text for text in texts)


def test_zones_of_a_guessed_maximum_make_no_sentence() -> None:
    parts = groups([0.0], [300.0], [(0, 300)])
    for athlete, told in ((Athlete(), False), (Athlete(hr_max_bpm=190), True)):
        metrics = found(np.full(600, 170.0), athlete, parts)
        texts = [item["text"] for item in recommendations(FIGURES, parts, metrics)]
        assert any("80 %" in text for text in texts) is told
