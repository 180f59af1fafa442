"""From bytes to the validated session, checksum included, beside what a user would pick instead.

Peers: fitparse and Garmin's own SDK (Python), pyfitparsernative (Rust). An hour at 100 Hz with accelerometer and
gyroscope, as calibrated values (11 MB) and as raw counts with their calibration (6 MB), and the real 81-minute
heart-rate recording where it is present. Medians of five runs, ours and theirs in turn, so that a busy machine slows
both; a run of less than a fifth of a second is repeated within.
"""

import io
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import fitparse
import numpy as np
import pyfitparsernative
import xarray as xr
from garmin_fit_sdk import Decoder, Stream

import squashlib
from squashlib.session import build

REAL = Path(__file__).parents[2] / "shared/data/fit/squash_pixel_watch_3.fit"
RUNS = 5
RUN_S = 0.2


def once(work: Callable[[], object]) -> float:
    """Seconds a call, over as many calls as fill a run."""
    began, calls = time.perf_counter(), 0
    while calls == 0 or time.perf_counter() - began < RUN_S:
        work()
        calls += 1
    return (time.perf_counter() - began) / calls


def with_fitparse(data: bytes) -> None:
    for message in fitparse.FitFile(io.BytesIO(data)).get_messages():
        message.get_values()


def with_garmin(data: bytes) -> None:
    Decoder(Stream.from_byte_array(bytearray(data))).read()


def with_rust(data: bytes) -> None:
    pyfitparsernative.parse_fit_bytes(data)


PEERS = {"fitparse": with_fitparse, "garmin_fit_sdk": with_garmin, "pyfitparsernative": with_rust}


def one_hour() -> xr.Dataset:
    """A session of an hour at 100 Hz: a simulated match, begun again where it ends before the hour."""
    match = squashlib.simulate(2, rate_hz=100).session
    times, seconds = np.arange(360_000) / 100, np.arange(3600.0)
    motion = {name: np.resize(match[name].values, (len(times), 3)) for name in ("acceleration", "angular_velocity")}
    return build(
        {
            "hr_time": (seconds, {"heart_rate": np.resize(match["heart_rate"].values, len(seconds))}),
            "accel_time": (times, {"acceleration": motion["acceleration"]}),
            "gyro_time": (times, {"angular_velocity": motion["angular_velocity"]}),
        },
        start_time=datetime(2026, 1, 1, 18, tzinfo=UTC),
        duration_s=3600.0,
    )


def as_fit(session: xr.Dataset, *, calibrated: bool) -> bytes:
    """What a watch would have written."""
    with tempfile.TemporaryDirectory() as folder:
        squashlib.write_fit(session, Path(folder) / "m.fit", calibrated=calibrated)
        return (Path(folder) / "m.fit").read_bytes()


def compare(name: str, data: bytes) -> None:
    print(f"# decode_{name}: {len(data) / 1e6:.2f} MB", flush=True)
    squashlib.decode(data)  # the first call compiles
    ours: list[float] = []
    theirs: dict[str, list[float]] = {peer: [] for peer in PEERS}
    for _ in range(RUNS):
        for peer, work in PEERS.items():
            ours.append(once(lambda: squashlib.decode(data)))
            theirs[peer].append(once(lambda work=work: work(data)))  # type: ignore[misc]
    for peer, took in theirs.items():
        mine, other = median(ours), median(took)
        print(f"decode_{name}_vs_{peer} ours={mine:.4f}s peer={other:.3f}s ratio={other / mine:.1f}", flush=True)


def main() -> None:
    if REAL.exists():
        compare("real_heart_rate", REAL.read_bytes())
    hour = one_hour()
    compare("motion_100hz", as_fit(hour, calibrated=True))
    compare("motion_100hz_counts", as_fit(hour, calibrated=False))


if __name__ == "__main__":
    main()
