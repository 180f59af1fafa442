"""Developer fields: what an app on the watch described and wrote by itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from squashlib.decode import fit
from squashlib.decode.fit import Table

FIELD_DESCRIPTION = 206


@dataclass(frozen=True)
class Description:
    """What a developer field is called and how its bytes are to be read."""

    name: str
    base: int
    units: str
    scale: float
    offset: float


def descriptions(tables: list[Table]) -> dict[tuple[int, int], Description]:
    """Descriptions by (developer data index, field number)."""
    found: dict[tuple[int, int], Description] = {}
    for table in tables:
        if table.layout.num != FIELD_DESCRIPTION:
            continue
        held = {name: raw for name, _, raw, _ in fit.columns(table)}
        if not {"developer_data_index", "field_definition_number", "fit_base_type_id"} <= held.keys():
            continue
        for i in range(len(table)):
            key = int(held["developer_data_index"][i]), int(held["field_definition_number"][i])
            scale, offset = _byte(held.get("scale"), i, 255), _byte(held.get("offset"), i, 127)
            found[key] = Description(
                _text(held.get("field_name"), i),
                int(held["fit_base_type_id"][i]) & 0x1F,
                _text(held.get("units"), i),
                scale or 1.0,
                offset or 0.0,
            )
    return found


def _byte(raw: npt.NDArray[Any] | None, i: int, invalid: int) -> float | None:
    return None if raw is None or raw.ndim != 1 or raw[i] == invalid else float(raw[i])


def _text(raw: npt.NDArray[Any] | None, i: int) -> str:
    if raw is None or raw.dtype.kind != "S":
        return ""
    return bytes(raw[i]).split(b"\0")[0].decode("utf-8", "replace")


def fields(table: Table, tables: list[Table]) -> Iterator[tuple[Description, npt.NDArray[Any]]]:
    """Described developer fields of a table, typed as described."""
    if all(field.developer < 0 for field in table.layout.fields):
        return
    known = descriptions(tables)
    for field in table.layout.fields:
        description = known.get((field.developer, field.num))
        if field.developer >= 0 and description is not None:
            raw = table.raw[field.developer, field.num]
            out = np.ascontiguousarray(raw.reshape(len(table), -1)).view(np.uint8)
            yield description, fit.typed(out, description.base, table.layout.order)
