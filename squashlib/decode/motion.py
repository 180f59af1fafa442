"""Accelerometer and gyroscope messages: raw counts calibrated, or calibrated and compressed values as they are.

calibrated = (factor / divisor) · M · (raw - level shift - offset), M row-major scaled by 65535, with the newest
`three_d_sensor_calibration` of that sensor before the sample (Garmin FIT SDK, message 167).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from squashlib.decode import fit
from squashlib.decode.fit import Table

Array = npt.NDArray[Any]
GYROSCOPE, ACCELEROMETER, CALIBRATION = 164, 165, 167
STANDARD_GRAVITY = 9.80665

#: By message: time dimension, variable, calibration's sensor type, unit factor, and the compressed form's factor.
SENSORS = {
    ACCELEROMETER: ("accel_time", "acceleration", 0, STANDARD_GRAVITY, STANDARD_GRAVITY / 1000),
    GYROSCOPE: ("gyro_time", "angular_velocity", 1, np.pi / 180, np.nan),
}


def motion_streams(tables: list[Table], warnings: list[str]) -> dict[str, tuple[Array, dict[str, Array]]]:
    """Acceleration in m/s² and angular velocity in rad/s, each on its own strictly increasing clock."""
    streams: dict[str, tuple[Array, dict[str, Array]]] = {}
    for num, (dim, variable, sensor, *_factors) in SENSORS.items():
        parts = [part for table in tables if table.layout.num == num for part in _samples(table, tables, num, sensor)]
        if not parts:
            continue
        times = np.concatenate([part[0] for part in parts])
        values = np.concatenate([part[1] for part in parts])
        good = np.isfinite(times) & ~np.isnan(values[:, 0])
        if not good.all():
            good |= np.isfinite(times) & ~np.isnan(values).all(axis=1)
            times, values = times[good], values[good]
        if not (np.diff(times) > 0).all():
            order = np.argsort(times, kind="stable")
            times, values = times[order], values[order]
            keep = np.append(np.diff(times) > 0, True)
            if not keep.all():
                warnings.append(f"{int((~keep).sum())} samples of {variable} repeat a time; the last of each was kept")
            times, values = times[keep], values[keep]
        if len(times):
            streams[dim] = (times, {variable: values})
    return streams


def _samples(table: Table, tables: list[Table], num: int, sensor: int) -> list[tuple[Array, Array]]:
    """Times (n·k,) and values (n·k, 3) of one layout."""
    held = {name: (raw, field) for name, field, raw, _ in fit.columns(table)}
    if "timestamp" not in held:
        return []
    seconds = fit.number(held["timestamp"][0], 6)
    if "timestamp_ms" in held:
        seconds = seconds + np.nan_to_num(fit.number(held["timestamp_ms"][0], 4)) / 1000
    values = _values(held, table, tables, num, sensor)
    if values is None:
        return []
    if "sample_time_offset" in held:
        offsets = fit.number(held["sample_time_offset"][0].reshape(len(table), -1), 4) / 1000
    else:
        offsets = np.zeros((len(table), 1))
    k = min(values.shape[1], offsets.shape[1])
    return [((seconds[:, None] + offsets[:, :k]).ravel(), values[:, :k].reshape(-1, 3))]


def _values(held: dict[str, Any], table: Table, tables: list[Table], num: int, sensor: int) -> Array | None:
    """Values (n, k, 3) in our unit from the best form that is there."""
    short = "accel" if num == ACCELEROMETER else "gyro"
    _, _, _, factor, compressed = SENSORS[num]
    if all(f"calibrated_{short}_{axis}" in held for axis in "xyz"):
        return _stack(held, f"calibrated_{short}_", table, np.float32(factor))
    if all(f"compressed_calibrated_{short}_{axis}" in held for axis in "xyz"):
        return _stack(held, f"compressed_calibrated_{short}_", table, np.float32(compressed))
    if all(f"{short}_{axis}" in held for axis in "xyz"):
        return _calibrated(_stack(held, f"{short}_", table, np.float32(1)), table, tables, sensor, factor)
    return None


def _stack(held: dict[str, Any], prefix: str, table: Table, factor: np.float32) -> Array:
    columns = []
    for axis in "xyz":
        raw, field = held[prefix + axis]
        columns.append((raw.reshape(len(table), -1), fit.BASE_TYPES[field.base][1]))
    k = min(column.shape[1] for column, _ in columns)
    out = np.empty((len(table), k, 3), np.float32)
    for i, (column, invalid) in enumerate(columns):
        out[:, :, i] = column[:, :k]
        if invalid is not None and (missing := column[:, :k] == invalid).any():
            out[missing, i] = np.nan
    if factor != 1:
        out *= factor
    return out


def _calibrated(raw: Array, table: Table, tables: list[Table], sensor: int, factor: float) -> Array | None:
    """Counts to units, each message with the newest calibration of its sensor before it (the first, if none is)."""
    known = _calibrations(tables, sensor)
    if not known:
        return None
    if len(known) == 1 and not (known[0][1] - np.diag(np.diag(known[0][1]))).any():
        raw -= known[0][2].astype(np.float32)  # the usual case, without turning axes: in place
        raw *= (np.diag(known[0][1]) * factor).astype(np.float32)
        return raw
    ranks = np.array([rank for rank, *_ in known])
    which = np.maximum(np.searchsorted(ranks, table.rank) - 1, 0)
    out = np.empty_like(raw)
    for i in np.unique(which):
        _, matrix, shift = known[i]
        rows = which == i
        out[rows] = (raw[rows] - shift.astype(np.float32)) @ (matrix * factor).T.astype(np.float32)
    return out


def _calibrations(tables: list[Table], sensor: int) -> list[tuple[int, Array, Array]]:
    """By place in the file: scaled matrix (3, 3) and what is taken from the counts (3,)."""
    found = []
    for table in tables:
        if table.layout.num != CALIBRATION:
            continue
        raw = {field.num: table.raw[-1, field.num] for field in table.layout.fields if field.developer < 0}
        if not {0, 1, 2, 3} <= raw.keys() or any(raw[num].ndim != 1 for num in range(4)):
            continue
        for i in np.flatnonzero(raw[0] == sensor):
            scale = float(raw[1][i]) / (float(raw[2][i]) or 1.0)
            matrix = raw[5][i].reshape(3, 3) / 65535 if 5 in raw and raw[5].shape[1:] == (9,) else np.eye(3)
            offset = raw[4][i].astype(float) if 4 in raw and raw[4].shape[1:] == (3,) else np.zeros(3)
            found.append((int(table.rank[i]), scale * matrix, float(raw[3][i]) + offset))
    return sorted(found, key=lambda item: item[0])
