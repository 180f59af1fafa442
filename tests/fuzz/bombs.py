"""Files made to exhaust memory or time; `python -m tests.fuzz.bombs` prints what decoding each costs, as JSON."""

import io
import json
import os
import resource
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from squashlib.decode import decode
from squashlib.errors import DecodeError
from tests.fuzz import seeds

SIZE = 12 << 20


def _fit(*parts: bytes) -> bytes:
    return seeds.fit_header(sum(map(len, parts))) + b"".join(parts) + b"\0\0"


def tiny_messages() -> bytes:
    """Six million messages of one byte."""
    return _fit(seeds.define(0, 20, [(3, "B")]), bytes([0, 120]) * (SIZE // 2))


def empty_messages() -> bytes:
    """Twelve million messages of no byte."""
    return _fit(seeds.define(0, 20, []), bytes(SIZE))


def compressed_times() -> bytes:
    """As many heart rates with compressed times as are allowed, then one huge unknown message after another."""
    pulses = b"".join(bytes([0x80 | i % 32, 60 + i % 99]) for i in range(32)) * (1_000_000 // 32)
    stamp = seeds.define(1, 20, [(253, "I")]) + seeds.message(1, "I", seeds.EPOCH_S)
    filler = (bytes([2]) + bytes(250)) * ((SIZE - len(pulses)) // 251)
    return _fit(stamp, seeds.define(0, 20, [(3, "B")]), pulses, seeds.define(2, 9999, [(0, "250c")]), filler)


def definitions() -> bytes:
    """Definitions alone."""
    return _fit(seeds.define(0, 20, [(3, "B")]) * (SIZE // 9))


def layouts() -> bytes:
    """Ever new definitions, each with one message."""
    kinds = (seeds.define(0, num, [(3, "B")]) + bytes([0, 1]) for num in range(60_000))
    return _fit(*kinds, (bytes([0]) + bytes(1)) * 1000, seeds.define(2, 9999, [(0, "250c")]), bytes([2]) + bytes(250))


def chained() -> bytes:
    """Hundreds of thousands of files without a message."""
    return seeds.fit() * (SIZE // 16)


def descriptions() -> bytes:
    """Developer fields described again and again."""
    one = [seeds.message(0, "BBB16s", i % 256, i // 256 % 256, 2, b"name") for i in range(65_536)]
    return _fit(
        seeds.define(0, 206, [(0, "B"), (1, "B"), (2, "B"), (3, "16s")]), b"".join(one) * (SIZE // 20 // 65_536)
    )


def events() -> bytes:
    """Nothing but events, laps and presses."""
    fields = [(253, "I"), (0, "B"), (1, "B"), (3, "I")]
    one = b"".join(seeds.message(0, "IBBI", seeds.EPOCH_S + i, 33, 3, i % 12) for i in range(1000))
    heart = seeds.define(1, 20, [(253, "I"), (3, "B")]) + seeds.message(1, "IB", seeds.EPOCH_S, 99)
    return _fit(seeds.define(0, 21, fields), one * (SIZE // len(one)), heart)


def motion() -> bytes:
    """Two hours of two sensors at 100 Hz: nothing hostile, only long."""
    return seeds.motion(k=30, messages=24_000)


def deep_xml() -> bytes:
    """Elements that never close."""
    return b"<gpx>" + b"<a>" * (SIZE // 3)


def strange_xml() -> bytes:
    """Every element has a name of its own."""
    return b"<gpx>" + b"".join(b"<e%x/>" % i for i in range(SIZE // 9)) + b"</gpx>"


def many_points() -> bytes:
    """A track of the shortest points."""
    return b"<gpx>" + b'<trkpt lat="1"><time>2026-01-01T10:00:00Z</time></trkpt>' * (SIZE // 60) + b"</gpx>"


def long_text() -> bytes:
    """Text without end."""
    return b"<gpx><trkpt><time>" + b"2" * SIZE + b"</time></trkpt></gpx>"


def gzip_bomb() -> bytes:
    """64 KB that would be 64 MB."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(64)) + squeeze.flush()


def gzip_streams() -> bytes:
    """Hundreds of thousands of empty gzip streams."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    return (squeeze.compress(b"") + squeeze.flush()) * (SIZE // 20)


def zip_bomb() -> bytes:
    """A zip of zeros."""
    return _zip(lambda archive: archive.writestr("a.fit", bytes(64 << 20)))


def zip_names() -> bytes:
    """A zip of twenty thousand empty files."""
    return _zip(lambda archive: [archive.writestr(f"{i}.fit", b"") for i in range(20_000)])


def _zip(fill: Callable[[zipfile.ZipFile], object]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        fill(archive)
    return packed.getvalue()


BOMBS = (
    tiny_messages, empty_messages, compressed_times, definitions, layouts, chained, descriptions, events, motion,
    deep_xml, strange_xml, many_points, long_text, gzip_bomb, gzip_streams, zip_bomb, zip_names,
)  # fmt: skip


def cost(data: bytes) -> dict[str, float | str]:
    """Peak memory beyond what the process had, in MB; processor seconds; and what came of it."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    try:
        result = f"session {dict(decode(data).sizes)}"
    except DecodeError as error:
        result = f"DecodeError: {error}"
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return {"bytes": len(data), "peak_mb": grown_mb, "cpu_s": time.process_time() - began, "result": result[:200]}


def main() -> None:
    for data in seeds.seeds().values():
        decode(data)  # compiled and imported before anything is measured
    with tempfile.TemporaryDirectory() as folder:
        for bomb in BOMBS:
            path = Path(folder) / bomb.__name__
            in_a_child(lambda bomb=bomb, path=path: path.write_bytes(bomb()))  # type: ignore[misc]
            in_a_child(lambda path=path: print(json.dumps({"name": path.name, **cost(path.read_bytes())})))  # type: ignore[misc]


def in_a_child(work: Callable[[], object]) -> None:
    """A child's peak is its own, and memory that it frees does not lie ready for the next."""
    if os.fork() == 0:
        work()
        sys.stdout.flush()
        os._exit(0)
    os.wait()


if __name__ == "__main__":
    main()
