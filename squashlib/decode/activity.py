"""A FIT recording becomes a session: its streams on one time axis, its presses, what it says about itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.decode import about
from squashlib.decode.beats import beat_streams, strap_rates
from squashlib.decode.fit import Recording, rows
from squashlib.decode.motion import motion_streams
from squashlib.decode.presses import presses
from squashlib.decode.records import Streams, ordered, record_streams
from squashlib.errors import DecodeError
from squashlib.session import build

Array = npt.NDArray[Any]
FIT_EPOCH = datetime(1989, 12, 31, tzinfo=UTC)
MAX_SPAN_S = 2 * 86400.0


def session_from(recording: Recording, source: dict[str, Any]) -> xr.Dataset:
    """Assemble a session.

    Raises
    ------
    DecodeError
        If nothing in the file was measured over time.
    """
    streams = _streams(recording)
    if not streams:
        kind = about.word(recording, about.FILE_ID, "type") or "unknown kind"
        raise DecodeError(f"a valid FIT file of kind '{kind}', but nothing in it was measured; must be an activity")
    _drop_outside(streams, recording.warnings)
    start_s, stop_s = _span(recording, streams)
    start_s = np.floor(start_s * 1000) / 1000  # a session's start is written in milliseconds
    points = presses(recording)
    if start_s:
        for times, _ in streams.values():
            times -= start_s
        if points is not None:
            points["point_time"] = points["point_time"] - start_s
    return build(
        streams,
        start_time=FIT_EPOCH + timedelta(seconds=recording.clock.origin_s + start_s),
        duration_s=stop_s - start_s,
        points=points,
        sport=about.sport(recording),
        device=about.device(recording),
        sources=[source],
        warnings=recording.warnings,
        extra={
            "laps_s": about.laps(recording, start_s),
            "events": about.events(recording, start_s),
            "time_in_zone": about.zones(recording),
            **_corrections(recording, start_s),
        },
    )


def _streams(recording: Recording) -> Streams:
    streams = record_streams(recording)
    strap = strap_rates(recording)
    if strap is not None and len(strap[0]):
        streams["hr_time"] = _with_strap(*strap, streams.get("hr_time"))
    streams.update(motion_streams(recording))
    streams.update(beat_streams(recording))
    return {dim: (times, values) for dim, (times, values) in streams.items() if len(times)}


def _with_strap(times: Array, bpm: Array, records: tuple[Array, dict[str, Array]] | None) -> Any:
    """A strap's own rates, finer than the records'; those fill what it did not see."""
    if records is not None and len(records[0]):
        outside = (records[0] < times[0]) | (records[0] > times[-1])
        times = np.concatenate((times, records[0][outside]))
        bpm = np.concatenate((bpm, records[1]["heart_rate"][outside]))
    return ordered(times, {"heart_rate": bpm})


def _span(recording: Recording, streams: Streams) -> tuple[float, float]:
    """When the activity began and ended: the session's word if it fits what was measured."""
    first = min(float(times[0]) for times, _ in streams.values())
    last = max(float(times[-1]) for times, _ in streams.values())
    _, held = rows(recording, about.SESSION, "start_time", "total_elapsed_time")
    if "start_time" not in held:
        return first, last
    starts = held["start_time"] - recording.clock.origin_s
    fits = np.abs(starts - first) < 6 * 3600  # false where it is not known
    if not fits.any():
        return first, last
    start = min(first, float(starts[fits].min()))
    lengths = held.get("total_elapsed_time", np.zeros(len(starts)))
    end = float(np.fmax(starts, starts + lengths)[fits].max())
    return start, max(last, end if end - start < MAX_SPAN_S else last)


def _drop_outside(streams: Streams, warnings: list[str]) -> None:
    """Leave out samples days away from the rest: a clock that jumped."""
    longest = max((times for times, _ in streams.values()), key=len)
    middle_s, reach_s = float(longest[len(longest) // 2]), MAX_SPAN_S / 2
    for dim, (times, values) in list(streams.items()):
        low, high = np.searchsorted(times, (middle_s - reach_s, middle_s + reach_s))
        if outside := len(times) - int(high - low):
            warnings.append(f"{outside} samples of {dim} lie more than a day from the others; left out")
            streams[dim] = (times[low:high], {name: array[low:high] for name, array in values.items()})
        if low == high:
            del streams[dim]


def _corrections(recording: Recording, start_s: float) -> dict[str, Any]:
    """What was added to the device's clock, and when by its own time."""
    knots = recording.clock.knots[: about.MAX_LISTED]
    return {"clock_corrections": np.round(knots, 6).tolist()} if len(knots) else {}
