"""Developer fields: what an app on the watch described and wrote by itself."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from squashlib.decode.layout import text, typed

if TYPE_CHECKING:
    from squashlib.decode.fit import Recording, Table

FIELD_DESCRIPTION = 206
TEXT = 7
FEW = 100


@dataclass(frozen=True)
class Description:
    """What a developer field is called and how its bytes are to be read."""

    name: str
    base: int
    units: str
    scale: float
    offset: float


def descriptions(tables: "Iterable[Table]") -> dict[tuple[int, int], Description]:
    """Descriptions by (developer data index, field number), of the tables of `field_description`s."""
    found: dict[tuple[int, int], Description] = {}
    for table in tables:
        developer, field, base, name, scale, offset, units = (table.column(num) for num in (0, 1, 2, 3, 6, 7, 8))
        if developer is None or field is None or base is None or any(c.ndim != 1 for c in (developer, field, base)):
            continue
        for i in _newest(developer, field):
            found[int(developer[i]), int(field[i])] = Description(
                _text(name, i),
                int(base[i]) & 0x1F,
                _text(units, i),
                _byte(scale, i, 255) or 1.0,
                _byte(offset, i, 127) or 0.0,
            )
    return found


def _newest(developer: npt.NDArray[Any], field: npt.NDArray[Any]) -> list[int]:
    """The last message about each field: at most 65536, however often a hostile file repeats them."""
    if len(field) <= FEW:
        return list(range(len(field)))  # later ones take the place of earlier ones anyway
    _, first = np.unique(developer[::-1].astype(np.int64) << 8 | field[::-1], return_index=True)
    return (len(field) - 1 - first).tolist()  # type: ignore[no-any-return]


def _byte(raw: npt.NDArray[Any] | None, i: int, invalid: int) -> float | None:
    return None if raw is None or raw.ndim != 1 or raw.dtype.kind not in "iu" or raw[i] == invalid else float(raw[i])


def _text(raw: npt.NDArray[Any] | None, i: int) -> str:
    return "" if raw is None or raw.dtype.kind != "S" else text(raw[i])


def fields(
    table: "Table", recording: "Recording", wanted: Callable[[Description], Any]
) -> Iterator[tuple[Description, npt.NDArray[Any]]]:
    """Described developer fields of a table that are `wanted`, typed as described."""
    for developer, num in table.layout.described:
        description = recording.descriptions.get((developer, num))
        if description is None or not wanted(description):
            continue
        raw = table.column(num, developer)
        if raw is not None:
            yield description, typed(raw.reshape(len(table), -1), description.base, table.layout.order)


def texts(recording: "Recording") -> dict[str, str]:
    """Developer fields that hold text, by name: the first value of each."""
    found: dict[str, str] = {}
    for table in recording.tables:
        if not table.layout.described:
            continue
        for description, raw in fields(table, recording, lambda each: each.base == TEXT and each.name not in found):
            found[description.name] = text(raw[0])
    return found
