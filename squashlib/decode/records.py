"""Streams of the `record` messages: heart rate, position and counters."""

from typing import Any

import numpy as np
import numpy.typing as npt

from squashlib.decode.fit import Recording, rows

Array = npt.NDArray[Any]
Streams = dict[str, tuple[Array, dict[str, Array]]]

RECORD = 20
SEMICIRCLE_DEG = 180.0 / 2**31
MAX_BPM = 250

#: By session variable: its time dimension, field names of `record` (the first that holds a value), factor to our unit.
VARIABLES = {
    "heart_rate": ("hr_time", ("heart_rate",), 1.0),
    "latitude": ("gps_time", ("position_lat",), SEMICIRCLE_DEG),
    "longitude": ("gps_time", ("position_long",), SEMICIRCLE_DEG),
    "altitude": ("gps_time", ("enhanced_altitude", "altitude"), 1.0),
    "gps_accuracy": ("gps_time", ("gps_accuracy",), 1.0),
    "skin_temperature": ("temperature_time", ("temperature",), 1.0),
    "calories": ("activity_time", ("calories",), 1.0),
    "distance": ("activity_time", ("distance",), 1.0),
    "cadence": ("activity_time", ("cadence",), 1.0),
    "steps": ("activity_time", ("total_cycles", "cycles"), 1.0),
}
NAMES = tuple(name for _, choices, _ in VARIABLES.values() for name in choices)


def record_streams(recording: Recording) -> Streams:
    """Streams by time dimension; only what some record holds."""
    times, held = rows(recording, RECORD, *NAMES)
    streams: dict[str, dict[str, Array]] = {}
    for variable, (dim, choices, factor) in VARIABLES.items():
        found = [held[name] for name in choices if name in held]
        if not found:
            continue
        values = found[0] if len(found) == 1 else np.where(np.isnan(found[0]), found[1], found[0])
        streams.setdefault(dim, {})[variable] = values if factor == 1 else values * factor
    if "hr_time" in streams:
        heart_rate = streams["hr_time"]["heart_rate"]
        heart_rate[(heart_rate == 0) | (heart_rate > MAX_BPM)] = np.nan
    return {dim: ordered(times, values) for dim, values in streams.items()}


def ordered(times: Array, values: dict[str, Array]) -> tuple[Array, dict[str, Array]]:
    """Only rows where something was measured, in order of time; of equal times the last holds."""
    measured = np.isfinite(times)
    some = np.zeros(len(times), bool)
    for array in values.values():
        some |= ~np.isnan(array)
    measured &= some
    if not measured.all():
        times, values = times[measured], {name: array[measured] for name, array in values.items()}
    if not (times[1:] > times[:-1]).all():
        at = np.argsort(times, kind="stable")
        at = at[np.append(np.diff(times[at]) > 0, True)]
        times, values = times[at], {name: array[at] for name, array in values.items()}
    return times, {name: array for name, array in values.items() if not np.isnan(array).all()}
