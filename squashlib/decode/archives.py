"""Gzip and zip around recordings, opened within limits of size, ratio and number."""

import io
import zipfile
import zlib
from collections.abc import Iterator

from squashlib.errors import DecodeError

MAX_MEMBERS = 64
MAX_LISTED = 10 * MAX_MEMBERS  # folders and clutter included
MAX_RATIO = 100
MAGIC = b"\x1f\x8b"
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
    out, stream, streams = bytearray(), zlib.decompressobj(31), 1
    try:
        for at in range(0, len(data), PIECE):
            rest = data[at : at + PIECE]  # fed in pieces: zlib copies what it has not used, again and again
            while rest:
                if stream.eof:
                    if not rest.startswith(MAGIC[: len(rest)]):
                        return bytes(out)  # padding after the last stream
                    stream, streams = zlib.decompressobj(31), streams + 1
                out += stream.decompress(rest, PIECE)
                _check(len(out), len(data), max_bytes)
                if streams > MAX_MEMBERS:
                    raise DecodeError(f"gzip holds more than {MAX_MEMBERS} streams, must hold one recording")
                rest = stream.unused_data if stream.eof else stream.unconsumed_tail
    except zlib.error as error:
        raise DecodeError(f"gzip is damaged ({error}); must be whole") from error
    if not stream.eof:
        raise DecodeError(f"gzip is cut short after {len(out)} expanded bytes; must be whole")
    return bytes(out)


def _check(expanded: int, packed: int, max_bytes: int) -> None:
    if expanded > max_bytes:
        raise DecodeError(f"expands to more than {max_bytes} bytes, must be at most that")
    if expanded > SMALL and expanded > packed * MAX_RATIO:
        raise DecodeError(f"expands to more than {MAX_RATIO} times its size, which no recording does")


def _unzip(data: bytes, max_bytes: int) -> Iterator[tuple[str, bytes]]:
    listed = data.count(b"PK\x01\x02")
    if listed > MAX_LISTED:  # before the list is read: each entry costs ten times its bytes
        raise DecodeError(f"the zip holds {listed} files, must hold at most {MAX_MEMBERS}")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_clutter(entry.filename)]
        if len(entries) > MAX_MEMBERS:
            raise DecodeError(f"the zip holds {len(entries)} files, must hold at most {MAX_MEMBERS}")
        total = 0
        for entry in entries:
            out = bytearray()
            with archive.open(entry) as stream:
                while piece := stream.read(PIECE):
                    out += piece
                    _check(total + len(out), len(data), max_bytes)
            total += len(out)
            content = bytes(out)
            yield entry.filename, gunzip(content, max_bytes) if content[:2] == b"\x1f\x8b" else content
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError) as error:
        raise DecodeError(f"the zip is damaged or locked ({error}); must be a plain, whole zip") from error


def _is_clutter(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")
