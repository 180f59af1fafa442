"""What GPX and TCX share: safe XML, times, numbers, and streams of track points."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import xarray as xr

from squashlib.errors import DecodeError
from squashlib.session import build, parse_iso

#: By variable: its time dimension.
DIMS = {
    "heart_rate": "hr_time",
    "latitude": "gps_time",
    "longitude": "gps_time",
    "altitude": "gps_time",
    "cadence": "activity_time",
    "distance": "activity_time",
    "skin_temperature": "temperature_time",
}
LIMITS = {
    "heart_rate": (1, 250),
    "latitude": (-90, 90),
    "longitude": (-180, 180),
    "cadence": (0, 1e4),
    "distance": (0, 1e7),
}


def parse(data: bytes) -> Element:
    """The root element; entities and external references are refused."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise DecodeError(f"the XML cannot be read ({error}); must be whole and plain") from error
    return root


def local(element: Element) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def texts(point: Element) -> dict[str, str]:
    """Text of every element below, by local name; the first of each."""
    found: dict[str, str] = {}
    for element in point.iter():
        if element.text and element.text.strip():
            found.setdefault(local(element), element.text.strip())
    return found


def number(text: str | None) -> float:
    """A finite number, NaN for anything else."""
    try:
        value = float(text or "nan")
    except ValueError:
        return np.nan
    return value if np.isfinite(value) else np.nan


def moment(text: str | None) -> datetime | None:
    """A time, None for anything else."""
    try:
        return parse_iso(text) if text else None
    except ValueError:
        return None


def session_from(
    points: Iterable[tuple[datetime | None, dict[str, float]]], *, sport: str, device: dict[str, Any],
    source: dict[str, Any], warnings: list[str],
) -> xr.Dataset:  # fmt: skip
    """A session from track points: time and values by variable."""
    from squashlib.decode.records import ordered

    rows = [(time, values) for time, values in points]
    timed = [(time, values) for time, values in rows if time is not None]
    if len(timed) < len(rows):
        warnings.append(f"{len(rows) - len(timed)} track points have no time; left out")
    if not timed:
        raise DecodeError("no track point has a time; must be a recording, not a route")
    start = min(time for time, _ in timed)
    seconds = np.array([(time - start).total_seconds() for time, _ in timed])
    columns = {name: _within(name, np.array([v.get(name, np.nan) for _, v in timed])) for name in DIMS}
    streams: dict[str, Any] = {}
    for dim in dict.fromkeys(DIMS.values()):
        times, held = ordered(seconds, {name: columns[name] for name, on in DIMS.items() if on == dim})
        if len(times):
            streams[dim] = (times, held)
    if not streams:
        raise DecodeError("no track point holds a measurement; must hold heart rate or positions")
    return build(
        streams, start_time=start, duration_s=float(seconds.max()), sport=sport, device=device,
        sources=[source], warnings=warnings,
    )  # fmt: skip


def _within(name: str, values: Any) -> Any:
    low, high = LIMITS.get(name, (-np.inf, np.inf))
    return np.where((values >= low) & (values <= high), values, np.nan)
