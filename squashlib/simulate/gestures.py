"""What a wrist does: swings at the ball, and all the movements that look like them.

Everything is a set of bell-shaped pulses: of rotation, of acceleration, of tilt. Magnitudes after wrist recordings:
squash boasts peak at 900/1380/1650 degrees a second (p10/50/90) and 2.8/3.5/4.3 g, swings are 0.31 s wide, players
differ by a factor of four, a free arm turns at 150-500 degrees a second.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from squashlib.simulate.script import Rally, Script

Array = npt.NDArray[np.float64]
Hand = Literal["playing", "other"]
Side = Literal["forehand", "backhand"]

#: How hard a stroke is swung relative to a drive, its width relative to a drive's, and how common it is.
STROKES = (
    ("drive", 1.0, 1.0, 0.52),
    ("boast", 0.95, 1.05, 0.12),
    ("volley", 0.62, 0.8, 0.18),
    ("drop", 0.36, 1.1, 0.18),
)
SERVE = (0.6, 1.25)
DRIVE_RAD_S = {"playing": 22.5, "other": 7.4}
DRIVE_G = {"playing": 3.4, "other": 1.25}


@dataclass(frozen=True)
class Wrist:
    """How one player moves the wrist with the watch: vectors are in the watch's own frame."""

    hand: Hand
    strength: float
    scatter: float
    forehand: Array
    backhand: Array
    pull: Array
    backhand_share: float
    fidgets: float


@dataclass(frozen=True)
class Pulses:
    """Bells at `time_s` with standard deviation `width_s` and amplitude `vector`, shapes (k,), (k,), (k, 3)."""

    time_s: Array
    width_s: Array
    vector: Array

    @classmethod
    def of(cls, rows: Iterable[tuple[float, float, Array]]) -> "Pulses":
        """From rows of time, width and vector."""
        times, widths, vectors = [], [], []
        for time, width, vector in rows:
            times.append(time)
            widths.append(width)
            vectors.append(vector)
        return cls(np.array(times), np.array(widths), np.array(vectors, np.float64).reshape(-1, 3))


@dataclass
class Movement:
    """Pulses so far: rotation (rad/s), acceleration without gravity (m/s²), tilt (rad)."""

    turn: list[tuple[float, float, Array]]
    push: list[tuple[float, float, Array]]
    tilt: list[tuple[float, float, Array]]


def draw_wrist(rng: np.random.Generator, hand: Hand, power: float) -> Wrist:
    """A player's wrist: strengths lie within a factor of four, axes as the watch happens to sit."""
    forehand = _unit(np.array([0.35, 0.5, 0.75]) + rng.normal(0, 0.22, 3))
    opposite = 0.75 if hand == "playing" else 0.35
    backhand = _unit(-opposite * forehand + rng.normal(0, 0.4, 3))
    return Wrist(
        hand=hand,
        strength=power * float(np.exp(rng.uniform(np.log(0.5), np.log(1.6)))),
        scatter=float(rng.uniform(0.15, 0.4)) if hand == "playing" else float(rng.uniform(0.4, 0.8)),
        forehand=forehand,
        backhand=backhand,
        pull=_unit(np.array([0.8, 0.1, 0.5]) + rng.normal(0, 0.25, 3)),
        backhand_share=float(rng.uniform(0.52, 0.7)),
        fidgets=float(rng.lognormal(0, 0.4)),
    )


def _unit(vector: Array) -> Array:
    return np.asarray(vector / np.linalg.norm(vector))


def gestures(rng: np.random.Generator, script: Script, wrist: Wrist) -> tuple[Movement, list[tuple[float, Side]]]:
    """All movements of a match, and the wearer's strokes with their side."""
    movement, strokes = Movement([], [], []), list[tuple[float, Side]]()
    for time in script.warmup_contacts:
        strokes.append((time, _stroke(rng, movement, wrist, time, 0.8)))
    for rally in script.rallies:
        for i, (time, mine) in enumerate(rally.contacts):
            if mine:
                strokes.append((time, _stroke(rng, movement, wrist, time, 1.0, serve=i == 0)))
            elif rng.random() < 0.6:  # back to the middle, a feint, a stumble
                calm = 0.5 if wrist.hand == "other" else 1.0
                _jolt(rng, movement, wrist, time + rng.normal(0, 0.25), calm * rng.uniform(0.3, 1.2))
    for rally, rest_s in zip(script.rallies, _rests(script), strict=True):
        _between(rng, movement, wrist, rally, rest_s)
    return movement, strokes


def _rests(script: Script) -> list[float]:
    starts = [rally.start_s for rally in script.rallies[1:]] + [script.duration_s] * bool(script.rallies)
    return [start - rally.stop_s for start, rally in zip(starts, script.rallies, strict=True)]


def _stroke(
    rng: np.random.Generator, movement: Movement, wrist: Wrist, time: float, effort: float, *, serve: bool = False
) -> Side:
    side: Side = "backhand" if not serve and rng.random() < wrist.backhand_share else "forehand"
    if serve:
        hard, wide = SERVE
        if wrist.hand == "other":  # the free hand throws the ball up
            _jolt(rng, movement, wrist, time - rng.uniform(0.35, 0.6), 1.6)
    else:
        kind = int(rng.choice(len(STROKES), p=[share for *_, share in STROKES]))
        _, hard, wide, _ = STROKES[kind]
    _swing(rng, movement, wrist, time, hard * effort * rng.lognormal(0, 0.18), wide, side, ball=True)
    return side


def _swing(
    rng: np.random.Generator,
    movement: Movement,
    wrist: Wrist,
    time: float,
    size: float,
    wide: float,
    side: Side,
    *,
    ball: bool,
) -> None:
    """Back swing, swing about 0.31 s wide at half height around the contact, follow-through, and the ball's shock."""
    other = wrist.hand == "other"
    axis = _unit((wrist.backhand if side == "backhand" else wrist.forehand) + rng.normal(0, wrist.scatter, 3) / 1.7)
    if other:  # the free arm balances the trunk, which turns for a soft stroke almost as for a hard one
        size = size**0.6 * rng.lognormal(0, 0.3)
    rate = DRIVE_RAD_S[wrist.hand] * wrist.strength * size
    width = 0.13 * wide * rng.lognormal(0, 0.18) * (1.3 if other else 1.0)
    peak = time + (rng.normal(0.04, 0.07) if other else rng.normal(0.0, 0.02))
    movement.turn.append((peak, width, rate * axis))
    movement.turn.append((peak - rng.uniform(0.35, 0.6), width * 1.4, -rng.uniform(0.15, 0.4) * rate * axis))
    turned = _unit(axis + rng.normal(0, 0.5, 3))
    movement.turn.append((peak + rng.uniform(0.25, 0.45), width * 1.6, rng.uniform(0.1, 0.3) * rate * turned))
    movement.tilt.append((peak + 0.15, 0.3 * rng.lognormal(0, 0.2), min(1.0, rate / 18) * rng.normal(0.9, 0.3) * axis))
    pull = DRIVE_G[wrist.hand] * 9.80665 * wrist.strength**0.8 * size * rng.lognormal(0, 0.15)
    movement.push.append((peak + rng.normal(0, 0.03), width * 1.1, pull * _unit(wrist.pull + rng.normal(0, 0.25, 3))))
    if ball and not other:
        movement.push.append((time, 0.012, rng.uniform(0.3, 2.0) * pull * rng.normal(0, 0.6, 3)))


def _jolt(rng: np.random.Generator, movement: Movement, wrist: Wrist, time: float, size: float) -> None:
    """A movement of the arm without a swing: 1.5-5 rad/s, a third of a second to one long."""
    width = float(rng.uniform(0.1, 0.35))
    axis = _unit(rng.normal(0, 1, 3))
    movement.turn.append((time, width, rng.uniform(1.5, 5.0) * size * axis))
    movement.push.append((time + rng.normal(0, 0.05), width, rng.uniform(1, 6) * size * _unit(rng.normal(0, 1, 3))))
    movement.tilt.append((time + 0.2, 0.4, rng.normal(0, 0.4, 3) * min(size, 1.5)))


def _between(rng: np.random.Generator, movement: Movement, wrist: Wrist, rally: Rally, rest_s: float) -> None:
    """After a rally: ball, twirls, practice swings, wiping, towel, drinking, and bouncing before the own serve."""

    def free() -> float:
        return rally.stop_s + float(rng.uniform(0.4, max(0.6, min(rest_s, 14) - 1.5)))

    chance = wrist.fidgets
    if rng.random() < 0.35:  # picks the ball up
        _jolt(rng, movement, wrist, free(), 1.3)
    if rng.random() < 0.12 and wrist.hand == "playing":  # plays the ball back to the server
        _swing(rng, movement, wrist, free(), rng.uniform(0.2, 0.45), 1.1, "forehand", ball=True)
    if rng.random() < 0.08 * chance:  # practice swing
        side: Side = "backhand" if rng.random() < 0.5 else "forehand"
        _swing(rng, movement, wrist, free(), rng.uniform(0.35, 0.8), 1.15, side, ball=False)
    if rng.random() < 0.15 * chance and wrist.hand == "playing":  # twirls the racket
        at = free()
        for k in range(int(rng.integers(2, 6))):
            movement.turn.append((at + 0.22 * k, 0.07, np.array([rng.uniform(4, 9), 0.0, 0.0])))
    if rng.random() < 0.12 * chance:  # wipes the hand on the wall, pumps a fist, pulls up a sock
        at = free()
        for k in range(int(rng.integers(2, 5))):
            _jolt(rng, movement, wrist, at + 0.4 * k, 0.9)
    if rally.towel:
        for at in np.arange(rally.stop_s + 5, rally.stop_s + rest_s - 3, 0.7):
            _jolt(rng, movement, wrist, float(at), 1.1)
    if rest_s > 40:
        _interval(rng, movement, wrist, rally.stop_s, rest_s)
    if rally.next_server == "me":
        start = rally.stop_s + rest_s
        for k in range(int(rng.integers(0, 5))):  # bounces the ball
            _jolt(rng, movement, wrist, start - 1.3 - 0.55 * k, 0.8 if wrist.hand == "other" else 0.6)


def _interval(rng: np.random.Generator, movement: Movement, wrist: Wrist, start: float, length: float) -> None:
    """Drinking, towel, talking with the hands; some swing the racket before they go on."""
    for at in start + rng.uniform(4, length - 4, int(rng.integers(6, 18))):
        _jolt(rng, movement, wrist, float(at), float(rng.uniform(0.5, 1.6)))
    for at in start + rng.uniform(8, length - 8, int(rng.integers(1, 4))):  # drinks: the wrist tilts for seconds
        movement.tilt.append((float(at), float(rng.uniform(1.0, 2.0)), np.array([1.2, rng.normal(0, 0.3), 0.0])))
    if rng.random() < 0.3:
        for k in range(int(rng.integers(2, 6))):
            at = start + length - 4 - 2.2 * k
            _swing(rng, movement, wrist, float(at), rng.uniform(0.35, 0.75), 1.15, "forehand", ball=False)


def press(movement: Movement, rng: np.random.Generator, wrist: Wrist, time: float) -> None:
    """The watch is looked at and pressed: the wrist turns up, is still, turns back."""
    axis = np.array([0.9, 0.3, 0.0])
    movement.tilt.append((time, 0.6, axis))
    movement.turn += [(time - 0.7, 0.15, 2.0 * axis), (time + 0.7, 0.15, -2.0 * axis)]
    movement.push.append((time, 0.02, rng.normal(0, 1.5, 3)))
