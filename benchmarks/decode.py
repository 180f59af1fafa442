"""From bytes to the validated session, checksum included, beside what a user would pick instead.

Peers: fitparse and Garmin's own SDK (Python), pyfitparsernative (Rust). A one-hour match at 100 Hz with accelerometer
and gyroscope, and the real 81-minute heart-rate recording where it is present. Medians of five (of one for peers that
take many seconds).
"""

import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import fitparse
import pyfitparsernative
from garmin_fit_sdk import Decoder, Stream

import squashlib

REAL = Path(__file__).parents[2] / "shared/data/fit/squash_pixel_watch_3.fit"


def timed(work: Callable[[], object], runs: int) -> float:
    """Median seconds."""
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return median(took)


def with_fitparse(data: bytes) -> None:
    for message in fitparse.FitFile(io.BytesIO(data)).get_messages():
        message.get_values()


def with_garmin(data: bytes) -> None:
    Decoder(Stream.from_byte_array(bytearray(data))).read()


def with_rust(data: bytes) -> None:
    pyfitparsernative.parse_fit_bytes(data)


PEERS = {"fitparse": with_fitparse, "garmin_fit_sdk": with_garmin, "pyfitparsernative": with_rust}


def one_hour() -> bytes:
    """A recording of an hour at 100 Hz."""
    match = squashlib.simulate(2, rate_hz=100)
    hour = {dim: slice(0, 3600) for dim in ("hr_time", "accel_time", "gyro_time")}
    with tempfile.TemporaryDirectory() as folder:
        squashlib.write_fit(match.session.sel(hour), Path(folder) / "m.fit")
        return (Path(folder) / "m.fit").read_bytes()


def compare(name: str, data: bytes, slow_runs: int) -> None:
    squashlib.decode(data)  # the first call compiles
    ours = timed(lambda: squashlib.decode(data), 5)
    for peer, work in PEERS.items():
        runs = 5 if peer == "pyfitparsernative" else slow_runs
        theirs = timed(lambda work=work: work(data), runs)  # type: ignore[misc]
        print(f"decode_{name}_vs_{peer} ours={ours:.4f}s peer={theirs:.3f}s ratio={theirs / ours:.1f}", flush=True)


def main() -> None:
    data = one_hour()
    print(f"# one hour at 100 Hz: {len(data) / 1e6:.1f} MB")
    compare("motion_100hz", data, 1)
    if REAL.exists():
        compare("real_heart_rate", REAL.read_bytes(), 5)


if __name__ == "__main__":
    main()
