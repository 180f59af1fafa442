"""What we write is FIT to others too: Garmin's SDK and fitdecode read it, and our decoder gives it back."""

import time
from pathlib import Path

import fitdecode
import numpy as np
import pytest
import xarray as xr
from garmin_fit_sdk import Decoder, Stream

import squashlib
from squashlib.simulate import Match


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Match, Path]:
    match = squashlib.simulate(5, rate_hz=20)
    path = tmp_path_factory.mktemp("fit") / "m.fit"
    squashlib.write_fit(match.session, path)
    return match, path


def test_our_decoder_gives_it_back(written: tuple[Match, Path]) -> None:
    match, path = written
    again = squashlib.decode(path)
    assert again.attrs["warnings"] == []
    assert again.attrs["sport"] == "squash"
    for name, step, dim in (
        ("acceleration", 9.80665 / 2048, "accel_time"),
        ("angular_velocity", np.pi / 180 / 16, "gyro_time"),
    ):
        assert np.allclose(again[dim], match.session[dim] + _lead_s(match, again), atol=0.002)
        inside = np.abs(match.session[name].values) < 15.9 * 9.8
        assert np.abs(again[name].values - match.session[name].values)[inside].max() <= step * 0.51
    assert again.attrs["duration_s"] == pytest.approx(match.session.attrs["duration_s"], abs=1.5)


def _lead_s(match: Match, again: xr.Dataset) -> float:
    first = np.datetime64(match.session.attrs["start_time"].removesuffix("Z"))
    return float((first - np.datetime64(again.attrs["start_time"].removesuffix("Z"))) / np.timedelta64(1, "s"))


def test_garmins_sdk_reads_it(written: tuple[Match, Path]) -> None:
    match, path = written
    assert Decoder(Stream.from_file(str(path))).check_integrity()
    messages, errors = Decoder(Stream.from_file(str(path))).read()
    assert errors == []
    assert messages["session_mesgs"][0]["sub_sport"] == "squash"
    assert [m["event_type"] for m in messages["event_mesgs"]] == ["start", "stop_all"]
    assert len(messages["lap_mesgs"]) == messages["session_mesgs"][0]["num_laps"] == 1
    bpm = [m["heart_rate"] for m in messages["record_mesgs"] if "heart_rate" in m]
    expected = match.session["heart_rate"].values
    assert np.nansum(expected) == pytest.approx(sum(bpm), rel=0.01)
    samples = sum(len(m["sample_time_offset"]) for m in messages["accelerometer_data_mesgs"])
    assert samples >= match.session.sizes["accel_time"]


def test_fitdecode_reads_it(written: tuple[Match, Path]) -> None:
    _, path = written
    with fitdecode.FitReader(str(path), check_crc=fitdecode.CrcCheck.RAISE) as reader:
        names = {frame.name for frame in reader if isinstance(frame, fitdecode.FitDataMessage)}
    assert {"record", "accelerometer_data", "gyroscope_data", "three_d_sensor_calibration", "session"} <= names


def test_scores_come_back_as_points(tmp_path: Path) -> None:
    match = squashlib.simulate(6, rate_hz=10, sensors=("heart_rate",), faults=False)
    plays = [p for p in match.points if not p["is_let"]]
    start = np.datetime64(match.session.attrs["start_time"].removesuffix("Z"))
    times = np.array(
        [(np.datetime64(p["timestamp"].removesuffix("Z")) - start) / np.timedelta64(1, "s") for p in plays]
    )
    points = {
        "point_time": ("point", times),
        "point_winner": ("point", np.array([1 if p["winner"] == "me" else 2 for p in plays], np.int8)),
        "point_score_me": ("point", np.array([p["score_me_after"] for p in plays], np.float32)),
        "point_score_opponent": ("point", np.array([p["score_opponent_after"] for p in plays], np.float32)),
        "point_game": ("point", np.array([p["game_number"] for p in plays], np.float32)),
        "point_is_let": ("point", np.zeros(len(plays), np.int8)),
    }
    squashlib.write_fit(match.session.assign(points), tmp_path / "p.fit")
    again = squashlib.decode(tmp_path / "p.fit")
    for name in ("point_winner", "point_score_me", "point_score_opponent", "point_game"):
        assert again[name].values.tolist() == points[name][1].tolist(), name
    assert np.abs(again["point_time"].values - times).max() <= 1.6


def test_what_is_not_there_is_not_written(tmp_path: Path) -> None:
    match = squashlib.simulate(7, rate_hz=10, sensors=("acceleration",))
    squashlib.write_fit(match.session, tmp_path / "n.fit")
    messages, errors = Decoder(Stream.from_file(str(tmp_path / "n.fit"))).read()
    assert errors == []
    assert not {"record_mesgs", "gyroscope_data_mesgs"} & set(messages)
    assert "avg_heart_rate" not in messages["session_mesgs"][0]
    again = squashlib.decode(tmp_path / "n.fit")
    assert set(again.data_vars) == {"acceleration"}


def test_an_hour_at_100_hz_is_written_in_seconds(tmp_path: Path) -> None:
    match = squashlib.simulate(14, level="elite", rate_hz=100)
    before = time.process_time()
    squashlib.write_fit(match.session, tmp_path / "h.fit")
    assert (tmp_path / "h.fit").stat().st_size > 8e6
    assert time.process_time() - before < 30
