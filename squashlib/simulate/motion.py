"""What a wrist feels: swings, steps, gravity turning, and movements that only look like strokes."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from squashlib.simulate.script import Script

Array = npt.NDArray[np.float64]
G = 9.80665

#: Peak angular rate (rad/s) and peak acceleration (g) of a full swing at the racket and the other wrist.
SWING = {"playing": (22.0, 3.6), "other": (6.0, 1.3)}


def wrist_motion(
    rng: np.random.Generator, script: Script, rate_hz: float, hand: Literal["playing", "other"]
) -> tuple[Array, Array, Array, list[tuple[float, str]]]:
    """Times (n,), acceleration (n, 3) in m/s², angular velocity (n, 3) in rad/s, and the wearer's strokes with side."""
    n = int(script.duration_s * rate_hz)
    times = np.arange(n) / rate_hz
    gyro = np.zeros((n, 3))
    shock = np.zeros((n, 3))
    strength = float(rng.lognormal(0, 0.35))
    strokes: list[tuple[float, str]] = []
    for time, mine in _contacts(script):
        if mine:
            side = "backhand" if rng.random() < 0.6 else "forehand"
            strokes.append((time, side))
            soft = 0.45 if rng.random() < 0.2 else 1.0  # drops and volleys
            _swing(rng, gyro, shock, time, rate_hz, hand, strength * soft * rng.lognormal(0, 0.2), side)
        elif hand == "other" or rng.random() < 0.3:
            _bump(rng, gyro, shock, time, rate_hz, 0.8)
    for time, size in _lookalikes(rng, script):
        _bump(rng, gyro, shock, time, rate_hz, size * strength)
    activity = _activity(script, times)
    noise = np.column_stack([_coloured(rng, n, rate_hz, 2.0) for _ in range(3)])
    gyro += noise * (0.12 + 1.1 * activity)[:, None]
    acceleration = _gravity(rng, n, rate_hz) + shock * G + _steps(rng, times, activity)[:, None] * [0.3, 0.2, 0.9]
    acceleration += rng.normal(0, 0.25, (n, 3)) * (0.3 + activity)[:, None]
    gyro += rng.normal(0, 0.03, (n, 3))
    return times, acceleration, gyro, strokes


def _contacts(script: Script) -> list[tuple[float, bool]]:
    return [(t, True) for t in script.warmup_contacts] + [c for rally in script.rallies for c in rally.contacts]


def _swing(
    rng: np.random.Generator, gyro: Array, shock: Array, time: float, rate_hz: float, hand: str, size: float, side: str
) -> None:
    """A swing about 0.31 s wide at half height around the contact, main axis by side, follow-through after it."""
    rad_s, g = SWING[hand]
    width = 0.13 * rng.lognormal(0, 0.2)
    low, high = max(0, int((time - 0.8) * rate_hz)), min(len(gyro), int((time + 0.9) * rate_hz))
    t = np.arange(low, high) / rate_hz - time + rng.normal(0, 0.01)
    sign = 1.0 if side == "forehand" else -1.0
    main = rad_s * size * np.exp(-0.5 * (t / width) ** 2)
    back = -0.3 * rad_s * size * np.exp(-0.5 * ((t + 0.4) / 0.16) ** 2)
    direction = np.array([0.35, 0.45 * sign, 0.8 * sign]) + rng.normal(0, 0.12, 3)
    gyro[low:high] += (main + back)[:, None] * direction / np.linalg.norm(direction)
    pull = g * size * (np.exp(-0.5 * (t / (1.1 * width)) ** 2) + 0.5 * np.exp(-0.5 * (t / 0.02) ** 2))
    shock[low:high] += pull[:, None] * np.array([0.8, 0.3 * sign, 0.5]) / 0.99


def _bump(rng: np.random.Generator, gyro: Array, shock: Array, time: float, rate_hz: float, size: float) -> None:
    """A movement without a ball: lunge, bounce, twirl, towel, drinking."""
    low, high = max(0, int((time - 0.7) * rate_hz)), min(len(gyro), int((time + 0.8) * rate_hz))
    if high <= low:
        return
    t = np.arange(low, high) / rate_hz - time
    shape = np.exp(-0.5 * (t / rng.uniform(0.12, 0.35)) ** 2)
    gyro[low:high] += 3.0 * size * shape[:, None] * rng.normal(0, 0.7, 3)
    shock[low:high] += 0.5 * size * shape[:, None] * rng.normal(0, 0.7, 3)


def _lookalikes(rng: np.random.Generator, script: Script) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for rally, after in zip(script.rallies, [*script.rallies[1:], None], strict=True):
        rest = (after.start_s if after else rally.stop_s + 10) - rally.stop_s
        if rally.server == "me":
            found += [(rally.start_s - 1.2 - 0.5 * i, 0.7) for i in range(int(rng.integers(1, 4)))]
        if rng.random() < 0.12:
            found.append((rally.stop_s + rng.uniform(0.5, max(0.6, min(rest, 6))), float(rng.uniform(1.5, 3.5))))
        if rest > 40:
            count = int(rng.integers(4, 14))
            found += [
                (rally.stop_s + float(rng.uniform(3, rest - 3)), float(rng.uniform(0.5, 2))) for _ in range(count)
            ]
    return found


def _activity(script: Script, times: Array) -> Array:
    """How busy the body is, 0 to 1: playing 1, warm-up 0.4, walking between rallies 0.15."""
    level = np.full(len(times), 0.06)
    level[(times >= script.warmup[0]) & (times < script.warmup[1])] = 0.4
    for start, stop, _ in script.games:
        level[(times >= start) & (times < stop)] = 0.15
    for rally in script.rallies:
        level[(times >= rally.start_s) & (times < rally.stop_s - 0.8)] = 0.9
    smooth = max(1, int(0.5 * len(times) / max(times[-1], 1)))
    return np.convolve(level, np.ones(smooth) / smooth, "same")


def _coloured(rng: np.random.Generator, n: int, rate_hz: float, cut_hz: float) -> Array:
    """Gaussian noise below `cut_hz`, unit variance."""
    spectrum = np.fft.rfft(rng.normal(size=n))
    spectrum *= np.exp(-((np.fft.rfftfreq(n, 1 / rate_hz) / cut_hz) ** 2))
    noise = np.fft.irfft(spectrum, n)
    return np.asarray(noise / noise.std())


def _gravity(rng: np.random.Generator, n: int, rate_hz: float) -> Array:
    tilt = np.column_stack([_coloured(rng, n, rate_hz, 0.25) for _ in range(3)]) * 0.5 + rng.normal(0, 0.5, 3)
    tilt += [0.0, 0.8, -0.5]
    return np.asarray(G * tilt / np.linalg.norm(tilt, axis=1)[:, None])


def _steps(rng: np.random.Generator, times: Array, activity: Array) -> Array:
    phase = np.cumsum((1.4 + 1.2 * activity) * np.gradient(times)) * 2 * np.pi
    return np.asarray(6.0 * activity * np.maximum(0, np.sin(phase)) ** 3 + rng.normal(0, 0.1, len(times)))


def saturate(values: Array, limit: float) -> Array:
    """Clip as a sensor of limited range does."""
    return np.clip(values, -limit, limit)
