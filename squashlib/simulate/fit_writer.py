"""Write a session as a real FIT file: what a watch with motion logging would have written."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.kernels.fit_scan import crc16
from squashlib.session import start_of

Array = npt.NDArray[Any]
FIT_EPOCH = datetime(1989, 12, 31, tzinfo=UTC)
SAMPLES = 30  # per motion message, as watches write them
STANDARD_GRAVITY = 9.80665
LEVEL_SHIFT = 32768
#: Counts per g and per degree a second.
COUNTS = {
    165: (2048, "acceleration", "accel_time", 1 / STANDARD_GRAVITY),
    164: (16, "angular_velocity", "gyro_time", 180 / np.pi),
}

BASE = {"f4": 0x88, "u1": 0x02, "enum": 0x00, "u2": 0x84, "u4": 0x86, "i4": 0x85, "S": 0x07, "u4z": 0x8C}
SPORT_RACKET, SUB_SPORT_SQUASH = 64, 94


@dataclass(frozen=True)
class Field:
    """One field of a definition: number, base type and how many values."""

    num: int
    base: str
    count: int = 1

    @property
    def dtype(self) -> str:
        """NumPy's name of the field's type."""
        return {"enum": "u1", "u4z": "<u4", "S": f"S{self.count}"}.get(self.base, f"<{self.base}")

    @property
    def size(self) -> int:
        """Bytes."""
        return np.dtype(self.dtype).itemsize * (1 if self.base == "S" else self.count)


TIMER = [Field(253, "u4"), Field(0, "enum"), Field(1, "enum")]  # event 0 is the timer: started (0), stopped (4)


def write_fit(session: xr.Dataset, path: str | Path, *, calibrated: bool = False) -> None:
    """Write heart rate, motion and points of a session as FIT.

    Times are kept to a second for heart rate and to a millisecond for motion; motion becomes counts of 1/2048 g and
    1/16 degree a second with its calibration, or `calibrated` floats in g and degrees a second; points become the
    developer fields `score_player_1` and `_2`.
    """
    rows = [*_head(session), *_motion(session, calibrated), *_records(session), *_tail(session)]
    body = b"".join(row for _, row in sorted(rows, key=lambda row: row[0]))
    header = bytes([14, 0x20]) + (2195).to_bytes(2, "little") + len(body).to_bytes(4, "little") + b".FIT"
    header += _crc(header)
    Path(path).write_bytes(header + body + _crc(body))


def _crc(data: bytes) -> bytes:
    return int(crc16(np.frombuffer(data, np.uint8), 0, len(data))).to_bytes(2, "little")


def definition(local: int, num: int, fields: list[Field], developer: list[tuple[int, int, int]] = ()) -> bytes:  # type: ignore[assignment]
    """Bytes of a little-endian definition message; developer fields are (number, size, developer index)."""
    out = bytes([0x40 | local | (0x20 if developer else 0), 0, 0]) + num.to_bytes(2, "little") + bytes([len(fields)])
    out += b"".join(bytes([field.num, field.size, BASE[field.base]]) for field in fields)
    if developer:
        out += bytes([len(developer)]) + b"".join(bytes(item) for item in developer)
    return out


def messages(local: int, fields: list[Field], columns: list[Array]) -> list[bytes]:
    """Bytes of each data message; column i has shape (n,) or (n, count)."""
    names = [f"f{i}" for i in range(len(fields))]
    shapes = [
        (name, f.dtype, () if f.count == 1 or f.base == "S" else (f.count,))
        for name, f in zip(names, fields, strict=True)
    ]
    table = np.zeros(len(columns[0]), np.dtype([("header", "u1"), *shapes]))
    table["header"] = local
    for name, column in zip(names, columns, strict=True):
        table[name] = column
    size, data = table.dtype.itemsize, table.tobytes()
    return [data[i : i + size] for i in range(0, len(data), size)]


def _stamp(session: xr.Dataset) -> float:
    return (start_of(session) - FIT_EPOCH).total_seconds()


def _one(key: tuple[float, int], local: int, num: int, fields: list[Field], values: list[Any]) -> tuple[Any, bytes]:
    columns = [np.array([value]) for value in values]
    return key, definition(local, num, fields) + messages(local, fields, columns)[0]


def _head(session: xr.Dataset) -> list[tuple[Any, bytes]]:
    stamp = int(_stamp(session))
    name = str(session.attrs["device"].get("name", "squashlib")).encode()[:31]
    file_id = [Field(0, "enum"), Field(1, "u2"), Field(2, "u2"), Field(4, "u4"), Field(8, "S", 32)]
    rows = [_one((-1.0, 0), 0, 0, file_id, [4, 255, 1, stamp, name])]
    rows.append(_one((-1.0, 1), 0, 23, [Field(253, "u4"), Field(2, "u2"), Field(27, "S", 32)], [stamp, 255, name]))
    rows.append(_one((-1.0, 7), 0, 21, TIMER, [stamp, 0, 0]))
    if "point" in session.sizes:
        rows.append(_one((-1.0, 2), 0, 207, [Field(3, "u1")], [0]))
        describe = [Field(0, "u1"), Field(1, "u1"), Field(2, "u1"), Field(3, "S", 16)]
        rows += [_one((-1.0, 3 + i), 0, 206, describe, [0, i, 2, f"score_player_{i + 1}".encode()]) for i in range(2)]
    matrix = (np.eye(3) * 65535).astype("<i4").ravel()
    fields = [
        Field(253, "u4"),
        Field(0, "enum"),
        Field(1, "u4"),
        Field(2, "u4"),
        Field(3, "u4"),
        Field(4, "i4", 3),
        Field(5, "i4", 9),
    ]
    for num, sensor in ((165, 0), (164, 1)):
        if COUNTS[num][1] in session:
            values = [stamp, sensor, 1, COUNTS[num][0], LEVEL_SHIFT, np.zeros(3, "<i4"), matrix]
            rows.append(_one((-1.0, 8 + sensor), 0, 167, fields, values))
    return rows


def _motion(session: xr.Dataset, calibrated: bool) -> list[tuple[Any, bytes]]:
    rows: list[tuple[Any, bytes]] = []
    for local, (num, (counts, variable, dim, unit)) in enumerate(COUNTS.items(), 1):
        if variable not in session:
            continue
        ms = np.round((session[dim].values + _stamp(session)) * 1000).astype(np.int64)
        raw, missing = _raw(session[variable].values * unit, None if calibrated else counts)
        starts, blocks = _blocks(ms)
        index = np.minimum(starts[:, None] + np.arange(SAMPLES), len(ms) - 1)
        there = np.arange(SAMPLES) < blocks[:, None]
        offsets = np.where(
            there, ms[index] - (ms[starts] // 1000 * 1000)[:, None] - (ms[starts] % 1000)[:, None], 0xFFFF
        )
        axes = [np.where(there, raw[index, axis], missing) for axis in range(3)]
        first, base = (5, "f4") if calibrated else (2, "u2")
        fields = [
            Field(253, "u4"),
            Field(0, "u2"),
            Field(1, "u2", SAMPLES),
            *(Field(first + i, base, SAMPLES) for i in range(3)),
        ]
        columns = [ms[starts] // 1000, ms[starts] % 1000, offsets, *axes]
        rows.append(((-0.5, local), definition(local, num, fields)))
        times = ms[starts] / 1000
        rows += [((t, local), row) for t, row in zip(times.tolist(), messages(local, fields, columns), strict=True)]
    return rows


def _raw(values: Array, counts: int | None) -> tuple[Array, float]:
    """Values in g or degrees a second as they are written, and what stands for a missing one."""
    if counts is None:
        return values.astype(np.float32), np.nan
    raw = np.nan_to_num(np.round(values * counts) + LEVEL_SHIFT, nan=0xFFFF)
    return np.clip(raw, 0, 0xFFFE).astype(np.uint16), 0xFFFF


def _blocks(ms: Array) -> tuple[Array, Array]:
    """Where messages start and how many samples each holds: at most 30, and no longer than a minute across a gap."""
    breaks = np.flatnonzero(np.diff(ms) > 1000) + 1
    starts, counts = [], []
    for low, high in zip([0, *breaks], [*breaks, len(ms)], strict=True):
        at = np.arange(low, high, SAMPLES)
        starts.append(at)
        counts.append(np.minimum(SAMPLES, high - at))
    return np.concatenate(starts), np.concatenate(counts)


def _records(session: xr.Dataset) -> list[tuple[Any, bytes]]:
    """Heart rate each second, with the running score where points were pressed."""
    seconds = (
        np.round(session["hr_time"].values).astype(np.int64) if "hr_time" in session.sizes else np.empty(0, np.int64)
    )
    bpm = session["heart_rate"].values if "heart_rate" in session else np.empty(0)
    presses = "point" in session.sizes
    if presses:
        seconds = np.concatenate((seconds, np.round(session["point_time"].values).astype(np.int64)))
        bpm = np.concatenate((bpm, np.full(session.sizes["point"], np.nan)))
    seconds, first = np.unique(seconds, return_index=True)
    if not len(seconds):
        return []
    fields = [Field(253, "u4"), Field(3, "u1")]
    columns = [seconds + int(_stamp(session)), np.nan_to_num(bpm[first], nan=255)]
    extra: list[tuple[int, int, int]] = []
    if presses:
        where = np.searchsorted(np.round(session["point_time"].values), seconds, side="right") - 1
        for i, name in enumerate(("point_score_me", "point_score_opponent")):
            columns.append(np.where(where >= 0, session[name].values[np.maximum(where, 0)], 0))
            extra.append((i, 1, 0))
    layout = fields + [Field(0, "u1") for _ in extra]
    rows: list[tuple[Any, bytes]] = [((-0.5, 3), definition(3, 20, fields, extra))]
    stamps = columns[0].astype(float).tolist()
    return rows + [((t, 3), row) for t, row in zip(stamps, messages(3, layout, columns), strict=True)]


def _tail(session: xr.Dataset) -> list[tuple[Any, bytes]]:
    """Timer stopped, one lap, the session and the activity: what a watch writes when it is told to save."""
    stamp, length = int(_stamp(session)), int(session.attrs["duration_s"] * 1000)
    end, last = stamp + length // 1000, float("inf")
    bpm = session["heart_rate"].values if "heart_rate" in session else np.array([np.nan])
    heart = [255, 255] if np.isnan(bpm).all() else [round(float(np.nanmean(bpm))), round(float(np.nanmax(bpm)))]
    spans = [Field(253, "u4"), Field(2, "u4"), Field(7, "u4"), Field(8, "u4")]
    lap = [*spans, Field(15, "u1"), Field(16, "u1"), Field(25, "enum")]
    whole = [*spans, Field(5, "enum"), Field(6, "enum"), Field(16, "u1"), Field(17, "u1"), Field(26, "u2")]
    times = [end, stamp, length, length]
    activity = [Field(253, "u4"), Field(0, "u4"), Field(1, "u2"), Field(2, "enum")]
    return [
        _one((last, 0), 0, 21, TIMER, [end, 0, 4]),
        _one((last, 1), 0, 19, lap, [*times, *heart, SPORT_RACKET]),
        _one((last, 2), 0, 18, whole, [*times, SPORT_RACKET, SUB_SPORT_SQUASH, *heart, 1]),
        _one((last, 3), 0, 34, activity, [end, length, 1, 0]),
    ]
