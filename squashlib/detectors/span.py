"""The part of a recording that holds play: a watch forgotten on a table or worn for hours afterwards teaches nothing.

What a session's strokes and rests look like is learnt from the session itself, so hours of something else would be
taken for its rests, and its rests for rallies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.detectors.framework import Context
from squashlib.detectors.model import IDLE
from squashlib.detectors.motion_bins import part_of
from squashlib.moments import iso
from squashlib.schema import STREAM_TIMES, time_attrs
from squashlib.scoring import Point
from squashlib.session import start_of

Floats = npt.NDArray[np.float64]

#: What the wrist does at strokes, at least: a weak player's tennis strokes peak at 280 degrees a second and 0.9 g.
HIT = {"gyro_time": 2.5, "accel_time": 5.0}  # rad/s, m/s² without gravity
FEWEST = 8
#: A swing is strong at this share of the session's strongest; a window holds play at this share of its busiest.
STRONG, TOP, BUSY, BUSIEST = 0.35, 0.98, 0.15, 0.9
WINDOW_S, MARGIN_S, WORTH_S = 300.0, 300.0, 600.0
MINUTE_S, DEAD_S, FEW = 60.0, 90.0, 3
#: A five minutes' mean heart rate of play lies above this share of a session's range, if it has one.
WORKING, RANGE_BPM = 0.35, 50.0
FAR = -5.0  # log odds of a swing far from play to be a stroke


def whole(session: xr.Dataset) -> tuple[float, float]:
    """A session's first and last second."""
    return 0.0, float(np.ceil(session.attrs["duration_s"]))


def span_of_play(session: xr.Dataset, swings: xr.Dataset, points: Sequence[Point]) -> tuple[float, float] | None:
    """Seconds from and to which there is play; None if nothing was hit.

    What goes is a watch that is not worn, and ten minutes or more without play at either end. Without motion the heart
    tells; a motion sensor without a swing beside points says nothing.
    """
    end = whole(session)[1]
    sensor = next((dim for dim in ("gyro_time", "accel_time") if session.sizes.get(dim, 0) > 10), None)
    if sensor is None:
        return _with_presses(*_beating(session), points, end)
    times, strength = swings["swing_time"].values, swings["swing_strength"].values.astype(np.float64)
    hits = times[strength > HIT[sensor]]
    if len(hits) < FEWEST:
        return whole(session) if points else None
    strong = times[strength > max(HIT[sensor], STRONG * float(np.quantile(strength[strength > HIT[sensor]], TOP)))]
    count = np.bincount((strong / WINDOW_S).astype(np.int64))
    busy = np.flatnonzero(count >= max(BUSY * float(np.quantile(count[count > 0], BUSIEST)), 1.0))
    low, high = WINDOW_S * busy[0] - MARGIN_S, WINDOW_S * (busy[-1] + 1) + MARGIN_S
    low, high = low if low > WORTH_S else 0.0, high if end - high > WORTH_S else end
    first, last = _worn(times, hits)
    low, high = max(low, first), min(high, last)
    return _with_presses(low, high, points, end)


def _with_presses(low: float, high: float, points: Sequence[Point], end: float) -> tuple[float, float]:
    pressed = [point.time_s for point in points if 0 <= point.time_s <= end]
    low, high = min([low, *(t - MARGIN_S for t in pressed)]), max([high, *(t + MARGIN_S for t in pressed)])
    return max(float(np.floor(low)), 0.0), min(float(np.ceil(high)), end)


def _beating(session: xr.Dataset) -> tuple[float, float]:
    """From and to when the heart works: hours at rest before or after lie low in a match's range."""
    low, high = whole(session)
    if "heart_rate" not in session or session.sizes["hr_time"] < WINDOW_S:
        return low, high
    times, bpm = session["hr_time"].values, session["heart_rate"].values
    window, known = (times / WINDOW_S).astype(np.int64), ~np.isnan(bpm)
    count = np.bincount(window[known])
    mean = np.bincount(window[known], bpm[known]) / np.maximum(count, 1)
    calm, hard = np.quantile(bpm[known], (0.02, 0.98)) if known.any() else (0.0, 0.0)
    busy = np.flatnonzero((mean > calm + WORKING * (hard - calm)) & (count > 0))
    if hard - calm < RANGE_BPM or not len(busy):
        return low, high
    first, last = WINDOW_S * busy[0] - MARGIN_S, WINDOW_S * (busy[-1] + 1) + MARGIN_S
    return first if first > WORTH_S else low, last if high - last > WORTH_S else high


def _worn(times: Floats, hits: Floats) -> tuple[float, float]:
    """From and to when the watch was worn: one that lies about feels nothing, and little when it is picked up."""
    edges = np.flatnonzero(np.diff(times) > DEAD_S) + 1
    first, last = times[np.append(0, edges)], times[np.append(edges, len(times)) - 1]
    held = np.searchsorted(hits, last, side="right") - np.searchsorted(hits, first)
    worn = (last - first >= MINUTE_S) & (held >= FEW)
    if not worn.any():
        return -np.inf, np.inf
    return float(first[worn][0]) - MINUTE_S, float(last[worn][-1]) + MINUTE_S


def cut(session: xr.Dataset, low: float, high: float) -> xr.Dataset:
    """What was measured between two times (s), as a session that starts at the first."""
    kept = {}
    for name in STREAM_TIMES:
        if name in session.sizes:
            a, b = np.searchsorted(session[name].values, (low, high))
            kept[name] = slice(int(a), int(b))
    part = session.isel(kept)
    part = part.assign_coords({name: (name, part[name].values - low, part[name].attrs) for name in kept})
    start = iso(start_of(session) + timedelta(seconds=low))
    return part.assign_attrs(start_time=start, duration_s=high - low)


def within(context: Context, low: float, high: float) -> Context:
    """What a detector may look at of a part of the session, in the part's own time."""
    swings = context.groups["swings"]
    times = swings["swing_time"]
    inside = swings.isel(swing=_inside(swings, low, high))
    inside = inside.assign(swing_time=("swing", inside["swing_time"].values - low, times.attrs))
    points = tuple(replace(point, time_s=point.time_s - low) for point in context.points)
    groups = {"swings": inside, "motion": part_of(context.groups["motion"], low, high)}
    return replace(context, session=cut(context.session, low, high), points=points, groups=groups)


def around(groups: Mapping[str, xr.Dataset], context: Context, low: float, high: float) -> dict[str, xr.Dataset]:
    """What was found in a part of a session, in the session's time; the rest of it is idle."""
    found = {name: moved(group, low, context.session.attrs["start_time"]) for name, group in groups.items()}
    end, swings = whole(context.session)[1], context.groups["swings"]
    idle = [(a, b) for a, b in ((0.0, low), (high, end)) if b > a]
    found["segments"] = _with_idle(found["segments"], idle)
    found["posterior"] = _lengthened(found["posterior"], round(low), round(end))
    found["likeness"] = _for_all(found["likeness"], _inside(swings, low, high))
    return found


def _for_all(likeness: xr.Dataset, inside: npt.NDArray[np.bool_]) -> xr.Dataset:
    columns = {}
    for name, far in (("log_odds", FAR), ("in_rally", 0.0)):
        values = np.full(len(inside), far, np.float32)
        values[inside] = likeness[name].values
        columns[name] = ("swing", values, likeness[name].attrs)
    return xr.Dataset(columns)


def _with_idle(segments: xr.Dataset, spans: Sequence[tuple[float, float]]) -> xr.Dataset:
    table = np.array(spans).reshape(-1, 2)
    more = {
        "start": table[:, 0],
        "stop": table[:, 1],
        "kind": np.full(len(table), IDLE),
        "confidence": np.ones(len(table)),
    }
    order = np.argsort(np.append(segments["segment_start"].values, table[:, 0]), kind="stable")
    columns = {}
    for name, values in more.items():
        old = segments.variables[f"segment_{name}"]
        columns[f"segment_{name}"] = ("segment", np.append(old.values, values.astype(old.dtype))[order], old.attrs)
    return xr.Dataset(columns, attrs=segments.attrs)


def _lengthened(posterior: xr.Dataset, low: int, end: int) -> xr.Dataset:
    shares, attrs = posterior["probability"].values, posterior["probability"].attrs
    if not len(shares):
        return posterior
    table = np.zeros((end, shares.shape[1]), shares.dtype)
    table[:, IDLE] = 1.0
    table[low : low + len(shares)] = shares
    times = np.arange(end) + 0.5
    coords = {"posterior_time": ("posterior_time", times, posterior["posterior_time"].attrs)}
    return xr.Dataset({"probability": (("posterior_time", "state"), table, attrs)}, coords)


def _inside(swings: xr.Dataset, low: float, high: float) -> npt.NDArray[np.bool_]:
    times = swings["swing_time"].values
    return np.asarray((times >= low) & (times < high))


def moved(group: xr.Dataset, by_s: float, start: str) -> xr.Dataset:
    """A group whose times count from `start`, `by_s` seconds before the start that they counted from."""
    times = {
        name: (array.dims, array.values + by_s, time_attrs(start, array.attrs["long_name"]))
        for name, array in group.variables.items()
        if array.attrs.get("standard_name") == "time"
    }
    return group.assign(times)
