"""Garmin's Training Center XML (version 2)."""

from typing import Any
from xml.etree.ElementTree import Element

import xarray as xr

from squashlib.decode import xml


def session_from(data: bytes, source: dict[str, Any], warnings: list[str]) -> xr.Dataset:
    """Decode a TCX document; raises `DecodeError` if it holds no timed track."""
    root = xml.parse(data)
    activity = next((e for e in root.iter() if xml.local(e) == "Activity"), None)
    sport = (activity.get("Sport") or "unknown").lower() if activity is not None else "unknown"
    words = " ".join(e.text or "" for e in root.iter() if xml.local(e) in ("Notes", "Name"))
    points = [_point(element) for element in root.iter() if xml.local(element) == "Trackpoint"]
    creator = next((e for e in root.iter() if xml.local(e) == "Creator"), None)
    name = xml.texts(creator).get("Name") if creator is not None else None
    return xml.session_from(
        points,
        sport="squash" if "squash" in (sport + words).lower() else sport,
        device={"name": name} if name else {},
        source=source,
        warnings=warnings,
    )


def _point(element: Element) -> tuple[Any, dict[str, float]]:
    held = xml.texts(element)
    pulse = next((e for e in element.iter() if xml.local(e) == "HeartRateBpm"), None)
    values = {
        "heart_rate": xml.number(xml.texts(pulse).get("Value")) if pulse is not None else xml.number(None),
        "latitude": xml.number(held.get("LatitudeDegrees")),
        "longitude": xml.number(held.get("LongitudeDegrees")),
        "altitude": xml.number(held.get("AltitudeMeters")),
        "distance": xml.number(held.get("DistanceMeters")),
        "cadence": xml.number(held.get("Cadence")),
    }
    return xml.moment(held.get("Time")), values
