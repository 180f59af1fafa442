"""Batches that apps send while a match goes on: heart rate, motion, position and the rest, as JSON or msgpack."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.decode.records import ordered
from squashlib.decode.unpack import unpack
from squashlib.errors import DecodeError
from squashlib.session import build, parse_iso

Array = npt.NDArray[Any]

#: By kind of batch: time dimension, and for each variable the names that clients use for it.
KINDS: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    "hr": ("hr_time", {"heart_rate": ("heart_rate", "bpm", "value"), "heart_rate_confidence": ("confidence",)}),
    "gps": (
        "gps_time",
        {
            "latitude": ("latitude", "lat"),
            "longitude": ("longitude", "lon", "lng"),
            "altitude": ("altitude",),
            "gps_accuracy": ("accuracy", "gps_accuracy"),
        },
    ),
    "spo2": ("spo2_time", {"spo2": ("spo2", "value")}),
    "temperature": ("temperature_time", {"skin_temperature": ("skin_temperature", "temperature", "value")}),
    "activity": (
        "activity_time",
        {"steps": ("steps",), "calories": ("calories",), "distance": ("distance",), "cadence": ("cadence",)},
    ),
}
LIMITS = {
    "heart_rate": (1, 250),
    "heart_rate_confidence": (0, 1),
    "latitude": (-90, 90),
    "longitude": (-180, 180),
    "spo2": (0, 100),
}
LIST_NAMES = ("data", "data_points", "samples")


def decode_batch(kind: str, body: bytes, content_type: str | None, start_time: datetime) -> xr.Dataset:
    """A session of one batch; items that cannot be read are left out and counted in the warnings.

    Raises
    ------
    DecodeError
        If the body is no batch of its kind.
    """
    content = unpack(body, content_type)
    source = {"sha256": sha256(body).hexdigest(), "format": "batch", "bytes": len(body)}
    warnings: list[str] = []
    if kind == "sensor":
        streams = _motion(content, start_time)
    elif kind in KINDS:
        dim, names = KINDS[kind]
        streams = {dim: _items(content, kind, names, start_time, warnings)}
    else:
        raise DecodeError(f"batch kind {kind!r} is unknown, must be sensor or one of {', '.join(KINDS)}")
    streams = {dim: held for dim, held in streams.items() if len(held[0])}
    if not streams:
        raise DecodeError(f"the {kind} batch holds no sample with a time and a value")
    first = min(0.0, *(float(times[0]) for times, _ in streams.values()))
    last = max(float(times[-1]) for times, _ in streams.values())
    return build(
        {dim: (times - first, held) for dim, (times, held) in streams.items()},
        start_time=start_time + timedelta(seconds=first),
        duration_s=last - first,
        sources=[source],
        warnings=warnings,
        sport="unknown",
    )


def _items(
    content: Any, kind: str, names: Mapping[str, tuple[str, ...]], start: datetime, warnings: list[str]
) -> tuple[Array, dict[str, Array]]:
    items = content if isinstance(content, list) else _first(content, LIST_NAMES)
    if not isinstance(items, list):
        raise DecodeError(f"the {kind} batch has no list 'data', must have one of samples with timestamps")
    times = np.full(len(items), np.nan)
    values = {name: np.full(len(items), np.nan) for name in names}
    for i, item in enumerate(items):
        if not isinstance(item, dict):
            continue
        times[i] = _seconds(item.get("timestamp", item.get("time")), start)
        for name, choices in names.items():
            values[name][i] = _number(_first(item, choices), *LIMITS.get(name, (-np.inf, np.inf)))
    times, values = ordered(times, values)
    if len(times) < len(items):
        warnings.append(f"{len(items) - len(times)} of {len(items)} {kind} samples have no time, no value, or repeat")
    return np.round(times, 3), values


def _first(item: Any, names: Sequence[str]) -> Any:
    return next((item[name] for name in names if isinstance(item, dict) and item.get(name) is not None), None)


def _number(value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return np.nan
    return float(value) if low <= value <= high else np.nan


def _seconds(moment: Any, start: datetime) -> float:
    try:
        if isinstance(moment, (int, float)) and not isinstance(moment, bool):
            scale = 1000 if moment > 1e11 else 1
            return float(moment / scale - start.timestamp())
        return (parse_iso(str(moment)) - start).total_seconds()
    except (ValueError, OverflowError):
        return np.nan


def _motion(content: Any, start: datetime) -> dict[str, tuple[Array, dict[str, Array]]]:
    if not isinstance(content, dict):
        raise DecodeError("the sensor batch is not an object, must hold start_time, sample_rate_hz and accelerometer")
    rate = _number(content.get("sample_rate_hz"), 0.1, 2000)
    begin = _seconds(content.get("start_time"), start)
    if np.isnan(rate) or np.isnan(begin):
        raise DecodeError("the sensor batch needs start_time (ISO 8601) and sample_rate_hz (0.1 to 2000)")
    streams: dict[str, tuple[Array, dict[str, Array]]] = {}
    sensors: tuple[tuple[str, str, str, Callable[[Array], Array]], ...] = (
        ("accelerometer", "accel_time", "acceleration", lambda a: a),
        ("gyroscope", "gyro_time", "angular_velocity", lambda a: a),
    )
    for name, dim, variable, unit in sensors:
        axes = content.get(name)
        if not axes:
            continue
        try:
            values = unit(np.column_stack([np.asarray(axes[axis], np.float64) for axis in "xyz"]))
        except (KeyError, TypeError, ValueError) as error:
            raise DecodeError(f"{name} of the batch must hold x, y and z, lists of numbers of equal length") from error
        times = np.round(begin + np.arange(len(values)) / rate, 6)
        streams[dim] = (times, {variable: values.astype(np.float32)})
    return streams
