"""One session at rest, an hour at 100 Hz with six channels and heart rate: our Zarr beside what one would take instead.

Peers: the FIT file itself (decoded by us, the fastest that we know), Parquet (pyarrow, zstd, byte-stream split) and
rows in a real PostgreSQL (COPY, index by time), started here in a temporary folder. Sizes in MB, times are medians of
five; ratios are theirs over ours. Then encodings of our own, so that the one in `squashlib.session` stays the choice.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr
from zarr.codecs import BloscCodec, ZstdCodec

import squashlib
from benchmarks.decode import as_fit, one_hour
from squashlib import session as sessions

RUNS = 5
STREAMS = {
    "heart_rate": ("hr_time", ["heart_rate"]),
    "acceleration": ("accel_time", ["x", "y", "z"]),
    "angular_velocity": ("gyro_time", ["x", "y", "z"]),
}


def took(work: Callable[[], object]) -> float:
    """Median seconds."""
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return median(times)


def size_mb(path: Path) -> float:
    """Bytes of a file or of all below a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def columns(session: xr.Dataset, name: str) -> tuple[list[str], list[np.ndarray[Any, Any]]]:
    """Names and arrays of a stream, time first."""
    dim, names = STREAMS[name]
    values = session[name].values.reshape(session.sizes[dim], -1)
    return ["time", *names], [session[dim].values, *(np.ascontiguousarray(values[:, i]) for i in range(len(names)))]


def with_zarr(session: xr.Dataset, folder: Path) -> tuple[float, float, float]:
    """MB, seconds to write, seconds to read."""
    path = folder / "s.zarr"
    write = took(lambda: sessions.write(session, path))
    return size_mb(path), write, took(lambda: sessions.read(path))


def with_fit(session: xr.Dataset, folder: Path) -> tuple[float, float, float]:
    path = folder / "s.fit"
    write = took(lambda: path.write_bytes(as_fit(session, calibrated=False)))
    return size_mb(path), write, took(lambda: squashlib.decode(path))


def with_parquet(session: xr.Dataset, folder: Path) -> tuple[float, float, float]:
    def write() -> None:
        for name in STREAMS:
            names, arrays = columns(session, name)
            pq.write_table(
                pa.table(dict(zip(names, arrays, strict=True))), folder / f"{name}.parquet", compression="zstd",
                use_dictionary=False, column_encoding=dict.fromkeys(names, "BYTE_STREAM_SPLIT"),
            )  # fmt: skip

    def read() -> list[Any]:
        tables = [pq.read_table(folder / f"{name}.parquet") for name in STREAMS]
        return [column.to_numpy() for table in tables for column in table.columns]

    seconds = took(write)
    return sum(size_mb(folder / f"{name}.parquet") for name in STREAMS), seconds, took(read)


def with_postgres(session: xr.Dataset, address: str) -> tuple[float, float, float]:
    with psycopg.connect(address, autocommit=True) as connection:

        def write() -> None:
            for name, (_, names) in STREAMS.items():
                held = ", ".join(f"{column} real" for column in names)
                connection.execute(f"DROP TABLE IF EXISTS {name}")
                connection.execute(f"CREATE TABLE {name} (session int, time double precision, {held})")
                rows = zip(*(array.tolist() for array in columns(session, name)[1]), strict=True)
                with connection.cursor().copy(f"COPY {name} FROM STDIN (FORMAT BINARY)") as copy:
                    copy.set_types(["int4", "float8", *["float4"] * len(names)])
                    for row in rows:
                        copy.write_row((1, *row))
                connection.execute(f"CREATE INDEX ON {name} (session, time)")

        def read() -> list[Any]:
            cursor = connection.cursor(binary=True)
            query = "SELECT * FROM {} WHERE session = 1 ORDER BY time"
            return [np.array(cursor.execute(query.format(name)).fetchall()) for name in STREAMS]

        write_s = took(write)
        total = "SELECT sum(pg_total_relation_size(quote_ident(t)::regclass)) FROM unnest(%s::text[]) t"
        (size,) = connection.execute(total, [list(STREAMS)]).fetchone() or (0,)
        return float(size) / 1e6, write_s, took(read)


@contextmanager
def postgres() -> Iterator[str | None]:
    """The address of a PostgreSQL of our own; None where none is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [Path(shutil.which("initdb") or "-/-").parent]
    if not (found[-1] / "initdb").exists():
        yield None
        return
    user = {"user": "postgres"} if os.geteuid() == 0 else {}  # it refuses to run as root
    with tempfile.TemporaryDirectory() as folder:
        if user:
            shutil.chown(folder, **user)
        run: Any = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **user}
        subprocess.run([found[-1] / "initdb", "-D", f"{folder}/db", "-U", "bench", "-A", "trust"], **run)
        serve = f"-k {folder} -c listen_addresses=''"
        subprocess.run([found[-1] / "pg_ctl", "-D", f"{folder}/db", "-w", "-l", "log", "-o", serve, "start"], **run)
        try:
            yield f"host={folder} user=bench dbname=postgres"
        finally:
            subprocess.run([found[-1] / "pg_ctl", "-D", f"{folder}/db", "-m", "immediate", "stop"], **run)


def encodings(session: xr.Dataset, folder: Path) -> None:
    """Other ways to pack the same arrays, each against ours."""
    codecs = {
        "bitshuffle_zstd5": BloscCodec(cname="zstd", clevel=5, shuffle="bitshuffle"),
        "shuffle_zstd5": BloscCodec(cname="zstd", clevel=5, shuffle="shuffle"),
        "bitshuffle_lz4": BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle"),
        "plain_zstd3": ZstdCodec(level=3),
    }
    mine, path = with_zarr(session, folder), folder / "e.zarr"
    plain = session.drop_vars("axis")
    for name, codec in codecs.items():
        chosen: dict[Any, Any] = {
            v: {"compressors": (codec,), "chunks": sessions.chunks(plain[v].variable)} for v in plain.variables
        }
        how: dict[str, Any] = {"mode": "w", "encoding": chosen, "zarr_format": 3, "consolidated": False}
        write = took(lambda how=how: plain.to_zarr(path, **how))  # type: ignore[misc]
        report(f"store_as_{name}", mine, (size_mb(path), write, took(lambda: sessions.read(path))))


def report(name: str, ours: tuple[float, float, float], theirs: tuple[float, float, float]) -> None:
    for what, unit, mine, other in zip(("size", "write", "read"), ("MB", "s", "s"), ours, theirs, strict=True):
        print(f"{name}_{what} ours={mine:.3f}{unit} peer={other:.3f}{unit} ratio={other / mine:.2f}", flush=True)


def main() -> None:
    session = squashlib.decode(as_fit(one_hour(), calibrated=False))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = with_zarr(session, folder)
        report("store_vs_fit", ours, with_fit(session, folder))
        report("store_vs_parquet", ours, with_parquet(session, folder))
        with postgres() as address:
            if address is None:
                print("# PostgreSQL is not installed here: not compared")
            else:
                report("store_vs_postgres_rows", ours, with_postgres(session, address))
        encodings(session, folder)


if __name__ == "__main__":
    main()
