"""What the player says was otherwise: this was no rally, that point was mine, this one was a let.

A correction names its rally by the time it covers, not by a number, so that it holds when detectors change. What is
said of points changes the presses before anything is detected; what is no rally is taken out of those that were found.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

import numpy as np
import xarray as xr

from squashlib.detectors.framework import Context, Detector, Findings
from squashlib.scoring import Point
from squashlib.session import parse_iso

What = Literal["no_rally", "me", "opponent", "let"]
#: A press belongs to a rally if it comes this long before its end to this long after it.
PRESS_S = (4.0, 25.0)
#: A rally is meant if it shares this much with the corrected time.
SHARED = 0.3


@dataclass(frozen=True)
class Correction:
    """One rally's time in seconds since the start, and what it was."""

    start_s: float
    stop_s: float
    what: What


def parse_corrections(items: Iterable[Mapping[str, Any]], start_time: datetime) -> tuple[Correction, ...]:
    """Corrections from their wire form: `start`, `end` (ISO 8601) and `what`, in order of time.

    Raises
    ------
    ValueError
        For an unknown `what` or an end that is not after its start.
    """
    found = []
    for item in items:
        start, stop = ((parse_iso(str(item[name])) - start_time).total_seconds() for name in ("start", "end"))
        if item["what"] not in get_args(What):
            raise ValueError(f"what is {item['what']!r}, must be one of {', '.join(get_args(What))}")
        if stop <= start:
            raise ValueError(f"end is {item['end']}, must be after start {item['start']}")
        found.append(Correction(start, stop, item["what"]))
    return tuple(sorted(found, key=lambda one: one.start_s))


def corrected_points(points: Sequence[Point], corrections: Sequence[Correction]) -> tuple[Point, ...]:
    """Presses as they should have been; a point that was never pressed is added, the game's later scores follow."""
    held = list(points)
    for one in corrections:
        at = _press_of(held, one)
        if at is None:
            if one.what in ("me", "opponent"):
                held.append(Point(one.stop_s + 1.0, one.what, source="correction"))
                held.sort(key=lambda point: point.time_s)
        elif one.what == "no_rally":
            held = _shifted(held, at, held[at].winner, None)
            del held[at]
        else:
            winner = None if one.what == "let" else one.what
            held = _shifted(held, at, None if held[at].is_let else held[at].winner, winner)
            held[at] = replace(held[at], winner=winner or held[at].winner, is_let=winner is None)
    return tuple(held)


def _press_of(points: Sequence[Point], one: Correction) -> int | None:
    low, high = one.stop_s - PRESS_S[0], one.stop_s + PRESS_S[1]
    near = [i for i, point in enumerate(points) if low <= point.time_s <= high]
    return min(near, key=lambda i: abs(points[i].time_s - one.stop_s)) if near else None


def _shifted(points: Sequence[Point], at: int, was: str | None, now: str | None) -> list[Point]:
    """Scores from press `at` to the end of its game, as they are if its winner was another."""
    me, opponent = ((now == side) - (was == side) for side in ("me", "opponent"))
    held, total = list(points), -1
    for i in range(at, len(held)):
        point = held[i]
        if point.score_me is None or point.score_opponent is None:
            continue
        if point.score_me + point.score_opponent < total:
            break  # a new game begins
        total = point.score_me + point.score_opponent
        held[i] = replace(
            point, score_me=max(0, point.score_me + me), score_opponent=max(0, point.score_opponent + opponent)
        )
    return held


@dataclass(frozen=True)
class Corrected:
    """A detector of rallies whose false ones are taken out."""

    inner: Detector
    corrections: tuple[Correction, ...]

    @property
    def name(self) -> str:
        """As the detector's own."""
        return self.inner.name

    @property
    def version(self) -> str:
        """As the detector's own."""
        return self.inner.version

    @property
    def requires(self) -> tuple[str, ...]:
        """As the detector's own."""
        return self.inner.requires

    @property
    def provides(self) -> tuple[str, ...]:
        """As the detector's own."""
        return self.inner.provides

    def detect(self, context: Context) -> Findings:
        """What the detector finds, less what the player says was no rally."""
        found = self.inner.detect(context)
        if "rallies" not in found.groups:
            return found
        return Findings({**found.groups, "rallies": without(found.groups["rallies"], self.corrections)}, found.metrics)


def without(rallies: xr.Dataset, corrections: Sequence[Correction]) -> xr.Dataset:
    """Rallies less those that a correction takes out; bounds of their number follow."""
    starts, stops = rallies["rally_start"].values, rallies["rally_stop"].values
    kept = np.ones(len(starts), bool)
    for one in corrections:
        if one.what == "no_rally" and len(starts):
            both = np.minimum(stops, one.stop_s) - np.maximum(starts, one.start_s)
            either = np.maximum(stops, one.stop_s) - np.minimum(starts, one.start_s)
            kept &= both / np.maximum(either, 1e-9) < SHARED
    gone = int((~kept).sum())
    bounds = {
        name: max(0, int(rallies.attrs[name]) - gone) for name in ("count_low", "count_high") if name in rallies.attrs
    }
    return rallies.isel(rally=kept).assign_attrs(**bounds)
