"""Everything that a FIT file says, as tables for research: every message, named, scaled, with units."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from squashlib.decode.activity import FIT_EPOCH
from squashlib.decode.developer import fields
from squashlib.decode.fit import Recording, Table, read
from squashlib.decode.layout import Field, invalid, number, profile, text

Array = npt.NDArray[Any]
BYTE = 13
DATE_TYPES = ("date_time", "local_date_time")


def messages(source: bytes | str | Path) -> dict[str, pd.DataFrame]:
    """All messages of a FIT file (plain, not packed).

    Parameters
    ----------
    source
        The bytes, or a path to them.

    Returns
    -------
    dict
        By message name (`record`, `message_147` if the profile does not know it) a table with a row a message, in the
        file's order: the index `rank` is its place among all messages. Columns by field name (`field_7` if unknown;
        developer fields by their own names): numbers in the unit of `table.attrs["units"]`, words for coded values,
        dates (UTC) for times, lists for arrays. What is invalid or absent is missing.

    Raises
    ------
    DecodeError
        If there is no FIT header, or a limit is passed.
    """
    recording = read(source if isinstance(source, bytes) else Path(source).read_bytes())
    return {_name(num): _frame(recording, tables) for num, tables in recording.by_num.items()}


def _name(num: int) -> str:
    return str(profile()["messages"].get(num, {}).get("name", f"message_{num}"))


def _frame(recording: Recording, tables: list[Table]) -> pd.DataFrame:
    parts, units = [], dict[str, str]()
    for table in tables:
        columns = _columns(recording, table, units)
        parts.append(pd.DataFrame(columns, index=pd.Index(table.rank.astype(np.int64), name="rank")))
    frame = pd.concat(parts).sort_index() if len(parts) > 1 else parts[0]
    frame.attrs["units"] = units
    return frame


def _columns(recording: Recording, table: Table, units: dict[str, str]) -> dict[str, Any]:
    names = {place: (name, entry) for name, (place, entry) in table.layout.named.items()}
    columns: dict[str, Any] = {}
    for place in table.layout.fields.values():
        raw = table.column(place.num) if place.developer < 0 else None
        if raw is None:
            continue
        name, entry = names.get(place, (f"field_{place.num}", {}))
        unit = entry.get("units")
        if isinstance(unit, str) and unit:
            units[name] = unit
        if place.num == 253 and entry.get("type") == "date_time":
            columns[name] = _dates(recording.clock.times(table) + recording.clock.origin_s)
        else:
            columns[name] = _values(raw, place, entry)
    for description, raw in fields(table, recording, lambda _: True):
        plain = Field(-1, 0, 0, description.base)
        columns[description.name] = _values(raw, plain, {"scale": [description.scale], "offset": [description.offset]})
        units |= {description.name: description.units} if description.units else {}
    return columns


def _values(raw: Array, place: Field, entry: dict[str, Any]) -> Any:
    """A column as a reader wants it."""
    if raw.dtype.kind == "S":
        return [text(each) or None for each in raw]
    if place.base == BYTE and raw.ndim > 1:  # invalid only as a whole
        return [[] if set(row) == {0xFF} else row for row in raw.tolist()]
    scale, offset = (entry.get("scale") or [1])[0] or 1, (entry.get("offset") or [0])[0]
    words = profile()["types"].get(entry.get("type"), {}) if raw.dtype.kind in "iu" else {}
    if entry.get("type") in DATE_TYPES and raw.ndim == 1:
        return _dates(number(raw, place.base))
    if words:
        said = {value: words.get(value, words.get(str(value), value)) for value in np.unique(raw).tolist()}
        said.pop(invalid(place.base), None)
        if raw.ndim > 1:
            return [[said[value] for value in row if value in said] for row in raw.tolist()]
        return [said.get(value) for value in raw.tolist()]
    if raw.ndim > 1:
        return [row[np.isfinite(row)].tolist() for row in number(raw, place.base, scale, offset)]
    if scale == 1 and offset == 0 and raw.dtype.kind in "iu":
        missing = raw == invalid(place.base)
        return pd.arrays.IntegerArray(raw.copy(), missing) if missing.any() else raw
    return number(raw, place.base, scale, offset)


def _dates(seconds: Array) -> Any:
    """FIT seconds as dates."""
    return pd.Timestamp(FIT_EPOCH) + pd.to_timedelta(seconds, unit="s")
