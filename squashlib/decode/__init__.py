"""Recordings in, sessions out: one table of formats, one file each."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from squashlib.errors import DecodeError, SchemaError

if TYPE_CHECKING:
    import xarray as xr

#: Limits against hostile files.
MAX_BYTES = 256 << 20


@dataclass(frozen=True)
class Format:
    """How a format is told by its first bytes, and who decodes it: `decode(data, source, warnings)`."""

    name: str
    sniff: Callable[[bytes], bool]
    decode: Callable[[bytes, dict[str, Any], list[str]], "xr.Dataset"]


def _fit(data: bytes, source: dict[str, Any], warnings: list[str]) -> "xr.Dataset":
    from squashlib.decode import activity, fit

    recording = fit.read(data)
    return activity.session_from(recording, source)


def _gpx(data: bytes, source: dict[str, Any], warnings: list[str]) -> "xr.Dataset":
    from squashlib.decode import gpx

    return gpx.session_from(data, source, warnings)


def _tcx(data: bytes, source: dict[str, Any], warnings: list[str]) -> "xr.Dataset":
    from squashlib.decode import tcx

    return tcx.session_from(data, source, warnings)


FORMATS = (
    Format("fit", lambda head: head[8:12] == b".FIT", _fit),
    Format("gpx", lambda head: b"<gpx" in head, _gpx),
    Format("tcx", lambda head: b"<TrainingCenterDatabase" in head, _tcx),
)


def decode(source: bytes | str | Path) -> "xr.Dataset":
    """Decode a recording: FIT, GPX or TCX, plain, gzipped or zipped.

    Parameters
    ----------
    source
        The bytes, or a path to them.

    Returns
    -------
    xarray.Dataset
        A validated session (see `squashlib.schema`); what was wrong with the recording is in `attrs["warnings"]`.

    Raises
    ------
    DecodeError
        If the bytes are no recording or go beyond a limit; the message says why.
    OSError
        If the path cannot be read.
    """
    from squashlib.decode.archives import members

    data = source if isinstance(source, bytes) else _read(Path(source))
    found = list(members(data, MAX_BYTES))
    sessions, problems = [], list[str]()
    for name, content in found:
        try:
            sessions.append(_decode_plain(content))
        except DecodeError as error:
            problems.append(f"{name}: {error}" if name else str(error))
    if not sessions:
        raise DecodeError("; ".join(problems) or "the archive holds no recording; must hold a FIT, GPX or TCX file")
    if len(sessions) == 1 and not problems:
        return sessions[0]
    from squashlib.decode.merge import merge

    merged = merge(sessions)
    return merged.assign_attrs(warnings=[*merged.attrs["warnings"], *problems])


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_BYTES:
        raise DecodeError(f"{path.stat().st_size} bytes, must be at most {MAX_BYTES}")
    return path.read_bytes()


def _decode_plain(data: bytes) -> "xr.Dataset":
    for format in FORMATS:
        if format.sniff(data[:4096]):
            source = {"sha256": sha256(data).hexdigest(), "format": format.name, "bytes": len(data)}
            try:
                with np.errstate(all="ignore"):  # damaged bytes can be any number
                    return format.decode(data, source, [])
            except (ArithmeticError, LookupError, TypeError, ValueError, SchemaError) as error:
                # Damaged bytes can contradict themselves in more ways than can be listed; none may escape as a crash.
                raise DecodeError(f"the {format.name} recording contradicts itself ({error}); it is damaged") from error
    if not data:
        raise DecodeError("the file is empty; must be a FIT, GPX or TCX recording")
    raise DecodeError(
        f"is no recording (its first bytes are {data[:8]!r}); must be a FIT, GPX or TCX file, plain, gzipped or zipped"
    )


class _Callable(ModuleType):
    """`squashlib.decode("match.fit")` and `from squashlib.decode import fit` both read naturally."""

    def __call__(self, source: bytes | str | Path) -> "xr.Dataset":
        return decode(source)


sys.modules[__name__].__class__ = _Callable
