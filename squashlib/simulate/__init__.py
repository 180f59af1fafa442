"""Matches with ground truth, through the same door as real recordings."""

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from squashlib.simulate.match import Match as Match

__all__ = ["Match", "simulate"]


def simulate(
    seed: int,
    *,
    level: Literal["elite", "club", "recreational"] = "club",
    rate_hz: float = 50.0,
    hand: Literal["playing", "other"] = "playing",
    sensors: Sequence[str] = ("heart_rate", "acceleration", "angular_velocity"),
    faults: bool = True,
) -> "Match":
    """Simulate one match; the same arguments give the same match.

    Parameters
    ----------
    level
        Sets the laws of shots per rally, tempo, rests, lets and the strength of swings.
    rate_hz
        Motion samples per second, 10 to 200.
    hand
        The wrist that wears the watch.
    sensors
        Which of heart_rate, acceleration and angular_velocity the watch has.
    faults
        Whether sensors and presses have the faults of real ones (dropouts, gaps, saturation, clock jitter, missed,
        doubled and late presses).

    Raises
    ------
    ValueError
        If an argument is not one of those.
    """
    from datetime import UTC, datetime, timedelta

    import numpy as np

    from squashlib.simulate.match import enact
    from squashlib.simulate.script import LEVELS, write_script

    if level not in LEVELS:
        raise ValueError(f"level is {level!r}, must be one of {', '.join(LEVELS)}")
    rng = np.random.default_rng(seed)
    script = write_script(rng, level)
    start = datetime(2026, 1, 5, 18, tzinfo=UTC) + timedelta(days=seed % 700, minutes=float(rng.integers(0, 180)))
    power = LEVELS[level].power
    return enact(rng, script, start, rate_hz=rate_hz, hand=hand, sensors=sensors, faults=faults, power=power)


def __getattr__(name: str) -> Any:
    if name == "Match":
        from squashlib.simulate.match import Match

        return Match
    raise AttributeError(f"module 'squashlib.simulate' has no attribute {name!r}")


class _Callable(ModuleType):
    """`squashlib.simulate(seed)` reads naturally though `simulate` is a package."""

    def __call__(self, seed: int, **arguments: Any) -> "Match":
        return simulate(seed, **arguments)


sys.modules[__name__].__class__ = _Callable
