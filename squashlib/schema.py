"""Every variable of a session, declared once: name, dims, dtype, unit and meaning."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from squashlib.errors import SchemaError

SCHEMA = "squash-session/1"


@dataclass(frozen=True)
class VarSpec:
    """One variable: `low` and `high` bound the values that are not NaN (NaN is always 'missing')."""

    name: str
    dims: tuple[str, ...]
    dtype: str
    units: str
    meaning: str
    low: float = -np.inf
    high: float = np.inf
    flags: tuple[str, ...] = ()

    @property
    def attrs(self) -> dict[str, Any]:
        """CF attributes of the variable (`flag_meanings` for coded values)."""
        attrs: dict[str, Any] = {"units": self.units, "long_name": self.meaning}
        if self.flags:
            attrs = {"long_name": self.meaning, "flag_meanings": " ".join(self.flags)}
            attrs["flag_values"] = list(range(len(self.flags)))
        return attrs


#: Each stream's own clock: seconds since the session's start, float64, strictly increasing.
STREAM_TIMES = {
    "hr_time": "heart rate",
    "beat_time": "heart beats",
    "accel_time": "accelerometer",
    "gyro_time": "gyroscope",
    "gps_time": "position",
    "spo2_time": "oxygen saturation",
    "temperature_time": "skin temperature",
    "activity_time": "activity counters",
}

WINNERS = ("unknown", "me", "opponent")
AXIS = ("x", "y", "z")

_SPECS = (
    VarSpec("heart_rate", ("hr_time",), "float32", "min-1", "heart rate", 1, 300),
    VarSpec("heart_rate_confidence", ("hr_time",), "float32", "1", "the device's confidence in the heart rate", 0, 1),
    VarSpec("rr_interval", ("beat_time",), "float32", "s", "time since the beat before", 0),
    VarSpec("acceleration", ("accel_time", "axis"), "float32", "m s-2", "acceleration, gravity included"),
    VarSpec("angular_velocity", ("gyro_time", "axis"), "float32", "rad s-1", "angular velocity"),
    VarSpec("latitude", ("gps_time",), "float64", "degrees_north", "latitude", -90, 90),
    VarSpec("longitude", ("gps_time",), "float64", "degrees_east", "longitude", -180, 180),
    VarSpec("altitude", ("gps_time",), "float32", "m", "altitude above sea level"),
    VarSpec("gps_accuracy", ("gps_time",), "float32", "m", "horizontal accuracy of the position", 0),
    VarSpec("spo2", ("spo2_time",), "float32", "%", "oxygen saturation", 0, 100),
    VarSpec("skin_temperature", ("temperature_time",), "float32", "degC", "temperature at the wrist"),
    VarSpec("steps", ("activity_time",), "float32", "1", "steps since the start", 0),
    VarSpec("calories", ("activity_time",), "float32", "kcal", "energy since the start", 0),
    VarSpec("distance", ("activity_time",), "float32", "m", "distance since the start", 0),
    VarSpec("cadence", ("activity_time",), "float32", "min-1", "strides (two steps) per minute", 0),
    VarSpec("point_time", ("point",), "float64", "s", "time of a press"),
    VarSpec("point_winner", ("point",), "int8", "", "who won the rally", 0, 2, WINNERS),
    VarSpec("point_score_me", ("point",), "float32", "1", "own score after the point", 0),
    VarSpec("point_score_opponent", ("point",), "float32", "1", "opponent's score after the point", 0),
    VarSpec("point_game", ("point",), "float32", "1", "number of the game, from 1", 1),
    VarSpec("point_is_let", ("point",), "int8", "", "whether the rally was a let", 0, 1, ("no", "yes")),
)

VARIABLES: dict[str, VarSpec] = {spec.name: spec for spec in _SPECS}


def time_attrs(start_time: str, long_name: str) -> dict[str, str]:
    """CF attributes that let any reader turn seconds since the start into dates."""
    return {
        "standard_name": "time",
        "long_name": long_name,
        "units": f"seconds since {start_time.removesuffix('Z').replace('T', ' ')}",
        "calendar": "proleptic_gregorian",
    }


def validate(dataset: xr.Dataset) -> xr.Dataset:
    """Return `dataset` unchanged if it is a session; raise `SchemaError` saying what is wrong if it is not."""
    for attr in ("schema", "session_id", "start_time", "sport", "duration_s", "device", "sources"):
        if attr not in dataset.attrs:
            raise SchemaError(f"session attribute '{attr}' is missing; build sessions with squashlib.session.build")
    if dataset.attrs["schema"] != SCHEMA:
        raise SchemaError(f"schema is {dataset.attrs['schema']!r}, must be {SCHEMA!r}; decode the recording again")
    dims = tuple(dataset.sizes)
    for name in dims:
        if name not in STREAM_TIMES and name not in ("axis", "point"):
            raise SchemaError(f"dimension '{name}' is unknown; a session has {', '.join(STREAM_TIMES)}, axis and point")
    for name in STREAM_TIMES:
        if name in dims:
            _validate_time(dataset, name)
    for name in dataset.data_vars:
        _validate_variable(str(name), dataset.variables[name])
    return dataset


def _validate_time(dataset: xr.Dataset, name: str) -> None:
    if name not in dataset.coords:
        raise SchemaError(f"dimension '{name}' has no coordinate, must have its times in seconds since the start")
    times = dataset.variables[name].values
    if times.dtype != np.float64:
        raise SchemaError(f"'{name}' is {times.dtype}, must be float64 seconds since the start")
    rises = times[1:] > times[:-1]  # false beside NaN, so that only the ends can hide what is not finite
    if times.size and not (np.isfinite(times[[0, -1]]).all() and (rises.all() or np.isfinite(times).all())):
        raise SchemaError(f"'{name}' holds values that are not finite, must hold seconds since the start")
    if not rises.all():
        where = int(np.argmin(rises)) + 1
        raise SchemaError(f"'{name}' does not increase at sample {where} ({times[where - 1]} to {times[where]} s)")


def _validate_variable(name: str, array: xr.Variable) -> None:
    spec = VARIABLES.get(name)
    if spec is None:
        raise SchemaError(f"variable '{name}' is unknown, must be one of {', '.join(VARIABLES)}")
    if array.dims != spec.dims:
        raise SchemaError(f"'{name}' has dims {array.dims}, must have {spec.dims}")
    if array.dtype != np.dtype(spec.dtype):
        raise SchemaError(f"'{name}' is {array.dtype}, must be {spec.dtype}")
    values = array.values
    if values.size and spec.low > -np.inf and bool((values < spec.low).any()):
        raise SchemaError(f"'{name}' goes down to {np.nanmin(values)}, must be at least {spec.low}; missing is NaN")
    if values.size and spec.high < np.inf and bool((values > spec.high).any()):
        raise SchemaError(f"'{name}' goes up to {np.nanmax(values)}, must be at most {spec.high}; missing is NaN")
