"""What FIT tables mean: streams of a session, presses, device and sport."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.decode import fit
from squashlib.decode.fit import Table
from squashlib.decode.motion import motion_streams
from squashlib.decode.presses import presses
from squashlib.errors import DecodeError
from squashlib.session import build

Array = npt.NDArray[Any]
FIT_EPOCH = datetime(1989, 12, 31, tzinfo=UTC)
MAX_SPAN_S = 2 * 86400.0

TIMESTAMP = 253
FILE_ID, SESSION, LAP, RECORD, EVENT, DEVICE_INFO, HRV, TIME_IN_ZONE = 0, 18, 19, 20, 21, 23, 78, 216

#: Fields of `record` by session variable: time dimension, field names (the first present wins) and factor to our unit.
RECORD_FIELDS = {
    "heart_rate": ("hr_time", ("heart_rate",), 1.0),
    "altitude": ("gps_time", ("enhanced_altitude", "altitude"), 1.0),
    "gps_accuracy": ("gps_time", ("gps_accuracy",), 1.0),
    "skin_temperature": ("temperature_time", ("temperature",), 1.0),
    "calories": ("activity_time", ("calories",), 1.0),
    "distance": ("activity_time", ("distance",), 1.0),
    "cadence": ("activity_time", ("cadence",), 1.0),
    "steps": ("activity_time", ("total_cycles", "cycles"), 1.0),
}
SEMICIRCLE_DEG = 180.0 / 2**31


def session_from(tables: list[Table], warnings: list[str], source: dict[str, Any]) -> xr.Dataset:
    """Assemble a session.

    Raises
    ------
    DecodeError
        If nothing in the file was measured over time.
    """
    streams = record_streams(tables)
    streams.update(motion_streams(tables, warnings))
    streams.update(beat_streams(tables))
    streams = {dim: (t, v) for dim, (t, v) in streams.items() if len(t)}
    if not streams:
        kind = _word(tables, FILE_ID, "type") or "unknown kind"
        raise DecodeError(f"a valid FIT file of kind '{kind}', but nothing in it was measured; must be an activity")
    _drop_outside(streams, warnings)
    start_s, stop_s = _span(tables, streams)
    found = presses(tables, start_s)
    return build(
        {dim: (times - start_s, values) for dim, (times, values) in streams.items() if len(times)},
        start_time=FIT_EPOCH + timedelta(seconds=start_s),
        duration_s=stop_s - start_s,
        points=found,
        sport=_sport(tables),
        device=_device(tables),
        sources=[source],
        warnings=warnings,
        extra={"laps_s": _laps(tables, start_s), "time_in_zone": _zones(tables)},
    )


def rows(tables: Iterable[Table], num: int, *names: str) -> tuple[npt.NDArray[np.float64], dict[str, Array]]:
    """Times (n,) in FIT seconds of all messages `num` in file order, and scalar fields by name, NaN if absent."""
    parts = sorted((t for t in tables if t.layout.num == num), key=lambda t: int(t.rank[0]))
    if not parts:
        return np.empty(0), {name: np.empty(0) for name in names}
    found: dict[str, list[Array]] = {name: [] for name in names}
    for table in parts:
        held = {name: scalar(raw, field, entry) for name, field, raw, entry in fit.columns(table) if name in found}
        for name in names:
            found[name].append(held.get(name, np.full(len(table), np.nan)))
    ranks = np.concatenate([table.rank for table in parts])
    order = np.argsort(ranks)
    times = clock(tables)[ranks[order]]
    return times, {name: np.concatenate(columns)[order] for name, columns in found.items()}


def clock(tables: Iterable[Table]) -> npt.NDArray[np.float64]:
    """FIT seconds of every message by its place in the file, NaN for those without; compressed times counted on."""
    tables = list(tables)
    times = np.full(max((int(t.rank.max()) for t in tables), default=-1) + 1, np.nan)
    ticks = np.full(len(times), -1, np.int64)
    for table in tables:
        ticks[table.rank] = table.ticks
        if (-1, TIMESTAMP) in table.raw and table.raw[-1, TIMESTAMP].ndim == 1:
            times[table.rank] = fit.number(table.raw[-1, TIMESTAMP], 6)
    if (ticks < 0).all():
        return times
    last = np.nan
    for i in np.flatnonzero(np.isfinite(times) | (ticks >= 0)):
        if ticks[i] >= 0 and np.isfinite(last):
            times[i] = last + ((int(ticks[i]) - int(last)) & 31)
        last = times[i]
    return times


def scalar(raw: Array, field: fit.Field, entry: dict[str, Any]) -> npt.NDArray[np.float64]:
    """A field as one number a message (the first of an array), in the profile's unit."""
    first = raw if raw.ndim == 1 else raw[:, 0]
    scale, offset = entry["scale"][0] or 1, entry["offset"][0]
    return fit.number(first, field.base, scale, offset)


def record_streams(tables: list[Table]) -> dict[str, tuple[Array, dict[str, Array]]]:
    """Streams of the `record` messages."""
    names = {name for _, choices, _ in RECORD_FIELDS.values() for name in choices}
    times, held = rows(tables, RECORD, *names, "position_lat", "position_long")
    streams: dict[str, dict[str, Array]] = {}
    for variable, (dim, choices, factor) in RECORD_FIELDS.items():
        values = np.full(len(times), np.nan)
        for name in choices:
            values = np.where(np.isnan(values), held[name] * factor, values)
        if variable == "heart_rate":
            values = np.where((values > 0) & (values <= 250), values, np.nan)
        streams.setdefault(dim, {})[variable] = values
    streams["gps_time"]["latitude"] = held["position_lat"] * SEMICIRCLE_DEG
    streams["gps_time"]["longitude"] = held["position_long"] * SEMICIRCLE_DEG
    return {dim: ordered(times, values) for dim, values in streams.items()}


def ordered(times: Array, values: dict[str, Array]) -> tuple[Array, dict[str, Array]]:
    """Only rows where something was measured, in order of time; of equal times the last holds."""
    some = np.isfinite(times)
    measured = np.zeros(len(times), bool)
    for array in values.values():
        measured |= ~np.isnan(array)
    at = np.flatnonzero(some & measured)
    at = at[np.argsort(times[at], kind="stable")]
    last = np.append(np.diff(times[at]) > 0, True) if len(at) else np.zeros(0, bool)
    at = at[last]
    return times[at], {name: array[at] for name, array in values.items() if not np.isnan(array[at]).all()}


def beat_streams(tables: list[Table]) -> dict[str, tuple[Array, dict[str, Array]]]:
    """Beat to beat intervals of `hrv` messages, each placed after the record before it."""
    parts = []
    for table in tables:
        if table.layout.num == HRV and (-1, 0) in table.raw:
            raw = table.raw[-1, 0]
            values = fit.number(raw.reshape(len(table), -1), 4, 1000.0)
            parts.append((np.repeat(table.rank, values.shape[1]), values.ravel()))
    if not parts:
        return {}
    ranks, rr = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(ranks, kind="stable")
    rr = rr[order]
    rr = rr[np.isfinite(rr) & (rr > 0)]
    when, _ = rows(tables, RECORD)
    when = when[np.isfinite(when)]
    if not len(rr) or not len(when):
        return {}
    times = when[0] + np.cumsum(rr)
    return {"beat_time": (times, {"rr_interval": rr})}


def _span(tables: list[Table], streams: dict[str, Any]) -> tuple[float, float]:
    """When the activity began and ended: the session's word if it fits what was measured."""
    first = min(float(times[0]) for times, _ in streams.values())
    last = max(float(times[-1]) for times, _ in streams.values())
    _, held = rows(tables, SESSION, "start_time", "total_elapsed_time")
    starts, lengths = held["start_time"], held["total_elapsed_time"]
    fits = np.isfinite(starts) & (np.abs(starts - first) < 6 * 3600) if len(starts) else np.zeros(0, bool)
    if not fits.any():
        return first, last
    start = min(first, float(starts[fits].min()))
    ends = starts[fits] + np.nan_to_num(lengths[fits])
    return start, max(last, float(ends.max()) if ends.max() - start < MAX_SPAN_S else last)


def _drop_outside(streams: dict[str, tuple[Array, dict[str, Array]]], warnings: list[str]) -> None:
    """Leave out samples days away from the rest: a clock that jumped."""
    middle_s = float(np.median(max((times for times, _ in streams.values()), key=len)))
    for dim, (times, values) in list(streams.items()):
        keep = np.abs(times - middle_s) <= MAX_SPAN_S / 2
        if not keep.all():
            warnings.append(f"{int((~keep).sum())} samples of {dim} lie more than a day from the others; left out")
            streams[dim] = (times[keep], {name: array[keep] for name, array in values.items()})


def _laps(tables: list[Table], start_s: float) -> list[float]:
    times, _ = rows(tables, LAP)
    return [round(float(t - start_s), 3) for t in times if np.isfinite(t)]


def _zones(tables: list[Table]) -> dict[str, float]:
    _, held = rows(tables, TIME_IN_ZONE, "max_heart_rate", "resting_heart_rate", "threshold_heart_rate")
    return {name: float(v[np.isfinite(v)][-1]) for name, v in held.items() if np.isfinite(v).any()}


def _word(tables: list[Table], num: int, name: str) -> str | None:
    """A field of the first message `num` as the profile's word, or text."""
    for table in tables:
        if table.layout.num != num:
            continue
        for found, field, raw, entry in fit.columns(table):
            if found != name:
                continue
            if raw.dtype.kind == "S":
                text = bytes(raw.ravel()[0]).split(b"\0")[0].decode("utf-8", "replace")
                if text:
                    return text
            elif np.isfinite(value := fit.number(raw.ravel()[:1], field.base)[0]):
                words = fit.profile()["types"].get(entry["type"], {})
                return str(words.get(str(int(value)), words.get(int(value), int(value))))
    return None


def _sport(tables: list[Table]) -> str:
    words = [str(_word(tables, num, name)) for num in (SESSION, 12) for name in ("sub_sport", "sport", "name")]
    words += list(developer_texts(tables).values())
    if any("squash" in word.lower() for word in words):
        return "squash"
    sport = next((_word(tables, num, "sport") for num in (SESSION, 12) if _word(tables, num, "sport")), None)
    return sport or "unknown"


def _device(tables: list[Table]) -> dict[str, Any]:
    texts = developer_texts(tables)
    found = {
        "manufacturer": texts.get("device_manufacturer") or _word(tables, FILE_ID, "manufacturer"),
        "product": _word(tables, FILE_ID, "product"),
        "name": texts.get("device_model") or _word(tables, FILE_ID, "product_name"),
    }
    return {name: value for name, value in found.items() if value is not None}


def developer_texts(tables: list[Table]) -> dict[str, str]:
    """Developer fields that hold text, by name: the first value of each."""
    from squashlib.decode.developer import fields

    texts: dict[str, str] = {}
    for name, base, raw in ((d.name, d.base, raw) for table in tables for d, raw in fields(table, tables)):
        if base == 7 and name not in texts:
            texts[name] = bytes(raw[0]).split(b"\0")[0].decode("utf-8", "replace")
    return texts
