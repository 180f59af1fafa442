"""Heart rate that follows effort late and slowly: on and off kinetics of about 45 and 65 s, drift, a wrist's faults."""

import numpy as np
import numpy.typing as npt

from squashlib.simulate.script import Script

Array = npt.NDArray[np.float64]


def heart_rate(
    rng: np.random.Generator, script: Script, *, optical: bool = True, faults: bool = True
) -> tuple[Array, Array]:
    """Times (n,) and beats per minute (n,) at about 1 Hz; NaN where the sensor lost the pulse."""
    n = int(script.duration_s)
    times = np.arange(n, dtype=float)
    top, rest = rng.uniform(172, 198), rng.uniform(50, 68)
    target = _target(rng, script, times, top, rest)
    on, off, delay = 45 * rng.lognormal(0, 0.2), 65 * rng.lognormal(0, 0.2), rng.uniform(1, 5)
    level = np.empty(n)
    level[0] = rest + 25
    late = np.interp(times - delay, times, target)
    for i in range(1, n):
        tau = on if late[i] > level[i - 1] else off
        level[i] = level[i - 1] + (late[i] - level[i - 1]) / tau
    level += np.linspace(0, rng.uniform(3, 9), n)
    noise = np.zeros(n)
    shocks = rng.normal(0, 0.55, n)
    for i in range(1, n):
        noise[i] = 0.9 * noise[i - 1] + shocks[i]
    bpm = np.minimum(level, top) + noise
    if optical:
        width = int(rng.integers(3, 9))
        bpm = np.convolve(np.pad(bpm, (width - 1, 0), "edge"), np.ones(width) / width, "valid")
    bpm = np.round(bpm)
    if faults:
        _spoil(rng, bpm)
    jitter = times + rng.uniform(-0.05, 0.05, n)
    jitter[0] = 0.0
    return jitter, bpm


def _target(rng: np.random.Generator, script: Script, times: Array, top: float, rest: float) -> Array:
    """Where the heart would settle: rally near maximum, between rallies about half, breaks low."""
    target = np.full(len(times), rest + 0.28 * (top - rest))
    target[(times >= script.warmup[0]) & (times < script.warmup[1])] = rest + 0.52 * (top - rest)
    between = rest + rng.uniform(0.42, 0.5) * (top - rest)
    for start, stop, _ in script.games:
        target[(times >= start) & (times < stop)] = between
    for rally in script.rallies:
        effort = rng.uniform(0.95, 1.12)
        target[(times >= rally.start_s) & (times < rally.stop_s)] = rest + effort * (top - rest)
    return target


def _spoil(rng: np.random.Generator, bpm: Array) -> None:
    for _ in range(int(rng.poisson(2))):
        at, length = int(rng.integers(0, len(bpm))), int(rng.integers(4, 25))
        bpm[at : at + length] = np.nan
    if rng.random() < 0.25:  # the sensor locks on to the cadence of steps
        at, length = int(rng.integers(0, len(bpm))), int(rng.integers(20, 60))
        bpm[at : at + length] = np.round(rng.uniform(95, 120) + rng.normal(0, 1, len(bpm[at : at + length])))
