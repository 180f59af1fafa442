"""From a script to what a watch recorded of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import xarray as xr

from squashlib.session import build
from squashlib.simulate.gestures import Hand, draw_wrist, gestures, press
from squashlib.simulate.heart import heart_rate
from squashlib.simulate.motion import wrist_motion
from squashlib.simulate.presses import press_points
from squashlib.simulate.script import Script
from squashlib.simulate.sensors import clocks, kept, saturate
from squashlib.simulate.truth import truth_document

SENSORS = ("heart_rate", "acceleration", "angular_velocity")


@dataclass(frozen=True)
class Match:
    """A simulated match: what the watch measured, what the player pressed, and what really happened."""

    session: xr.Dataset
    points: list[dict[str, Any]]
    truth: dict[str, Any]


def enact(
    rng: np.random.Generator,
    script: Script,
    start: datetime,
    *,
    rate_hz: float = 50.0,
    hand: Hand = "playing",
    sensors: Sequence[str] = SENSORS,
    faults: bool = True,
    power: float = 1.0,
) -> Match:
    """What a watch records while a script is played.

    Parameters
    ----------
    power
        How hard the level swings; players differ around it by a factor of three.

    Raises
    ------
    ValueError
        If the rate is outside 10 to 200 Hz, the hand is neither, or a sensor is unknown.
    """
    if not 10 <= rate_hz <= 200:
        raise ValueError(f"rate_hz is {rate_hz}, must be between 10 and 200")
    if hand not in ("playing", "other"):
        raise ValueError(f"hand is {hand!r}, must be 'playing' or 'other'")
    if unknown := set(sensors) - set(SENSORS):
        raise ValueError(f"sensor {min(unknown)!r} is unknown, must be one of {', '.join(SENSORS)}")
    body, arm, thumb, device = rng.spawn(4)
    streams: dict[str, Any] = {}
    points, pressed = press_points(thumb, script, start, faults=faults)
    wrist = draw_wrist(arm, hand, power)
    movement, strokes = gestures(arm, script, wrist)
    for time in pressed:
        press(movement, thumb, wrist, time)
    if "heart_rate" in sensors:
        hr_times, bpm = heart_rate(body, script, faults=faults)
        streams["hr_time"] = (hr_times, {"heart_rate": bpm})
    if "acceleration" in sensors or "angular_velocity" in sensors:
        times, *motion = wrist_motion(arm, script, movement, wrist, rate_hz)
        acceleration, gyro = saturate(device, *motion, faults=faults)
        accel_time, gyro_time = clocks(device, times, faults=faults)
        keep = kept(device, accel_time, faults=faults)
        if "acceleration" in sensors:
            streams["accel_time"] = (accel_time[keep], {"acceleration": acceleration[keep]})
        if "angular_velocity" in sensors:
            streams["gyro_time"] = (gyro_time[keep], {"angular_velocity": gyro[keep]})
    session = build(
        streams,
        start_time=start,
        duration_s=script.duration_s,
        device={"manufacturer": "squashlib", "name": "simulated watch"},
        watch_position=f"{hand}_hand",
        sources=[{"sha256": f"{int(device.integers(1 << 62)):064x}", "format": "simulation", "bytes": 0}],
    )
    return Match(session, points, truth_document(script, start, strokes))
