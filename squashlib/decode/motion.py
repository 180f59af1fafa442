"""Accelerometer and gyroscope messages: raw counts calibrated, or calibrated and compressed values as they are.

calibrated = (factor / divisor) · M · (raw - level shift - offset), M row-major scaled by 65535, with the newest
`three_d_sensor_calibration` of that sensor before the sample (Garmin FIT SDK, message 167).
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from squashlib.decode.fit import Recording, Table
from squashlib.decode.layout import Field
from squashlib.kernels import fit_motion

Array = npt.NDArray[Any]
GYROSCOPE, ACCELEROMETER, CALIBRATION = 164, 165, 167
STANDARD_GRAVITY = 9.80665
SAMPLE_TIME_OFFSET = 1
MAX_CALIBRATIONS = 10_000  # a device calibrates a few times an hour
CODES = {4: fit_motion.UNSIGNED, 3: fit_motion.SIGNED, 8: fit_motion.FLOAT}


class Sensor(NamedTuple):
    """Where a sensor's samples go, the type by which its calibrations name it, and its units in ours."""

    dim: str
    variable: str
    short: str
    kind: int
    unit: float
    compressed_unit: float


SENSORS = {
    ACCELEROMETER: Sensor("accel_time", "acceleration", "accel", 0, STANDARD_GRAVITY, STANDARD_GRAVITY / 1000),
    GYROSCOPE: Sensor("gyro_time", "angular_velocity", "gyro", 1, np.pi / 180, np.nan),
}


class Calibration(NamedTuple):
    """From a place in the file on: sample = `matrix` · (raw - `zero`)."""

    rank: int
    matrix: Array
    zero: Array


def motion_streams(recording: Recording) -> dict[str, tuple[Array, dict[str, Array]]]:
    """Acceleration in m/s² and angular velocity in rad/s, each on its own strictly increasing clock."""
    streams: dict[str, tuple[Array, dict[str, Array]]] = {}
    for num, sensor in SENSORS.items():
        parts = [part for table in recording.of(num) if (part := _samples(table, recording, sensor)) is not None]
        if not parts:
            continue
        times, values = parts[0]
        if len(parts) > 1:
            times, values = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
        if not (times[1:] > times[:-1]).all():
            order = np.argsort(times, kind="stable")
            times, values = times[order], values[order]
            keep = np.append(np.diff(times) > 0, True)
            if not keep.all():
                recording.warnings.append(
                    f"{int((~keep).sum())} samples of {sensor.variable} repeat a time; the last of each was kept"
                )
            times, values = times[keep], values[keep]
        streams[sensor.dim] = (times, {sensor.variable: values})
    return streams


def _samples(table: Table, recording: Recording, sensor: Sensor) -> tuple[Array, Array] | None:
    """Times (n,) and values (n, 3) in our unit, from the best form there is."""
    axes, calibrations = _form(table, recording, sensor)
    began = recording.clock.times(table, sensor=True)
    if len({f.base for f in axes}) != 1 or axes[0].base not in CODES:
        return None
    later, width = table.layout.fields.get((-1, SAMPLE_TIME_OFFSET)), 4 if axes[0].base == 8 else 2
    k = min(*(f.size // width for f in axes), 1 if later is None else later.size // 2)
    fraction = table.scalar("timestamp_ms")
    began_ms = began * 1000 if fraction is None else began * 1000 + np.nan_to_num(fraction)
    ranks = np.array([each.rank for each in calibrations])
    which = np.maximum(np.searchsorted(ranks, table.rank) - 1, 0)  # the newest before; the first, if none is
    times, values = np.empty(len(table) * k), np.empty((len(table) * k, 3), np.float32)
    n = fit_motion.samples(
        table.buffer, table.offsets, began_ms, -1 if later is None else later.shift,
        np.array([f.shift for f in axes]), k, CODES[axes[0].base], table.layout.order == ">", which,
        np.array([each.matrix for each in calibrations], np.float32),
        np.array([each.zero for each in calibrations], np.float32), times, values,
    )  # fmt: skip
    return (times[:n], values[:n]) if n else None


def _form(table: Table, recording: Recording, sensor: Sensor) -> tuple[list[Field], list[Calibration]]:
    """The three axes' fields and how they become our unit: calibrated, compressed, or raw counts."""

    def plain(unit: float) -> list[Calibration]:
        return [Calibration(0, np.eye(3) * unit, np.zeros(3))]

    forms = {
        f"calibrated_{sensor.short}_": plain(sensor.unit),
        f"compressed_calibrated_{sensor.short}_": plain(sensor.compressed_unit),
        f"{sensor.short}_": _calibrations(recording, sensor),
    }
    named = table.layout.named
    for prefix, calibrations in forms.items():
        if calibrations and all(prefix + axis in named for axis in "xyz"):
            return [named[prefix + axis][0] for axis in "xyz"], calibrations
    return [], []


def _calibrations(recording: Recording, sensor: Sensor) -> list[Calibration]:
    """Calibrations of a sensor in file order, its unit turned to ours."""
    found = []
    for table in recording.of(CALIBRATION):
        kind, factor, divisor, level = (table.column(num) for num in range(4))
        if kind is None or factor is None or divisor is None or level is None:
            continue
        offset, matrix = table.column(4), table.column(5)
        if any(column.ndim != 1 for column in (kind, factor, divisor, level)):
            continue
        for i in np.flatnonzero(kind == sensor.kind)[:MAX_CALIBRATIONS]:
            turn = matrix[i].reshape(3, 3) / 65535 if matrix is not None and matrix.shape[1:] == (9,) else np.eye(3)
            zero = float(level[i]) + (offset[i] if offset is not None and offset.shape[1:] == (3,) else np.zeros(3))
            gain = sensor.unit * float(factor[i]) / (float(divisor[i]) or 1.0)
            found.append(Calibration(int(table.rank[i]), gain * turn, zero))
    return sorted(found, key=lambda each: each.rank)
