"""Gzip and zip around recordings, opened within limits of size, ratio and number."""

import io
import zipfile
import zlib
from collections.abc import Iterator

from squashlib.errors import DecodeError

MAX_MEMBERS = 64
MAX_RATIO = 200
PIECE = 1 << 16
SMALL = 1 << 20  # a ratio says nothing about less


def members(data: bytes, max_bytes: int) -> Iterator[tuple[str, bytes]]:
    """Each recording's name (empty for a plain one) and its bytes.

    Raises
    ------
    DecodeError
        If what is packed would be too large, too dense, too many, nested or damaged.
    """
    if len(data) > max_bytes:
        raise DecodeError(f"{len(data)} bytes, must be at most {max_bytes}")
    if data[:2] == b"\x1f\x8b":
        yield "", gunzip(data, max_bytes)
    elif data[:4] == b"PK\x03\x04":
        yield from _unzip(data, max_bytes)
    else:
        yield "", data


def gunzip(data: bytes, max_bytes: int) -> bytes:
    """Expand gzip, stopping as soon as a limit is passed."""
    out, left, rest = bytearray(), max_bytes, data
    try:
        while rest[:2] == b"\x1f\x8b":
            stream = zlib.decompressobj(31)
            while not stream.eof:
                piece = stream.decompress(rest, min(PIECE, left + 1))
                out += piece
                left -= len(piece)
                _check(len(out), len(data), max_bytes)
                rest = stream.unconsumed_tail
                if not rest and not stream.eof:
                    raise DecodeError(f"gzip is cut short after {len(out)} expanded bytes; must be whole")
            rest = stream.unused_data
    except zlib.error as error:
        raise DecodeError(f"gzip is damaged ({error}); must be whole") from error
    return bytes(out)


def _check(expanded: int, packed: int, max_bytes: int) -> None:
    if expanded > max_bytes:
        raise DecodeError(f"expands to more than {max_bytes} bytes, must be at most that")
    if expanded > SMALL and expanded > packed * MAX_RATIO:
        raise DecodeError(f"expands to more than {MAX_RATIO} times its size, which no recording does")


def _unzip(data: bytes, max_bytes: int) -> Iterator[tuple[str, bytes]]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_clutter(entry.filename)]
        if len(entries) > MAX_MEMBERS:
            raise DecodeError(f"the zip holds {len(entries)} files, must hold at most {MAX_MEMBERS}")
        total = 0
        for entry in entries:
            with archive.open(entry) as stream:
                content = stream.read(max_bytes - total + 1)
            total += len(content)
            _check(total, len(data), max_bytes)
            yield entry.filename, gunzip(content, max_bytes) if content[:2] == b"\x1f\x8b" else content
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError) as error:
        raise DecodeError(f"the zip is damaged or locked ({error}); must be a plain, whole zip") from error


def _is_clutter(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")
