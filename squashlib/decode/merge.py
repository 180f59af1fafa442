"""Several recordings of one session become one; whatever their order, nothing is counted twice."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.schema import STREAM_TIMES, VARIABLES
from squashlib.session import build, parse_iso, start_of

Array = npt.NDArray[Any]


def merge(
    parts: Sequence[xr.Dataset], *, session_id: str | None = None, start_time: datetime | None = None
) -> xr.Dataset:
    """One session from all parts.

    Samples of equal time (to the millisecond) are one sample: the first value that is not missing holds, parts being
    taken in an order of their content, so that any permutation of `parts` gives the same arrays.

    Raises
    ------
    ValueError
        If there is no part.
    """
    if not parts:
        raise ValueError("nothing to merge: parts is empty, must hold at least one session")
    parts = sorted(parts, key=_rank)
    start = min([start_of(part) for part in parts] + ([start_time] if start_time else []))
    shifts = [(start_of(part) - start).total_seconds() for part in parts]
    streams = {dim: _stream(parts, shifts, dim) for dim in STREAM_TIMES if any(dim in part.sizes for part in parts)}
    ends = [shift + part.attrs["duration_s"] for part, shift in zip(parts, shifts, strict=True)]
    main = parts[0]
    return build(
        streams,
        start_time=start,
        duration_s=max(ends),
        points=_points(parts, shifts),
        sport=next((p.attrs["sport"] for p in parts if p.attrs["sport"] != "unknown"), "unknown"),
        device=next((p.attrs["device"] for p in parts if p.attrs["device"]), {}),
        watch_position=next((p.attrs["watch_position"] for p in parts if p.attrs["watch_position"] != "unknown"), None),
        sources=[source for part in parts for source in part.attrs["sources"]],
        warnings=list(dict.fromkeys(warning for part in parts for warning in part.attrs["warnings"])),
        session_id=session_id or main.attrs["session_id"],
        extra={name: main.attrs[name] for name in ("laps_s", "time_in_zone") if name in main.attrs},
    )


def _rank(part: xr.Dataset) -> tuple[int, str]:
    """Files before batches (a recording's own clock is steadier), then by content."""
    batch = all(source.get("format") == "batch" for source in part.attrs["sources"])
    return int(batch), "".join(sorted(str(source.get("sha256")) for source in part.attrs["sources"]))


def _stream(parts: Sequence[xr.Dataset], shifts: Sequence[float], dim: str) -> tuple[Array, dict[str, Array]]:
    held = [(part, shift) for part, shift in zip(parts, shifts, strict=True) if dim in part.sizes]
    if len(held) == 1:
        part, shift = held[0]
        on = [str(name) for name in part.data_vars if part[name].dims[0] == dim]
        return part[dim].values + shift, {name: part[name].values for name in on}
    times = np.concatenate([np.round(part[dim].values + shift, 3) for part, shift in held])
    unique, where = np.unique(times, return_inverse=True)
    names = list(dict.fromkeys(str(n) for part, _ in held for n in part.data_vars if part[n].dims[0] == dim))
    return unique, {name: _first(name, held, dim, where, len(unique)) for name in names}


def _first(name: str, held: Sequence[tuple[xr.Dataset, float]], dim: str, where: Array, n: int) -> Array:
    spec = VARIABLES[name]
    shape = (3,) if "axis" in spec.dims else ()
    out = np.full((n, *shape), np.nan, spec.dtype)
    at = len(where)
    for part, _ in reversed(held):
        at -= part.sizes[dim]
        if name in part:
            values = part[name].values
            there = ~np.isnan(values.reshape(len(values), -1)).any(axis=1)
            out[where[at : at + part.sizes[dim]][there]] = values[there]
    return out


def _points(parts: Sequence[xr.Dataset], shifts: Sequence[float]) -> dict[str, Array] | None:
    """Presses of the recording that holds most; two recordings of the same presses are not added up."""
    held = [(part, shift) for part, shift in zip(parts, shifts, strict=True) if "point" in part.sizes]
    if not held:
        return None
    part, shift = max(held, key=lambda item: item[0].sizes["point"])
    names = [name for name in VARIABLES if name.startswith("point_")]
    points = {name: part[name].values for name in names}
    return points | {"point_time": points["point_time"] + shift}


def starts_at(batch_start: str | None, fallback: datetime) -> datetime:
    """The time that a batch names, else the session's."""
    return parse_iso(batch_start) if batch_start else fallback


def seconds(moments: Sequence[str], start: datetime) -> Array:
    """ISO times as seconds since `start`, shape (n,)."""
    return np.array([(parse_iso(text) - start) / timedelta(seconds=1) for text in moments], np.float64)
