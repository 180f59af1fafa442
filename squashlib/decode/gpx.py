"""GPX 1.0 and 1.1 with the heart-rate extensions that watches write (`hr`, `cad`, `atemp`)."""

from typing import Any

import xarray as xr

from squashlib.decode import xml

EXTENSIONS = {
    "hr": "heart_rate",
    "heartrate": "heart_rate",
    "cad": "cadence",
    "atemp": "skin_temperature",
    "ele": "altitude",
}


def session_from(data: bytes, source: dict[str, Any], warnings: list[str]) -> xr.Dataset:
    """Decode a GPX document; raises `DecodeError` if it holds no timed track."""
    root = xml.parse(data)
    points, sport = [], "unknown"
    for element in root.iter():
        if xml.local(element) == "type" and element.text:
            sport = element.text.strip().lower()
        if xml.local(element) != "trkpt":
            continue
        held = xml.texts(element)
        values = {EXTENSIONS[name]: xml.number(text) for name, text in held.items() if name in EXTENSIONS}
        values |= {"latitude": xml.number(element.get("lat")), "longitude": xml.number(element.get("lon"))}
        points.append((xml.moment(held.get("time")), values))
    device = {"name": creator} if (creator := root.get("creator")) else {}
    sport = "squash" if "squash" in sport else sport
    return xml.session_from(points, sport=sport, device=device, source=source, warnings=warnings)
