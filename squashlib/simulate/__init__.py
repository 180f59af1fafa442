"""Matches with ground truth, through the same door as real recordings."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from squashlib.simulate.script import Script

SENSORS = ("heart_rate", "acceleration", "angular_velocity")


@dataclass(frozen=True)
class Match:
    """A simulated match: what the watch measured, what the player pressed, and what really happened."""

    session: "xr.Dataset"
    points: list[dict[str, Any]]
    truth: dict[str, Any]


def simulate(
    seed: int,
    *,
    level: Literal["elite", "club", "recreational"] = "club",
    rate_hz: float = 50.0,
    hand: Literal["playing", "other"] = "playing",
    sensors: Sequence[str] = SENSORS,
    faults: bool = True,
) -> Match:
    """Simulate one match; the same arguments give the same match.

    Parameters
    ----------
    rate_hz
        Motion samples per second, 10 to 200.
    sensors
        Which of heart_rate, acceleration and angular_velocity the watch has.
    faults
        Whether sensors and presses have the faults of real ones (dropouts, saturation, missed and late presses).
    """
    import numpy as np

    from squashlib.session import build
    from squashlib.simulate.heart import heart_rate
    from squashlib.simulate.motion import saturate, wrist_motion
    from squashlib.simulate.script import write_script

    if not 10 <= rate_hz <= 200:
        raise ValueError(f"rate_hz is {rate_hz}, must be between 10 and 200")
    rng = np.random.default_rng(seed)
    script = write_script(rng, level)
    start = datetime(2026, 1, 5, 18, tzinfo=UTC) + timedelta(days=seed % 700, minutes=float(rng.integers(0, 180)))
    times, acceleration, gyro, strokes = wrist_motion(rng, script, rate_hz, hand)
    streams: dict[str, Any] = {}
    if "heart_rate" in sensors:
        hr_times, bpm = heart_rate(rng, script, faults=faults)
        streams["hr_time"] = (hr_times, {"heart_rate": bpm})
    keep = _without_gaps(rng, times, faults)
    if "acceleration" in sensors:
        limit = 8 * 9.80665 if faults else np.inf
        streams["accel_time"] = (times[keep], {"acceleration": saturate(acceleration, limit)[keep]})
    if "angular_velocity" in sensors:
        limit = np.deg2rad(2000) if faults else np.inf
        streams["gyro_time"] = (times[keep], {"angular_velocity": saturate(gyro, limit)[keep]})
    session = build(
        streams,
        start_time=start,
        duration_s=script.duration_s,
        device={"manufacturer": "squashlib", "name": "simulated watch"},
        watch_position=f"{hand}_hand",
        sources=[{"sha256": f"{seed:064x}", "format": "simulation", "bytes": 0}],
    )
    return Match(session, _presses(rng, script, start, faults), _truth(script, start, strokes))


def _without_gaps(rng: "np.random.Generator", times: Any, faults: bool) -> Any:
    import numpy as np

    keep = np.ones(len(times), bool)
    for _ in range(int(rng.poisson(1.0)) if faults else 0):
        at = rng.uniform(0, times[-1])
        keep[(times >= at) & (times < at + rng.uniform(0.5, 4))] = False
    return keep


def _presses(rng: "np.random.Generator", script: "Script", start: datetime, faults: bool) -> list[dict[str, Any]]:
    """Presses two to six seconds after the rally, with a person's faults: some missed, doubled or late."""
    from squashlib.session import iso

    habit_s = rng.uniform(1.5, 4.0)
    points = []
    before, game = (0, 0), 0
    for rally in script.rallies:
        if rally.game != game:
            before, game = (0, 0), rally.game
        chance = rng.random() if faults else 1.0
        delay_s = max(0.3, habit_s + rng.normal(0, 0.8)) + (rng.uniform(4, 12) if chance < 0.03 else 0.0)
        point = {
            "timestamp": iso(start + timedelta(seconds=rally.stop_s + delay_s)),
            "winner": rally.winner,
            "score_me_before": before[0],
            "score_opponent_before": before[1],
            "score_me_after": rally.score[0],
            "score_opponent_after": rally.score[1],
            "game_number": rally.game,
            "is_let": rally.is_let,
        }
        before = rally.score
        if not 0.03 < chance < 0.055:
            points.append(point)
    return points


def _truth(script: "Script", start: datetime, strokes: list[tuple[float, str]]) -> dict[str, Any]:
    from squashlib.session import iso

    def when(seconds: float) -> str:
        return iso(start + timedelta(seconds=float(seconds)))

    return {
        "schema": "squash-truth/1",
        "start": iso(start),
        "warmup": {"start": when(script.warmup[0]), "end": when(script.warmup[1])},
        "cooldown": {"start": when(script.cooldown[0]), "end": when(script.cooldown[1])},
        "games": [
            {"number": i, "start": when(a), "end": when(b), "score": {"me": score[0], "opponent": score[1]}}
            for i, (a, b, score) in enumerate(script.games, 1)
        ],
        "rallies": [
            {
                "number": i,
                "game": rally.game,
                "start": when(rally.start_s),
                "end": when(rally.stop_s),
                "last_contact": when(rally.last_contact_s),
                "winner": rally.winner,
                "is_let": rally.is_let,
                "server": rally.server,
            }
            for i, rally in enumerate(script.rallies, 1)
        ],
        "strokes": [{"time": when(time), "side": side} for time, side in sorted(strokes)],
    }


class _Callable(ModuleType):
    """`squashlib.simulate(seed)` reads naturally though `simulate` is a package."""

    def __call__(self, seed: int, **arguments: Any) -> Match:
        return simulate(seed, **arguments)


sys.modules[__name__].__class__ = _Callable
