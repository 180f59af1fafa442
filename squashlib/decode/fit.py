"""FIT by columns: a scan of the record headers finds every message, then a field of all messages is one gather."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from squashlib.decode.clock import CORRELATION, Clock, clock
from squashlib.decode.developer import FIELD_DESCRIPTION, Description, descriptions, texts
from squashlib.decode.layout import Field, Layout, layout, number, typed
from squashlib.errors import DecodeError
from squashlib.kernels import fit_scan

Array = npt.NDArray[Any]

#: Limits against hostile files: so many of each are free, more only as the file grows by so many bytes for each.
MESSAGES = (250_000, 16)
DEFINITIONS = (50_000, 32)
MAX_LAYOUTS = 4096
MAX_FILES = 256


@dataclass(frozen=True, eq=False)
class Table:
    """All messages of one layout: where each begins in `buffer` and its place among all messages, each shape (n,)."""

    buffer: npt.NDArray[np.uint8]
    layout: Layout
    offsets: npt.NDArray[np.uint32]
    rank: npt.NDArray[np.uint32]
    gathered: dict[tuple[int, int], Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rank)

    def column(self, num: int, developer: int = -1) -> Array | None:
        """Raw values (n,) or (n, k) of a field, None if these messages lack it; gathered when first asked for."""
        key = developer, num
        if key in self.gathered:
            return self.gathered[key]
        place = self.layout.fields.get(key)
        if place is None or not place.size:
            return None
        if len(self.rank) == 1:  # most tables: no copy needed
            at = int(self.offsets[0]) + place.shift
            out = self.buffer[None, at : at + place.size]
        else:
            out = np.empty((len(self.rank), place.size), np.uint8)
            fit_scan.gather(self.buffer, self.offsets, place.shift, out)
        self.gathered[key] = values = typed(out, place.base, self.layout.order)
        return values

    def named(self, name: str) -> tuple[Array, Field, dict[str, Any]] | None:
        """A profile field's raw values, place and profile entry by name."""
        place, entry = self.layout.named.get(name, (None, None))
        if place is None or entry is None:
            return None
        raw = self.column(place.num)
        return None if raw is None else (raw, place, entry)

    def numbers(self, name: str) -> npt.NDArray[np.float64] | None:
        """A profile field in the profile's unit, shape (n,) or (n, k), NaN where invalid; None if absent."""
        found = self.named(name)
        if found is None:
            return None
        raw, place, entry = found
        return number(raw, place.base, entry["scale"][0] or 1, entry["offset"][0])

    def scalar(self, name: str) -> npt.NDArray[np.float64] | None:
        """As `numbers`, of an array the first value: shape (n,)."""
        values = self.numbers(name)
        return values if values is None or values.ndim == 1 else values[:, 0]


@dataclass(frozen=True, eq=False)
class Recording:
    """Every message of a FIT file, or of several chained in one, as tables; and what was wrong with it."""

    tables: list[Table]
    warnings: list[str]
    compressed: bool = False

    @cached_property
    def by_num(self) -> dict[int, list[Table]]:
        """Tables by global message number, in file order."""
        found: dict[int, list[Table]] = {}
        for table in self.tables:
            found.setdefault(table.layout.num, []).append(table)
        return found

    def of(self, num: int) -> list[Table]:
        """Tables of the messages `num`."""
        return self.by_num.get(num, [])

    @cached_property
    def clock(self) -> Clock:
        """When each message was written."""
        return clock(self.tables, self.of(CORRELATION), self.compressed)

    @cached_property
    def descriptions(self) -> dict[tuple[int, int], Description]:
        """What developer fields are called, by (developer data index, field number)."""
        return descriptions(self.of(FIELD_DESCRIPTION))

    @cached_property
    def texts(self) -> dict[str, str]:
        """Developer fields that hold text, by name: the first value of each."""
        return texts(self)


def read(data: bytes) -> Recording:
    """All messages of all files chained in `data`.

    Raises
    ------
    DecodeError
        If there is no FIT header at the start, or it goes beyond a limit.
    """
    buffer = np.frombuffer(data, np.uint8)
    tables: list[Table] = []
    warnings: list[str] = []
    compressed = False
    at = rank = files = 0
    while at < len(data):
        if not _is_header(data, at) or files == MAX_FILES:
            if at == 0:
                raise DecodeError("bytes do not start with a FIT header; must be a FIT file")
            what = f"file {MAX_FILES}" if files == MAX_FILES else "the last file are not FIT"
            warnings.append(f"{len(data) - at} bytes after {what} and were left out")
            break
        start, stop = at + data[at], at + data[at] + int.from_bytes(data[at + 4 : at + 8], "little")
        warnings += _damage(buffer, at, stop)
        found, count, short, problem = _tables(data, buffer, start, min(stop, len(data)), rank)
        warnings += [problem] if problem else []
        compressed |= short
        rank += count
        tables += found
        at = stop + 2
        files += 1
    return Recording(tables, warnings, compressed)


def _is_header(data: bytes, at: int) -> bool:
    return len(data) - at >= 12 and data[at] in (12, 14) and data[at + 8 : at + 12] == b".FIT"


def _damage(buffer: Array, at: int, stop: int) -> list[str]:
    """What the file's length and checksum say."""
    if stop > len(buffer):
        return [f"cut short: {stop + 2 - len(buffer)} bytes are missing"]
    said = int.from_bytes(buffer[stop : stop + 2].tobytes(), "little")
    if stop + 2 > len(buffer) or fit_scan.crc16(buffer, at, stop) != said:
        return ["the checksum (CRC) is wrong; values may be damaged"]
    return []


def _tables(data: bytes, buffer: Array, start: int, stop: int, rank: int) -> tuple[list[Table], int, bool, str | None]:
    """Tables of one file, how many messages they hold, if some times are compressed, why the scan stopped early."""
    none, none32 = np.empty(0, np.int64), np.empty(0, np.uint32)
    nowhere = np.empty((0, 2), np.int64)
    n, m, compressed, reached, why = fit_scan.walk(buffer, start, stop, nowhere, none, none, none, none32, none32)
    _limit("messages", n, len(data), *MESSAGES)
    _limit("definitions", m, len(data), *DEFINITIONS)
    places, held = np.empty((m, 2), np.int64), np.zeros(m, np.int64)
    fit_scan.walk(buffer, start, stop, places, held, none, none, none32, none32)
    number_of, group = _groups(data, places)
    sizes = np.bincount(group, held, len(number_of)).astype(np.int64) if m else none
    bounds = np.concatenate(([0], np.cumsum(sizes)))
    offsets, ranks = np.empty(n, np.uint32), np.empty(n, np.uint32)
    fit_scan.walk(buffer, start, stop, places, none, group, bounds[:-1].copy(), offsets, ranks)
    ranks += np.uint32(rank)
    spans = [(each, slice(*bounds[i : i + 2])) for each, i in number_of.items() if sizes[i]]
    return (
        [Table(buffer, each, offsets[s], ranks[s]) for each, s in spans],
        n,
        compressed > 0,
        _why(why, stop - reached),
    )


def _groups(data: bytes, places: Array) -> tuple[dict[Layout, int], npt.NDArray[np.int64]]:
    """Layouts, each with its number, and the number of each definition's, shape (m,)."""
    number_of: dict[Layout, int] = {}
    group = np.empty(len(places), np.int64)
    for i, (begin, end) in enumerate(places.tolist()):
        group[i] = number_of.setdefault(layout(data[begin + 1 : end]), len(number_of))
        if len(number_of) > MAX_LAYOUTS:
            raise DecodeError(f"the file defines more than {MAX_LAYOUTS} kinds of messages; no recording does")
    return number_of, group


def _limit(what: str, n: int, size: int, free: int, bytes_each: int) -> None:
    if n > (allowed := free + size // bytes_each):
        raise DecodeError(f"the file holds {n} {what} in {size} bytes, must be at most {allowed}")


def _why(why: int, left: int) -> str | None:
    return {0: None, 1: f"cut short: the last message is not whole ({left} bytes left out)"}.get(
        why, f"{left} bytes follow no definition and were left out"
    )


def rows(recording: Recording, num: int, *names: str) -> tuple[Array, dict[str, Array]]:
    """All messages `num` in file order.

    Returns
    -------
    Their times in seconds of `recording.clock`, shape (n,), and those of the scalar fields, each shape (n,), that any
    of them holds: NaN where one lacks it, the first value of an array.
    """
    tables = recording.of(num)
    if not tables:
        return np.empty(0), {}
    times = [recording.clock.times(table) for table in tables]
    held = [{name: values for name in names if (values := table.scalar(name)) is not None} for table in tables]
    found = dict.fromkeys(name for each in held for name in each)
    columns = {
        name: [each[name] if name in each else np.full(len(t), np.nan) for each, t in zip(held, times, strict=True)]
        for name in found
    }
    if len(tables) == 1:
        return times[0], {name: parts[0] for name, parts in columns.items()}
    order = np.argsort(np.concatenate([table.rank for table in tables]), kind="stable")  # runs that are in order
    return np.concatenate(times)[order], {name: np.concatenate(parts)[order] for name, parts in columns.items()}
