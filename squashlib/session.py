"""A session: one validated Dataset of what a device measured, in and out of Zarr."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
import zarr
from zarr.abc.store import Store as ZarrStore
from zarr.codecs import BloscCodec
from zarr.storage import LocalStore

from squashlib.moments import iso as iso
from squashlib.moments import parse_iso as parse_iso
from squashlib.plain_zarr import read_folder
from squashlib.schema import AXIS, SCHEMA, STREAM_TIMES, VARIABLES, time_attrs, validate

Streams = Mapping[str, tuple[npt.NDArray[np.float64], Mapping[str, npt.NDArray[Any]]]]

CHUNK_BYTES = 1 << 20


def build(
    streams: Streams,
    *,
    start_time: datetime,
    duration_s: float,
    points: Mapping[str, npt.NDArray[Any]] | None = None,
    sport: str = "squash",
    device: Mapping[str, Any] | None = None,
    watch_position: str | None = None,
    sources: Sequence[Mapping[str, Any]] = (),
    warnings: Sequence[str] = (),
    session_id: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Make a validated session.

    Parameters
    ----------
    streams
        By time dimension (`hr_time` …): times in seconds since `start_time`, shape (n,), and the variables on it,
        shape (n,) or (n, 3).
    points
        Presses found in the recording: `point_time` … by name, each shape (k,).
    sources
        Where it came from, each at least `{"sha256", "format", "bytes"}`.
    warnings
        What was wrong with the recording, in words.
    extra
        More root attributes that a decoder read (laps, zones, device settings), JSON-able.

    Raises
    ------
    SchemaError
        If an array is not what `squashlib.schema` says.
    """
    start = iso(start_time)
    coords: dict[str, Any] = {}
    data: dict[str, Any] = {}
    for dim, (times, variables) in streams.items():
        index = pd.Index(np.asarray(times, np.float64), copy=False)  # an hour of motion need not be copied thrice
        coords[dim] = (dim, index, time_attrs(start, f"time of {STREAM_TIMES[dim]}"))
        for name, values in variables.items():
            data[name] = _variable(name, values)
    if points is not None and len(points["point_time"]):
        data |= {name: _variable(name, values) for name, values in points.items()}
        data["point_time"][2].clear()
        data["point_time"][2].update(time_attrs(start, VARIABLES["point_time"].meaning))
    if any("axis" in dims for dims, *_ in data.values()):
        coords["axis"] = ("axis", np.array(AXIS))
    attrs: dict[str, Any] = {
        "schema": SCHEMA,
        "session_id": session_id or str(uuid.uuid4()),
        "start_time": start,
        "duration_s": float(duration_s),
        "sport": sport,
        "device": dict(device or {}),
        "watch_position": watch_position or "unknown",
        "sources": [dict(source) for source in sources],
        "warnings": list(warnings),
        **(extra or {}),
    }
    return validate(xr.Dataset(data, coords, attrs))


def _variable(name: str, values: npt.NDArray[Any]) -> tuple[tuple[str, ...], npt.NDArray[Any], dict[str, Any]]:
    spec = VARIABLES[name]
    return spec.dims, np.asarray(values, spec.dtype), dict(spec.attrs)


def start_of(session: xr.Dataset) -> datetime:
    """When the session began, UTC."""
    return parse_iso(session.attrs["start_time"])


def at(session: xr.Dataset, seconds: float) -> str:
    """The ISO time of `seconds` since the session's start."""
    return iso(start_of(session) + timedelta(seconds=float(seconds)))


def times_at(session: xr.Dataset, seconds: npt.NDArray[np.floating]) -> list[str]:
    """The ISO times of many `seconds` since the session's start."""
    start = start_of(session)
    return [iso(start + timedelta(seconds=second)) for second in seconds.tolist()]


def write(session: xr.Dataset, target: str | Path | ZarrStore, *, group: str | None = None) -> None:
    """Write a Dataset as one Zarr group, in chunks of about 1 MiB, zstd after a bit shuffle. Never appends."""
    stored = session.drop_vars("axis", errors="ignore")  # Zarr 3 has no stable type for text; `read` puts x, y, z back
    encoding = {str(name): _encoding(variable) for name, variable in stored.variables.items()}
    stored.to_zarr(
        target if isinstance(target, ZarrStore) else str(target),
        group=group,
        mode="w" if group is None else "a",
        encoding=encoding,
        zarr_format=3,
        consolidated=False,
    )


def _encoding(variable: xr.Variable) -> dict[str, Any]:
    if variable.dtype.kind not in "fiu" or variable.size == 0:
        return {}
    codec = BloscCodec(cname="zstd", clevel=5, shuffle="bitshuffle")
    return {"chunks": chunks(variable), "compressors": (codec,)}


def chunks(variable: xr.Variable) -> tuple[int, ...]:
    """Rows of whole samples, about `CHUNK_BYTES` together."""
    if not variable.shape:
        return ()
    row_bytes = variable.dtype.itemsize * int(np.prod(variable.shape[1:]))
    return (max(1, min(variable.shape[0], CHUNK_BYTES // row_bytes)), *variable.shape[1:])


#: Clocks of raw motion, by far the largest part of a session.
MOTION = ("accel_time", "gyro_time")


def read(source: str | Path | ZarrStore, *, group: str | None = None, motion: bool = True) -> xr.Dataset:
    """Read what `write` wrote, loaded, with times in seconds since the start; `motion` False leaves raw motion out."""
    folder, without = _folder(source), () if motion else MOTION
    loaded = None if folder is None else read_folder(folder / (group or ""), without)
    if loaded is None:
        target = source if isinstance(source, ZarrStore) else str(source)
        with xr.open_zarr(target, group=group, decode_times=False, consolidated=False, chunks=None) as dataset:
            loaded = dataset.drop_dims(without, errors="ignore").load()
    return loaded.assign_coords(axis=("axis", np.array(AXIS))) if "axis" in loaded.dims else loaded


def _folder(source: str | Path | ZarrStore) -> Path | None:
    """Where a store lies if it is a folder here."""
    if isinstance(source, ZarrStore):
        return source.root if isinstance(source, LocalStore) else None
    return Path(source)


def groups(source: str | Path | ZarrStore) -> list[str]:
    """Names of the groups that lie beside a session's own arrays (`rallies`, `strokes` …)."""
    target = source if isinstance(source, ZarrStore) else str(source)
    return sorted(zarr.open_group(target, mode="r").group_keys())


def describe(session: xr.Dataset) -> dict[str, Any]:
    """What a session holds, as the `session` and `quality` of `squash analyse --format json` name it."""
    return {
        "start": session.attrs["start_time"],
        "end": at(session, session.attrs["duration_s"]),
        "duration_s": round(session.attrs["duration_s"], 3),
        "sport": session.attrs["sport"],
        "device": session.attrs["device"],
        "streams": {name: _stream(session, name) for name in STREAM_OF if name in session},
        "points": session.sizes.get("point", 0),
        "warnings": session.attrs["warnings"],
    }


#: The variable that stands for each stream.
STREAM_OF = {
    "heart_rate": "hr_time",
    "rr_interval": "beat_time",
    "acceleration": "accel_time",
    "angular_velocity": "gyro_time",
    "latitude": "gps_time",
    "spo2": "spo2_time",
    "skin_temperature": "temperature_time",
    "steps": "activity_time",
    "calories": "activity_time",
    "distance": "activity_time",
    "cadence": "activity_time",
}


def _stream(session: xr.Dataset, name: str) -> dict[str, Any]:
    values, times = session[name].values, session[STREAM_OF[name]].values
    seen = times
    if len(values) and np.isnan(values.max()):
        columns = values.reshape(len(values), int(np.prod(values.shape[1:]))).T
        seen = times[~np.logical_or.reduce([np.isnan(column) for column in columns])]
    steps = np.diff(seen)
    step_s = float(np.median(steps)) if len(steps) else None
    # A sample covers the time to the next one, but never more than five usual steps or five seconds.
    reach_s = max(5.0, 5 * step_s) if step_s else 0.0
    covered_s = float(np.minimum(steps, reach_s).sum()) + (step_s or 0.0)
    return {
        "samples": len(seen),
        "rate_hz": round(1 / step_s, 3) if step_s else None,
        "coverage": round(min(1.0, covered_s / session.attrs["duration_s"]), 4) if session.attrs["duration_s"] else 0.0,
    }
