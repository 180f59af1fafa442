"""A FIT definition: which fields a message holds, where they lie, and how their bytes are to be read."""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

#: FIT base types by their low five bits: NumPy code and invalid value (FIT protocol, table 7).
BASE_TYPES: dict[int, tuple[str, int | None]] = {
    0: ("u1", 0xFF), 1: ("i1", 0x7F), 2: ("u1", 0xFF), 3: ("i2", 0x7FFF), 4: ("u2", 0xFFFF), 5: ("i4", 0x7FFFFFFF),
    6: ("u4", 0xFFFFFFFF), 7: ("S1", None), 8: ("f4", None), 9: ("f8", None), 10: ("u1", 0), 11: ("u2", 0),
    12: ("u4", 0), 13: ("u1", 0xFF), 14: ("i8", 0x7FFFFFFFFFFFFFFF), 15: ("u8", 0xFFFFFFFFFFFFFFFF), 16: ("u8", 0),
}  # fmt: skip


class Field(NamedTuple):
    """Where a field lies in a message: `shift` and `size` in bytes; its developer, -1 for a profile field."""

    num: int
    shift: int
    size: int
    base: int
    developer: int = -1


@dataclass(frozen=True, eq=False)
class Layout:
    """A definition: messages that share it share their bytes' meaning.

    `fields` by (developer, number); `named` by the profile's name, each with the profile's entry;
    `described` are the keys of those that an app describes in the file.
    """

    num: int
    order: str
    fields: dict[tuple[int, int], Field]
    named: dict[str, tuple[Field, dict[str, Any]]]
    described: tuple[tuple[int, int], ...]


@cache
def profile() -> dict[str, Any]:
    """Garmin's profile: messages and types by number."""
    from garmin_fit_sdk import Profile

    return dict(Profile)


@lru_cache(maxsize=1024)  # devices write the same few definitions over and over, within a file and across files
def layout(definition: bytes) -> Layout:
    """Read a definition message, without its header byte."""
    order = ">" if definition[1] else "<"
    num = int.from_bytes(definition[2:4], "big" if order == ">" else "little")
    end, shift, fields = 5 + 3 * definition[4], 0, {}
    for i in range(5, end, 3):
        number, size, base = definition[i : i + 3]
        fields[-1, number] = Field(number, shift, size, base & 0x1F)
        shift += size
    for i in range(end + 1, len(definition), 3):
        number, size, developer = definition[i : i + 3]
        fields[developer, number] = Field(number, shift, size, 13, developer)
        shift += size
    known = profile()["messages"].get(num, {}).get("fields", {})
    named = {known[f.num]["name"]: (f, known[f.num]) for f in fields.values() if f.developer < 0 and f.num in known}
    return Layout(num, order, fields, named, tuple(key for key in fields if key[0] >= 0))


@cache
def _dtype(base: int, order: str) -> np.dtype[Any]:
    return np.dtype(order + BASE_TYPES.get(base, ("u1", 0xFF))[0])


def typed(out: Array, base: int, order: str) -> Array:
    """Bytes (n, size) as values (n,) or (n, k); text as bytes up to the first NUL; bytes if the size does not fit."""
    dtype, size = _dtype(base, order), out.shape[1]
    if dtype.kind == "S":
        return np.ascontiguousarray(out).view(f"S{size}").ravel() if size else np.zeros(len(out), "S1")
    if size == 0 or size % dtype.itemsize:
        return out
    values = out.view(dtype)
    if not dtype.isnative:
        values = values.astype(dtype.newbyteorder("="))
    return values[:, 0] if size == dtype.itemsize else values


def invalid(base: int) -> int | None:
    """The value of a base type that stands for none."""
    return BASE_TYPES.get(base, ("u1", 0xFF))[1]


def number(raw: Array, base: int, scale: float = 1.0, offset: float = 0.0) -> npt.NDArray[np.float64]:
    """Raw values in physical units, float64; FIT's invalid value is NaN. Text is all NaN."""
    if raw.dtype.kind == "S":
        return np.full(raw.shape, np.nan)
    values = raw.astype(np.float64)
    nothing = invalid(base)
    if nothing is not None and raw.dtype.kind in "iu":
        values[raw == nothing] = np.nan
    return values if scale == 1.0 and offset == 0.0 else values / scale - offset


def text(raw: bytes) -> str:
    """Text up to its first NUL."""
    return bytes(raw).split(b"\0")[0].decode("utf-8", "replace")
