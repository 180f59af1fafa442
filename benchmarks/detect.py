"""A whole analysis, warm: by sensors, by length, in memory, at the very first call; and kernel by kernel.

Peers: real time for whole analyses (the ratio says how many times faster than the match was played); the length itself
for linearity (cost a minute beside that of half an hour); the session's arrays for memory; for kernels the plain NumPy
or pandas version that one would write first.
"""

import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import squashlib
from squashlib.session import build

MOTION = ("heart_rate", "acceleration", "angular_velocity")
HEART = ("heart_rate",)
DIMS = {"hr_time": ("heart_rate",), "accel_time": ("acceleration",), "gyro_time": ("angular_velocity",)}


def timed(work: Callable[[], Any], runs: int = 5) -> float:
    """Median seconds."""
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return median(took)


@cache
def hour(rate_hz: float, sensors: tuple[str, ...]) -> xr.Dataset:
    """A match of about an hour."""
    return squashlib.simulate(3, level="club", rate_hz=rate_hz, sensors=sensors).session


def lasting(minutes: float, rate_hz: float, sensors: tuple[str, ...]) -> xr.Dataset:
    """Matches one after the other, cut to a length."""
    once = hour(rate_hz, sensors)
    length = float(once.attrs["duration_s"])
    rounds = int(np.ceil(60 * minutes / length))
    streams = {}
    for dim, names in DIMS.items():
        if not once.sizes.get(dim):
            continue
        times = np.concatenate([once[dim].values + length * k for k in range(rounds)])
        kept = (times < 60 * minutes) & np.append(True, np.diff(times) > 0)
        held = {name: np.concatenate([once[name].values] * rounds)[kept] for name in names}
        streams[dim] = (times[kept], held)
    return build(streams, start_time=datetime(2026, 1, 1, tzinfo=UTC), duration_s=60 * minutes)


def whole() -> None:
    for name, rate_hz, sensors in (("50hz", 50, MOTION), ("100hz", 100, MOTION), ("heart_rate", 10, HEART)):
        session = lasting(90, rate_hz, sensors)
        squashlib.analyse(session)
        ours = timed(lambda session=session: squashlib.analyse(session))
        print(f"analyse_90min_{name} ours={ours:.3f}s peer=5400s ratio={5400 / ours:.0f}", flush=True)


def linear() -> None:
    first = None
    for minutes in (30, 60, 120, 240):
        session = lasting(minutes, 50, MOTION)
        each = timed(lambda session=session: squashlib.analyse(session), 3) / minutes
        first = first or each
        line = f"ours={1000 * each:.2f}ms/min peer={1000 * first:.2f}ms/min ratio={first / each:.2f}"
        print(f"analyse_{minutes}min {line}", flush=True)


def memory() -> None:
    session = lasting(90, 50, MOTION)
    arrays = sum(variable.nbytes for variable in session.variables.values())
    tracemalloc.start()
    squashlib.analyse(session)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"analyse_memory ours={peak / 1e6:.0f}MB peer={arrays / 1e6:.0f}MB ratio={peak / arrays:.2f}", flush=True)


def first_call() -> None:
    """With nothing compiled before, in a process of its own."""
    code = (
        "import time, squashlib; s = squashlib.simulate(3, rate_hz=25).session; t = time.perf_counter(); "
        "squashlib.analyse(s); print(time.perf_counter() - t)"
    )
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "NUMBA_CACHE_DIR": folder}
        runs = [float(subprocess.check_output([sys.executable, "-c", code], env=env, text=True)) for _ in range(2)]
    print(f"analyse_first_call ours={runs[1]:.1f}s peer={runs[0]:.1f}s ratio={runs[0] / runs[1]:.1f}", flush=True)


def kernels() -> None:
    from squashlib.kernels import peaks, semi_markov, shapes

    motion = lasting(30, 50, MOTION)
    vectors, times = motion["angular_velocity"].values, motion["gyro_time"].values
    envelope = peaks.magnitude(vectors, 0, 3)
    at = peaks.pick_peaks(times, envelope, 0.5, float(np.median(envelope)))
    pairs: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "magnitude": (
            lambda: peaks.magnitude(vectors, 25, 3),
            lambda: plain_magnitude(vectors, 25, 3),
        ),
        "pick_peaks": (
            lambda: peaks.pick_peaks(times, envelope, 0.5, 1.0),
            lambda: plain_peaks(times, envelope, 0.5, 1.0),
        ),
        "half_widths": (
            lambda: shapes.half_widths(times, envelope, at, 0.6),
            lambda: plain_widths(times, envelope, at, 0.6),
        ),
    }
    rng = np.random.default_rng(0)
    T, S, D = 1800, 6, 300
    cumulative = np.vstack((np.zeros(S), np.cumsum(rng.normal(size=(T, S)), axis=0)))
    duration = np.vstack((np.full(S, -np.inf), rng.normal(size=(D, S))))
    change = np.where(np.eye(S) > 0, -np.inf, np.log(1 / S))
    flat, ends = np.zeros(S), np.zeros((T + 1, S))
    parts = (cumulative, duration, np.full(S, D), change, flat, flat, ends)
    pairs["best_path"] = (lambda: semi_markov.best_path(*parts), lambda: plain_best_score(*parts))
    for name, (ours, peer) in pairs.items():
        ours()
        fast, slow = timed(ours), timed(peer, 3)
        print(f"kernel_{name} ours={1000 * fast:.2f}ms peer={1000 * slow:.1f}ms ratio={slow / fast:.0f}", flush=True)


def plain_magnitude(values: np.ndarray, lead: int, smooth: int) -> np.ndarray:
    frame = pd.DataFrame(values)
    moved = frame - frame.rolling(2 * lead + 1, center=True, min_periods=1).mean()
    length = np.sqrt((moved**2).sum(axis=1))
    return length.rolling(2 * smooth + 1, center=True, min_periods=1).mean().to_numpy()


def plain_peaks(times: np.ndarray, envelope: np.ndarray, apart_s: float, floor: float) -> list[int]:
    found = []
    for i in np.flatnonzero(envelope > floor):
        low, high = np.searchsorted(times, (times[i] - apart_s, times[i] + apart_s))
        if envelope[i] >= envelope[low:high].max():
            found.append(int(i))
    return found


def plain_widths(times: np.ndarray, envelope: np.ndarray, at: np.ndarray, longest_s: float) -> list[float]:
    found = []
    for i in at:
        low, high = np.searchsorted(times, (times[i] - longest_s, times[i] + longest_s))
        below = envelope[low:high] <= envelope[i] / 2
        left, right = np.flatnonzero(below[: i - low]), np.flatnonzero(below[i - low :])
        start = times[low + left[-1]] if len(left) else times[low]
        stop = times[i + right[0]] if len(right) else times[min(high, len(times) - 1)]
        found.append(stop - start)
    return found


def plain_best_score(cumulative, duration, longest, change, first, last, ends) -> float:  # type: ignore[no-untyped-def]
    """Score of the best path, a NumPy step for each second and state."""
    T, S = cumulative.shape[0] - 1, cumulative.shape[1]
    score, entered = np.full((T + 1, S), -np.inf), np.full((T + 1, S), -np.inf)
    entered[0] = first
    for t in range(1, T + 1):
        for s in range(S):
            d = np.arange(1, min(longest[s], t) + 1)
            score[t, s] = (entered[t - d, s] - cumulative[t - d, s] + duration[d, s]).max() + cumulative[t, s]
        score[t] += ends[t]
        entered[t] = (score[t][:, None] + change).max(axis=0)
    return float((score[T] + last).max())


def main() -> None:
    whole()
    linear()
    memory()
    first_call()
    kernels()


if __name__ == "__main__":
    main()
