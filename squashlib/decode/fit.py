"""FIT by columns: one scan of the record headers, then each field of all messages of one definition in one gather."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from squashlib.errors import DecodeError
from squashlib.kernels import fit_scan

Array = npt.NDArray[Any]
MAX_MESSAGES = 20_000_000

#: FIT base types by their low five bits: NumPy code and invalid value (FIT protocol, table 7).
BASE_TYPES: dict[int, tuple[str, int | None]] = {
    0: ("u1", 0xFF), 1: ("i1", 0x7F), 2: ("u1", 0xFF), 3: ("i2", 0x7FFF), 4: ("u2", 0xFFFF), 5: ("i4", 0x7FFFFFFF),
    6: ("u4", 0xFFFFFFFF), 7: ("S1", None), 8: ("f4", None), 9: ("f8", None), 10: ("u1", 0), 11: ("u2", 0),
    12: ("u4", 0), 13: ("u1", 0xFF), 14: ("i8", 0x7FFFFFFFFFFFFFFF), 15: ("u8", 0xFFFFFFFFFFFFFFFF), 16: ("u8", 0),
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """Where a field lies in a message: `shift` and `size` in bytes; its developer, -1 for a profile field."""

    num: int
    shift: int
    size: int
    base: int
    developer: int = -1


@dataclass(frozen=True)
class Layout:
    """A definition: messages that share it share their bytes' meaning."""

    num: int
    order: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Table:
    """All messages of one layout: raw values by field; `rank` is each message's place in the file, shape (n,)."""

    layout: Layout
    rank: npt.NDArray[np.int64]
    ticks: npt.NDArray[np.int16]
    raw: dict[tuple[int, int], Array]

    def __len__(self) -> int:
        return len(self.rank)


@cache
def profile() -> dict[str, Any]:
    """Garmin's profile: messages and types by number."""
    from garmin_fit_sdk import Profile

    return dict(Profile)


def read(data: bytes) -> tuple[list[Table], list[str]]:
    """Tables of all messages of all files chained in `data`, and what was wrong.

    Raises
    ------
    DecodeError
        If there is no FIT header at the start or no message can be read.
    """
    buffer = np.frombuffer(data, np.uint8)
    tables: list[Table] = []
    warnings: list[str] = []
    at = rank = 0
    while at < len(data):
        if not _is_header(data, at):
            if at == 0:
                raise DecodeError("bytes do not start with a FIT header; must be a FIT file")
            warnings.append(f"{len(data) - at} bytes after the last file are not FIT and were left out")
            break
        start, stop = at + data[at], at + data[at] + int.from_bytes(data[at + 4 : at + 8], "little")
        if stop > len(data):
            warnings.append(f"cut short: {stop + 2 - len(data)} bytes are missing")
        elif stop + 2 > len(data) or fit_scan.crc16(buffer, at, stop) != int.from_bytes(
            data[stop : stop + 2], "little"
        ):
            warnings.append("the checksum (CRC) is wrong; values may be damaged")
        found, problem = _tables(buffer, start, min(stop, len(data)), rank)
        warnings += [problem] if problem else []
        rank += sum(map(len, found))
        tables += found
        at = stop + 2
    return tables, warnings


def _is_header(data: bytes, at: int) -> bool:
    return len(data) - at >= 12 and data[at] in (12, 14) and data[at + 8 : at + 12] == b".FIT"


def _tables(buffer: Array, start: int, stop: int, rank: int) -> tuple[list[Table], str | None]:
    none64, none32, none16 = np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int16)
    n, m, reached, why = fit_scan.scan(buffer, start, stop, none64, none32, none16, none64)
    if n > MAX_MESSAGES:
        raise DecodeError(f"the file holds {n} messages, must be at most {MAX_MESSAGES}")
    offsets, kinds, ticks = np.empty(n, np.int64), np.empty(n, np.int32), np.empty(n, np.int16)
    definitions = np.empty(m, np.int64)
    fit_scan.scan(buffer, start, stop, offsets, kinds, ticks, definitions)
    layouts = [_layout(buffer, int(at)) for at in definitions]
    unique = list(dict.fromkeys(layouts))
    place = {layout: i for i, layout in enumerate(unique)}
    group = np.array([place[layout] for layout in layouts], np.int64)[kinds] if n else none64
    order = np.argsort(group, kind="stable")
    bounds = np.searchsorted(group[order], np.arange(len(unique) + 1))
    tables = [
        _table(buffer, layout, rows := order[bounds[i] : bounds[i + 1]], offsets[rows], ticks[rows], rank)
        for i, layout in enumerate(unique)
        if bounds[i + 1] > bounds[i]
    ]
    return tables, _why(why, stop - reached)


def _why(why: int, left: int) -> str | None:
    return {0: None, 1: f"cut short: the last message is not whole ({left} bytes left out)"}.get(
        why, f"{left} bytes follow no definition and were left out"
    )


def _layout(buffer: Array, at: int) -> Layout:
    order = ">" if buffer[at + 2] else "<"
    num = int.from_bytes(buffer[at + 3 : at + 5].tobytes(), "big" if order == ">" else "little")
    count, shift, fields = int(buffer[at + 5]), 0, []
    for i in range(at + 6, at + 6 + 3 * count, 3):
        fields.append(Field(int(buffer[i]), shift, int(buffer[i + 1]), int(buffer[i + 2]) & 0x1F))
        shift += int(buffer[i + 1])
    if buffer[at] & 0x20:
        end = at + 6 + 3 * count
        for i in range(end + 1, end + 1 + 3 * int(buffer[end]), 3):
            fields.append(Field(int(buffer[i]), shift, int(buffer[i + 1]), 13, int(buffer[i + 2])))
            shift += int(buffer[i + 1])
    return Layout(num, order, tuple(fields))


def _table(buffer: Array, layout: Layout, rows: Array, offsets: Array, ticks: Array, rank: int) -> Table:
    raw: dict[tuple[int, int], Array] = {}
    for field in layout.fields:
        out = np.empty((len(offsets), field.size), np.uint8)
        fit_scan.gather(buffer, offsets, field.shift, out)
        raw[field.developer, field.num] = typed(out, field.base, layout.order)
    return Table(layout, rows + rank, ticks, raw)


def typed(out: Array, base: int, order: str) -> Array:
    """Bytes (n, size) as values (n,) or (n, k); text as bytes up to the first NUL; bytes if the size does not fit."""
    code, _ = BASE_TYPES.get(base, ("u1", 0xFF))
    if code == "S1":
        return np.ascontiguousarray(out).view(f"S{out.shape[1]}").ravel() if out.shape[1] else np.zeros(len(out), "S1")
    dtype = np.dtype(order + code)
    if out.shape[1] == 0 or out.shape[1] % dtype.itemsize:
        return out
    values = out.view(dtype).astype(dtype.newbyteorder("="), copy=False)
    return values[:, 0] if values.shape[1] == 1 else values


def number(raw: Array, base: int, scale: float = 1.0, offset: float = 0.0) -> npt.NDArray[np.float64]:
    """Raw values in physical units, float64; FIT's invalid value is NaN. Text is all NaN."""
    if raw.dtype.kind == "S":
        return np.full(raw.shape, np.nan)
    values = raw.astype(np.float64)
    invalid = BASE_TYPES.get(base, ("u1", 0xFF))[1]
    if invalid is not None and raw.dtype.kind in "iu":
        values[raw == invalid] = np.nan
    return values if scale == 1.0 and offset == 0.0 else values / scale - offset


def columns(table: Table) -> Iterator[tuple[str, Field, Array, dict[str, Any]]]:
    """Named profile fields of a table: name, field, raw values, and the profile's entry."""
    known = profile()["messages"].get(table.layout.num, {}).get("fields", {})
    for field in table.layout.fields:
        if field.developer < 0 and field.num in known:
            yield known[field.num]["name"], field, table.raw[-1, field.num], known[field.num]
