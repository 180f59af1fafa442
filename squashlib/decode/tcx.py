"""Garmin's Training Center XML (version 2), with the ActivityExtension (`ns3:TPX`) that carries a runner's cadence."""

from typing import Any

import xarray as xr

from squashlib.decode import xml

NAMES = {
    "Time": "time",
    "LatitudeDegrees": "latitude",
    "LongitudeDegrees": "longitude",
    "AltitudeMeters": "altitude",
    "DistanceMeters": "distance",
    "HeartRateBpm": "heart_rate",
    "Cadence": "cadence",
    "RunCadence": "cadence",
}


def session_from(data: bytes, source: dict[str, Any], warnings: list[str]) -> xr.Dataset:
    """Decode a TCX document; raises `DecodeError` if it holds no timed track."""
    track = xml.read(data, "Trackpoint", NAMES)
    words = [text.lower() for name, text in track.words if name in ("Activity.Sport", "Notes", "Name", "Id")]
    sport = "squash" if any("squash" in each for each in words) else (track.word("Activity.Sport") or "unknown").lower()
    # Names of the watch stand within Creator, behind the track; Author is the program that wrote the file.
    name = track.word("Name")
    return xml.session_from(track, sport=sport, device={"name": name} if name else {}, source=source, warnings=warnings)
