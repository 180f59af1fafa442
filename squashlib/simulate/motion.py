"""Acceleration and rotation of a wrist over a whole match: gestures, footwork, posture, noise."""

import numpy as np
import numpy.typing as npt

from squashlib.simulate.gestures import Movement, Pulses, Wrist
from squashlib.simulate.script import Script

Array = npt.NDArray[np.float64]
G = 9.80665
#: Pulses are laid out to this many of their widths on both sides.
REACH = 4.0


def wrist_motion(
    rng: np.random.Generator, script: Script, movement: Movement, wrist: Wrist, rate_hz: float
) -> tuple[Array, Array, Array]:
    """Times (n,), acceleration (n, 3) in m/s² with gravity, angular velocity (n, 3) in rad/s."""
    n = int(script.duration_s * rate_hz)
    times = np.arange(n) / rate_hz
    playing = _level(times, [(r.start_s, r.last_contact_s + 0.8) for r in script.rallies], rate_hz)
    warm = _level(times, [script.warmup], rate_hz)
    walking = np.clip(_wander(rng, n, rate_hz, 0.08) * 0.5 + 0.45, 0, 1) * (1 - playing)
    gyro = _sum_pulses(movement.turn, n, rate_hz)
    acceleration = _sum_pulses(movement.push, n, rate_hz)
    tilt = _sum_pulses(movement.tilt, n, rate_hz)
    restless = rng.uniform(0.25, 0.5) * walking + rng.uniform(0.9, 1.6) * playing + 0.5 * warm + 0.04
    if wrist.hand == "other":  # no racket to hold ready
        restless *= 0.8
    for axis in range(3):
        gyro[:, axis] += _wander(rng, n, rate_hz, 2.0) * restless
        gyro[:, axis] += rng.normal(0, 0.02, n)
    _add_steps(rng, gyro, acceleration, times, playing, walking)
    acceleration += _gravity(rng, tilt, n, rate_hz)
    acceleration += rng.normal(0, 0.15, (n, 3))
    return times, acceleration, gyro


def _sum_pulses(rows: list[tuple[float, float, Array]], n: int, rate_hz: float) -> Array:
    """Signal (n, 3) that is the sum of all pulses; wide and narrow ones are laid out apart to save work."""
    pulses = Pulses.of(rows)
    total = np.zeros((3, n))
    for low, high in ((0.0, 0.05), (0.05, 0.2), (0.2, 0.6), (0.6, 9.0)):
        chosen = (pulses.width_s >= low) & (pulses.width_s < high)
        if chosen.any():
            _lay(total, pulses.time_s[chosen], pulses.width_s[chosen], pulses.vector[chosen], rate_hz)
    return np.ascontiguousarray(total.T)


def _lay(total: Array, time_s: Array, width_s: Array, vector: Array, rate_hz: float) -> None:
    n = total.shape[1]
    reach = int(np.ceil(REACH * width_s.max() * rate_hz))
    index = np.round(time_s * rate_hz).astype(np.int64)[:, None] + np.arange(-reach, reach + 1)
    bell = np.exp(-0.5 * ((index / rate_hz - time_s[:, None]) / width_s[:, None]) ** 2)
    inside = (index >= 0) & (index < n)
    for axis in range(3):
        weights = (bell * vector[:, axis, None])[inside]
        total[axis] += np.bincount(index[inside], weights, minlength=n)


def _level(times: Array, spans: list[tuple[float, float]], rate_hz: float) -> Array:
    """1 inside the spans, 0 outside, with edges half a second wide."""
    level = np.zeros(len(times) + 1)
    bounds = np.clip(np.round(np.array(spans).reshape(-1, 2) * rate_hz), 0, len(times)).astype(np.int64)
    np.add.at(level, bounds[:, 0], 1.0)
    np.add.at(level, bounds[:, 1], -1.0)
    flat, width = np.cumsum(level[:-1]), max(1, int(0.5 * rate_hz))
    summed = np.cumsum(np.pad(flat, (width, 0)))
    return np.asarray(np.clip((summed[width:] - summed[:-width]) / width, 0, 1))


def _wander(rng: np.random.Generator, n: int, rate_hz: float, cut_hz: float) -> Array:
    """A random course of about unit variance that changes no faster than `cut_hz`."""
    knots = rng.normal(0, 1.25, int(n / rate_hz * 2 * cut_hz) + 3)
    return np.asarray(np.interp(np.arange(n) * (2 * cut_hz / rate_hz), np.arange(len(knots)), knots))


def _add_steps(
    rng: np.random.Generator, gyro: Array, acceleration: Array, times: Array, playing: Array, walking: Array
) -> None:
    """Footfalls: irregular and hard in play (2-3 Hz, lunges), even when walking (1.8 Hz) with the arm swinging."""
    n, step_s = len(times), float(times[1])
    pace_hz = 1.8 + 0.8 * playing * (1 + 0.35 * _wander(rng, n, 1 / step_s, 0.7))
    phase = np.cumsum(pace_hz) * step_s * 2 * np.pi
    hard = rng.uniform(2.0, 4.5) * walking + rng.uniform(5.0, 11.0) * playing
    hard *= np.clip(1 + 0.5 * _wander(rng, n, 1 / step_s, 1.2), 0, 3)
    falls = np.maximum(0, np.sin(phase)) ** 4 - 0.375
    acceleration += (hard * falls)[:, None] * (np.array([0.25, 0.2, 0.9]) + rng.normal(0, 0.15, 3))
    swing = np.sin(phase / 2) * (rng.uniform(0.5, 1.8) * walking + 0.5 * playing)
    gyro += swing[:, None] * np.array([0.2, 0.9, 0.3])


def _gravity(rng: np.random.Generator, tilt: Array, n: int, rate_hz: float) -> Array:
    """Gravity in the watch's frame as the forearm's posture drifts and gestures tilt it."""
    roll = rng.normal(0.2, 0.3) + 0.35 * _wander(rng, n, rate_hz, 0.2) + tilt[:, 0] + 0.5 * tilt[:, 2]
    pitch = rng.normal(-0.6, 0.25) + 0.3 * _wander(rng, n, rate_hz, 0.2) + tilt[:, 1]
    flat = np.cos(pitch)
    return G * np.column_stack((np.sin(pitch), flat * np.sin(roll), flat * np.cos(roll)))
