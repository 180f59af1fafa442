"""GPX 1.0 and 1.1 with the heart-rate extensions that watches write.

Garmin's TrackPointExtension (`hr`, `cad`, `atemp`; `gpxtpx:` of Strava and Suunto, `ns3:` of Garmin Connect),
Cluetrust's `gpxdata:` (`hr`, `cadence`, `temp`, `distance`) and bare elements in `extensions` (COROS) are read by their
local names. Cadence counts strides, two steps each.
"""

from typing import Any

import xarray as xr

from squashlib.decode import xml

NAMES = {
    "time": "time",
    "lat": "latitude",
    "lon": "longitude",
    "ele": "altitude",
    "hr": "heart_rate",
    "heartrate": "heart_rate",
    "cad": "cadence",
    "cadence": "cadence",
    "atemp": "skin_temperature",
    "temp": "skin_temperature",
    "distance": "distance",
}


def session_from(data: bytes, source: dict[str, Any], warnings: list[str]) -> xr.Dataset:
    """Decode a GPX document; raises `DecodeError` if it holds no timed track."""
    track = xml.read(data, "trkpt", NAMES)
    words = [text.lower() for name, text in track.words if name in ("type", "name", "desc", "keywords")]
    sport = "squash" if any("squash" in each for each in words) else (track.word("type") or "unknown").lower()
    creator = track.word("gpx.creator")
    device = {"name": creator} if creator else {}
    return xml.session_from(track, sport=sport, device=device, source=source, warnings=warnings)
