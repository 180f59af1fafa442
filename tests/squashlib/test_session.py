"""A session is what the schema says, on disk what it was in memory, and for any reader what CF says."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from squashlib import session as sessions
from squashlib.errors import SchemaError
from squashlib.schema import VARIABLES, validate

START = datetime(2026, 3, 1, 18, 30, 0, 250_000, UTC)


def whole_session() -> xr.Dataset:
    rng = np.random.default_rng(1)
    times = np.cumsum(rng.uniform(0.5, 1.5, 300))
    motion = np.arange(5000) / 50
    return sessions.build(
        {
            "hr_time": (times, {"heart_rate": np.where(rng.random(300) < 0.1, np.nan, 150.0)}),
            "beat_time": (times[:50], {"rr_interval": np.full(50, 0.4)}),
            "accel_time": (motion, {"acceleration": rng.normal(size=(5000, 3))}),
            "gps_time": (times[:3], {"latitude": np.full(3, 51.5), "longitude": np.full(3, -0.1)}),
        },
        start_time=START,
        duration_s=float(times[-1]),
        points={
            "point_time": np.array([20.0, 50.0]),
            "point_winner": np.array([1, 2]),
            "point_score_me": np.array([1.0, np.nan]),
            "point_score_opponent": np.array([0.0, 1.0]),
            "point_game": np.array([1.0, 1.0]),
            "point_is_let": np.array([0, 1]),
        },
        sources=[{"sha256": "0" * 64, "format": "fit", "bytes": 10}],
        warnings=["cut short"],
        device={"manufacturer": "garmin"},
    )


def test_zarr_round_trip_is_exact(tmp_path: Path) -> None:
    session = whole_session()
    sessions.write(session, tmp_path / "s.zarr")
    assert sessions.read(tmp_path / "s.zarr").identical(session)


def test_plain_xarray_shows_dates_and_units(tmp_path: Path) -> None:
    session = whole_session()
    sessions.write(session, tmp_path / "s.zarr")
    with xr.open_zarr(tmp_path / "s.zarr", consolidated=False) as plain:
        expected = np.datetime64("2026-03-01T18:30:00.250", "ns") + np.timedelta64(20, "s")
        assert plain["point_time"].values[0] == expected
        assert plain["acceleration"].attrs["units"] == "m s-2"
        assert plain["hr_time"].dtype.kind == "M"


def test_derived_groups_lie_beside(tmp_path: Path) -> None:
    sessions.write(whole_session(), tmp_path / "s.zarr")
    rallies = xr.Dataset({"rally_start": ("rally", [1.0, 2.0])})
    sessions.write(rallies, tmp_path / "s.zarr", group="rallies")
    assert sessions.groups(tmp_path / "s.zarr") == ["rallies"]
    assert sessions.read(tmp_path / "s.zarr", group="rallies").identical(rallies)
    assert sessions.read(tmp_path / "s.zarr").identical(whole_session().assign_attrs(session_id=_id(tmp_path)))


def _id(folder: Path) -> str:
    return str(sessions.read(folder / "s.zarr").attrs["session_id"])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.assign_attrs(schema="x"), "schema is 'x'"),
        (lambda d: d.assign_coords(hr_time=d.hr_time.values[::-1].copy()), "does not increase"),
        (lambda d: d.assign(heart_rate=d.heart_rate.astype("float64")), "must be float32"),
        (lambda d: d.assign(heart_rate=d.heart_rate * 0), "missing is NaN"),
        (lambda d: d.assign(speed=d.heart_rate), "'speed' is unknown"),
        (lambda d: d.rename(hr_time="time"), "dimension 'time' is unknown"),
        (lambda d: d.assign(acceleration=d.acceleration.T), "has dims"),
        (lambda d: d.drop_vars("hr_time"), "has no coordinate"),
    ],
)
def test_what_is_no_session_is_refused(change, says: str) -> None:
    with pytest.raises(SchemaError, match=says):
        validate(change(whole_session()))


def test_every_variable_has_unit_or_flags_and_meaning() -> None:
    for spec in VARIABLES.values():
        assert spec.meaning
        assert bool(spec.units) != bool(spec.flags)


def test_times_are_iso_in_utc_with_milliseconds() -> None:
    assert sessions.at(whole_session(), 1.5) == "2026-03-01T18:30:01.750Z"
    assert sessions.parse_iso("2026-03-01T18:30:00") == datetime(2026, 3, 1, 18, 30, tzinfo=UTC)


def test_description_measures_rate_and_coverage() -> None:
    session = sessions.build(
        {"hr_time": (np.concatenate((np.arange(100.0), np.arange(200.0, 300))), {"heart_rate": np.full(200, 140.0)})},
        start_time=START,
        duration_s=300,
    )
    stream = sessions.describe(session)["streams"]["heart_rate"]
    assert stream["rate_hz"] == 1
    assert stream["coverage"] == pytest.approx(204 / 300, abs=0.01)
