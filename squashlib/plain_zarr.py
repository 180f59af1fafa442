"""A Zarr folder of plain arrays read by numpy alone: opening one with xarray costs more than unpacking its motion.

Plain is what `squashlib.session.write` makes: numbers in chunks of whole rows, packed by Blosc or not at all. Of all
else `read_folder` says that it is not, and whoever asked reads it with xarray.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from numcodecs.blosc import decompress


def read_folder(folder: Path, without: tuple[str, ...] = ()) -> xr.Dataset | None:
    """The group that lies in `folder`, loaded, less what lies along the dimensions `without`.

    None if it is none, or holds more than plain arrays: text, other codecs, coordinates beside those of dimensions.
    """
    try:
        about = json.loads((folder / "zarr.json").read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    arrays = {file.parent.name: json.loads(file.read_bytes()) for file in sorted(folder.glob("*/zarr.json"))}
    arrays = {name: array for name, array in arrays.items() if array["node_type"] == "array"}
    if (
        about["node_type"] != "group"
        or not all(map(_is_plain, arrays.values()))
        or "coordinates" in about["attributes"]
    ):
        return None
    wanted = {name: array for name, array in arrays.items() if not set(without) & set(array["dimension_names"])}
    variables = {name: _variable(folder / name, array) for name, array in wanted.items()}
    return xr.Dataset(variables, attrs=about["attributes"])


def _is_plain(array: Mapping[str, Any]) -> bool:
    shape, chunk = array["shape"], array["chunk_grid"]["configuration"].get("chunk_shape", [])
    codecs = [codec["name"] for codec in array["codecs"]]
    dtype = array["data_type"]
    return (
        array["zarr_format"] == 3
        and codecs in (["bytes"], ["bytes", "blosc"])
        and isinstance(dtype, str)
        and dtype.startswith(("int", "uint", "float"))
        and len(shape) > 0
        and chunk[1:] == shape[1:]
        and array["chunk_key_encoding"] == {"name": "default", "configuration": {"separator": "/"}}
        and not {"coordinates", "scale_factor", "add_offset", "missing_value"} & set(array["attributes"])
        and ("_FillValue" not in array["attributes"] or array["fill_value"] == "NaN")
    )


def _variable(folder: Path, array: Mapping[str, Any]) -> tuple[list[str], npt.NDArray[Any], dict[str, Any]]:
    attributes = {name: value for name, value in array["attributes"].items() if name != "_FillValue"}
    return array["dimension_names"], _values(folder, array), attributes


def _values(folder: Path, array: Mapping[str, Any]) -> npt.NDArray[Any]:
    dtype, shape = np.dtype(array["data_type"]), tuple(array["shape"])
    values, rows = np.empty(shape, dtype), array["chunk_grid"]["configuration"]["chunk_shape"][0]
    packed, tail = len(array["codecs"]) > 1, ["0"] * (len(shape) - 1)
    for i, part in enumerate(_parts(values, rows)):
        try:
            content = folder.joinpath("c", str(i), *tail).read_bytes()
        except FileNotFoundError:  # a chunk of nothing but the fill value is not written
            part[...] = float(array["fill_value"])
            continue
        if packed and int.from_bytes(content[4:8], "little") == part.nbytes and sys.byteorder == "little":
            decompress(content, part)  # a whole chunk goes where it belongs; Blosc's header says how long it is
            continue
        raw = decompress(content) if packed else content
        part[...] = np.frombuffer(raw, dtype.newbyteorder("<")).reshape(-1, *shape[1:])[: len(part)]
    return values


def _parts(values: npt.NDArray[Any], rows: int) -> Iterator[npt.NDArray[Any]]:
    return (values[i : i + rows] for i in range(0, len(values), max(1, rows)))
