"""What GPX and TCX share: a stream of elements of which only the numbers of track points are kept.

So no document, however large, deep or strange, takes more memory than a few times its size.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from xml.parsers import expat

import numpy as np
import xarray as xr

from squashlib.decode.records import ordered
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
MAX_BYTES = 64 << 20
MAX_DEPTH = 64
MAX_KINDS = 2000
MAX_TEXT = 4096
MAX_WORDS = 200
PIECE = 1 << 16


@dataclass
class Track:
    """What is kept of a document while it is read.

    Columns of track points, shape (n,), NaN where a point lacks the value; `words`: text and attributes beside the
    points, as (element or element.attribute, text).
    """

    point: str
    names: Mapping[str, str]
    times: "array[float]" = field(default_factory=lambda: array("d"))
    columns: "dict[str, array[float]]" = field(default_factory=lambda: {name: array("d") for name in DIMS})
    untimed: int = 0
    words: list[tuple[str, str]] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    row: dict[str, str] | None = None
    text: str = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        name = tag.rpartition(":")[2]
        self.path.append(name)
        self.text = ""
        if len(self.path) > MAX_DEPTH:
            raise DecodeError(f"the XML is nested more than {MAX_DEPTH} deep, which no recording is")
        if name == self.point:
            self.row = {self.names[key]: value for key, value in attributes.items() if key in self.names}
        elif self.row is None:
            self.note(*((f"{name}.{key}", value) for key, value in attributes.items()))

    def data(self, text: str) -> None:
        """Text of the element; of long text the beginning."""
        if len(self.text) < MAX_TEXT:
            self.text += text

    def end(self, _: str) -> None:
        """An element ends: a value of the point, the point itself, or a word about the document."""
        name, text = self.path.pop(), self.text.strip()
        self.text = ""
        if self.row is None:
            if text:
                self.note((name, text))
            return
        if name == self.point:
            self.close_point()
            return
        name = self.path[-1] if name == "Value" else name
        if text and name in self.names:
            self.row.setdefault(self.names[name], text)

    def note(self, *words: tuple[str, str]) -> None:
        """Keep the first words about the document."""
        self.words += [(name, text[:MAX_TEXT]) for name, text in words[: MAX_WORDS - len(self.words)]]

    def close_point(self) -> None:
        """The point becomes a row of the columns."""
        row, self.row = self.row or {}, None
        time = moment(row.get("time"))
        if time is None:
            self.untimed += 1
            return
        self.times.append(time.timestamp())
        for variable, column in self.columns.items():
            column.append(number(row.get(variable)))

    def word(self, *names: str) -> str | None:
        """The first word under one of these names."""
        return next((text for name in names for found, text in self.words if found == name), None)


def read(data: bytes, point: str, names: Mapping[str, str]) -> Track:
    """Read a document's elements `point`; `names` by element or attribute: a variable or `time`.

    Raises
    ------
    DecodeError
        If the XML is damaged, declares a document type (no recording does; entities hide there), or is too deep.
    """
    if len(data) > MAX_BYTES:
        raise DecodeError(f"the XML is {len(data)} bytes, must be at most {MAX_BYTES}")
    data = data.lstrip()  # some exports (Strava's TCX) begin with blanks, which XML forbids
    track = Track(point, names)
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = track.start, track.end
    parser.CharacterDataHandler = track.data
    parser.StartDoctypeDeclHandler = _refuse
    try:
        for at in range(0, len(data), PIECE):
            parser.Parse(data[at : at + PIECE], at + PIECE >= len(data))
            if len(parser.intern) > MAX_KINDS:
                raise DecodeError(f"the XML names more than {MAX_KINDS} kinds of elements, which no recording does")
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise DecodeError(f"the XML cannot be read ({error}); must be whole and plain") from error
    return track


def _refuse(*_: Any) -> None:
    raise DecodeError("the XML cannot be read (it declares a document type); must be whole and plain")


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
    except (ValueError, OverflowError):
        return None


def session_from(
    track: Track, *, sport: str, device: dict[str, Any], source: dict[str, Any], warnings: list[str]
) -> xr.Dataset:
    """A session from a track's points."""
    if track.untimed:
        warnings.append(f"{track.untimed} track points have no time; left out")
    if not len(track.times):
        raise DecodeError("no track point has a time; must be a recording, not a route")
    times = np.frombuffer(track.times)
    start_s = float(times.min())
    seconds = np.round(times - start_s, 3)
    streams: dict[str, Any] = {}
    for dim in dict.fromkeys(DIMS.values()):
        columns = {name: _within(name, np.frombuffer(track.columns[name])) for name, on in DIMS.items() if on == dim}
        found, held = ordered(seconds, columns)
        if len(found):
            streams[dim] = (found, held)
    if not streams:
        raise DecodeError("no track point holds a measurement; must hold heart rate or positions")
    return build(
        streams, start_time=datetime.fromtimestamp(start_s, UTC), duration_s=float(seconds.max()), sport=sport,
        device=device, sources=[source], warnings=warnings,
    )  # fmt: skip


def _within(name: str, values: Any) -> Any:
    low, high = LIMITS.get(name, (-np.inf, np.inf))
    return np.where((values >= low) & (values <= high), values, np.nan)
