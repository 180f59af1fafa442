"""What a watch makes of motion: its clock, its range, its gaps."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: Range of accelerometers (g) and gyroscopes (degrees a second) in watches.
RANGES_G, RANGE_DEG_S = (8.0, 16.0), 2000.0


def clocks(rng: np.random.Generator, times: Array, *, faults: bool) -> tuple[Array, Array]:
    """When the accelerometer and the gyroscope stamp each sample, both (n,): jitter, a lag between them.

    A sensor's own clock runs wrong by some 3e-5, but each message of it bears the watch's time, which sets it right.
    """
    if not faults:
        return times.copy(), times.copy()
    step_s = float(times[1] - times[0])
    jitter_s = step_s * rng.uniform(0.0, 0.12)
    stamped = [times + np.clip(rng.normal(0, jitter_s, len(times)), -0.4 * step_s, 0.4 * step_s) for _ in "ab"]
    return np.maximum(stamped[0], 0.0), stamped[1] + 0.5 * step_s + rng.uniform(0.0, 0.4) * step_s


def kept(rng: np.random.Generator, times: Array, *, faults: bool) -> npt.NDArray[np.bool_]:
    """False in the gaps: about one of seconds per match, some match with a long one."""
    keep = np.concatenate(([True], np.diff(times) > 0))
    if not faults:
        return keep
    gaps = [(rng.uniform(0, times[-1]), rng.uniform(0.3, 4.0)) for _ in range(int(rng.poisson(1.5)))]
    if rng.random() < 0.08:
        gaps.append((rng.uniform(0, times[-1]), rng.uniform(20, 90)))
    for at, length in gaps:
        keep[(times >= at) & (times < at + length)] = False
    return keep


def saturate(rng: np.random.Generator, acceleration: Array, gyro: Array, *, faults: bool) -> tuple[Array, Array]:
    """Clip at the sensors' range."""
    if not faults:
        return acceleration, gyro
    limit = float(rng.choice(RANGES_G)) * 9.80665
    turn = np.deg2rad(RANGE_DEG_S)
    return np.clip(acceleration, -limit, limit), np.clip(gyro, -turn, turn)
