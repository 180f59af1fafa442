"""Detection against truth, and against sessions that hold little or nothing."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest

import squashlib
from squashlib.evaluate.matching import match_times
from squashlib.session import build
from squashlib.simulate.match import enact
from squashlib.simulate.script import Script

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("seed", [11, 12])
def test_a_simulated_match_is_found(seed: int) -> None:
    match = squashlib.simulate(seed, rate_hz=25)
    document = squashlib.analyse(match.session, match.points).to_dict()
    found, true = len(document["rallies"]), len(match.truth["rallies"])
    assert abs(found - true) <= 0.15 * true
    assert len(document["games"]) == len(match.truth["games"])
    json.dumps(document, allow_nan=False)


def test_every_metric_of_the_contract_is_there_with_unit_and_reason() -> None:
    match = squashlib.simulate(13, rate_hz=10, sensors=("heart_rate",))
    metrics = squashlib.analyse(match.session).to_dict()["metrics"]
    names = {
        "warm_up_length", "cool_down_length", "number_of_games", "number_of_rallies", "total_session_duration",
        "total_playing_time", "total_rest_time", "longest_rally_length", "rallies_per_game", "rest_between_games",
        "shots_detected", "avg_playing_heart_rate", "avg_rest_heart_rate", "work_rest_ratio", "training_load",
        "hr_recovery_60s", "hr_drift", "strokes_per_rally", "stroke_rate",
        *(f"time_in_zone_{zone}" for zone in range(1, 6)),
    }  # fmt: skip
    assert names <= metrics.keys()
    for name, metric in metrics.items():
        assert metric["unit"], name
        assert 0 <= metric["confidence"] <= 1, name
        assert metric["value"] is not None or metric["metadata"]["reason"], name
    assert metrics["shots_detected"]["value"] is None


def flat(n: int, bpm: float) -> dict:  # type: ignore[type-arg]
    return {"hr_time": (np.arange(n, dtype=float), {"heart_rate": np.full(n, bpm)})}


@pytest.mark.parametrize(
    "streams",
    [
        {},
        flat(1, 120.0),
        flat(600, 120.0),
        flat(600, np.nan),
        {"accel_time": (np.arange(6000) / 10, {"acceleration": np.zeros((6000, 3))})},
        {"gyro_time": (np.arange(6000) / 10, {"angular_velocity": np.full((6000, 3), np.nan)})},
        {"gyro_time": (np.array([0.0]), {"angular_velocity": np.ones((1, 3))})},
    ],
    ids=["nothing", "one sample", "constant", "missing", "still", "all NaN", "one motion sample"],
)
def test_little_or_nothing_gives_an_honest_document(streams: dict) -> None:  # type: ignore[type-arg]
    session = build(streams, start_time=START, duration_s=600)
    document = squashlib.analyse(session).to_dict()
    json.dumps(document, allow_nan=False)
    assert document["strokes"] == []


def test_the_same_session_gives_the_same_document() -> None:
    match = squashlib.simulate(14, rate_hz=10)
    documents = [squashlib.analyse(match.session, match.points).to_dict() for _ in range(2)]
    assert documents[0] == documents[1]


def test_heart_rate_alone_is_less_sure() -> None:
    match = squashlib.simulate(15, rate_hz=25)
    whole = squashlib.analyse(match.session).rallies["rally_confidence"].mean()
    alone = (
        squashlib.analyse(match.session.drop_dims(["accel_time", "gyro_time", "axis"]))
        .rallies["rally_confidence"]
        .mean()
    )
    assert alone < whole - 0.1


def test_a_solo_drill_gets_bouts_and_strokes_and_no_match() -> None:
    rng = np.random.default_rng(3)
    hits = np.concatenate([start + np.cumsum(rng.lognormal(np.log(2.0), 0.12, 110)) for start in (30.0, 310.0, 590.0)])
    script = Script(warmup=(30.0, 830.0), warmup_contacts=hits.tolist(), duration_s=860.0)
    drill = enact(rng, script, START)
    analysis = squashlib.analyse(drill.session)
    document = analysis.to_dict()
    assert document["rallies"] == document["games"] == []
    assert "training" in document["metrics"]["number_of_rallies"]["metadata"]["reason"]
    assert document["metrics"]["total_playing_time"]["metadata"]["bouts"] == 3
    pairs = match_times(hits, analysis.strokes["stroke_time"].values, 0.25)
    assert 2 * len(pairs) / (len(hits) + len(document["strokes"])) > 0.95
