"""Heart rate that follows effort late and slowly, as a strap or a watch's light sees it.

On and off time constants about 45 and 65 s with a fast part, 1-5 s delay, 5-10 bpm drift; optical sensors smooth over
5-10 s, lag, lose the pulse, and now and then count steps instead of beats.
"""

import numpy as np
import numpy.typing as npt

from squashlib.simulate.script import Script

Array = npt.NDArray[np.float64]
STRAP_SHARE = 0.25


def heart_rate(rng: np.random.Generator, script: Script, *, faults: bool = True) -> tuple[Array, Array]:
    """Times (n,) in s and beats per minute (n,) at about 1 Hz; NaN where the sensor lost the pulse."""
    n = max(2, int(script.duration_s))
    times = np.arange(n, dtype=float)
    top, rest = rng.uniform(172, 198), rng.uniform(50, 68)
    late = np.interp(times - rng.uniform(1, 5), times, _target(rng, script, times, top, rest))
    bpm = _follow(late, rest + 25, 45 * rng.lognormal(0, 0.2), 65 * rng.lognormal(0, 0.2), rng.uniform(0.1, 0.3))
    bpm = np.minimum(bpm + np.linspace(0, rng.uniform(3, 10), n), top)
    strap = rng.random() < STRAP_SHARE
    bpm += _wander(rng, n, rng.uniform(0.5, 1.2) if strap else rng.uniform(0.8, 2.2))
    if not strap:
        bpm = _smoothed(bpm, int(rng.integers(3, 11)))
    bpm = np.round(bpm)
    if faults:
        _spoil(rng, bpm, script, strap)
        times = times + np.clip(rng.normal(0, 0.04, n), -0.2, 0.2)
        times[0] = 0.0
    return times, bpm


def _target(rng: np.random.Generator, script: Script, times: Array, top: float, rest: float) -> Array:
    """Where the heart would settle: rally near maximum, between rallies about half, breaks low."""
    span = top - rest
    target = np.full(len(times), rest + rng.uniform(0.22, 0.34) * span)
    target[(times >= script.warmup[0]) & (times < script.warmup[1])] = rest + rng.uniform(0.45, 0.6) * span
    between = rest + rng.uniform(0.38, 0.52) * span
    for start, stop, _ in script.games:
        target[(times >= start) & (times < stop)] = between
    hard = rng.uniform(0.9, 1.05)
    for rally in script.rallies:
        effort = hard * rng.lognormal(0, 0.1)
        target[(times >= rally.start_s) & (times < rally.stop_s)] = rest + effort * span
    return target


def _follow(target: Array, start: float, on_s: float, off_s: float, fast: float) -> Array:
    """A slow pool with on and off time constants, and a share `fast` that follows in about 10 s."""
    slow, quick, out = start, start, np.empty(len(target))
    for i, aim in enumerate(target.tolist()):
        slow += (aim - slow) / (on_s if aim > slow else off_s)
        quick += (aim - quick) / 10
        out[i] = (1 - fast) * slow + fast * quick
    return out


def _wander(rng: np.random.Generator, n: int, bpm: float) -> Array:
    """Noise of `bpm` standard deviation with a memory of about ten seconds."""
    noise, shocks = 0.0, rng.normal(0, bpm * np.sqrt(1 - 0.9**2), n)
    out = np.empty(n)
    for i, shock in enumerate(shocks.tolist()):
        noise = 0.9 * noise + shock
        out[i] = noise
    return out


def _smoothed(bpm: Array, width: int) -> Array:
    return np.convolve(np.pad(bpm, (width - 1, 0), "edge"), np.ones(width) / width, "valid")


def _spoil(rng: np.random.Generator, bpm: Array, script: Script, strap: bool) -> None:
    for _ in range(int(rng.poisson(0.3 if strap else 2.5))):
        at = int(rng.integers(0, len(bpm)))
        bpm[at : at + int(rng.integers(3, 30))] = np.nan
    if not strap and rng.random() < 0.25:  # the sensor locks on to the cadence of steps
        at, length = int(rng.integers(0, len(bpm))), int(rng.integers(20, 90))
        locked = rng.uniform(100, 165) + rng.normal(0, 1.5, length)
        bpm[at : at + length] = np.round(locked[: len(bpm[at : at + length])])
