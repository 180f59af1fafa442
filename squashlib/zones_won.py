"""Points by the heart-rate zone in which they were played, and the zone that is surely best."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.athlete import Athlete
from squashlib.confidence import wilson
from squashlib.detectors.framework import Context
from squashlib.detectors.heart import maximum, zone_of
from squashlib.scoring import Point

Floats = npt.NDArray[np.float64]
MIN_POINTS = 8


def by_zone(
    session: xr.Dataset,
    athlete: Athlete,
    points: Sequence[Point],
    at_points: Floats,
    won: npt.NDArray[np.bool_],
    bpm: Floats,
) -> list[dict[str, Any]] | None:
    """Points won and lost in each zone that had any; None without heart rate at a point.

    `at_points` is the heart rate at each decided point (bpm, NaN if unknown), `won` whether it was mine; both (k,).
    """
    if not len(bpm) or np.isnan(at_points).all():
        return None
    top, _, _ = maximum(Context(session, tuple(points), athlete, {}), bpm)
    good = ~np.isnan(at_points)
    zones = zone_of(at_points[good], top)
    return [_row(int(zone), won[good][zones == zone]) for zone in np.unique(zones)]


def _row(zone: int, here: npt.NDArray[np.bool_]) -> dict[str, Any]:
    hits = int(here.sum())
    share = round(100 * hits / len(here), 1)
    counts = {"zone": zone, "points_won": hits, "points_lost": len(here) - hits}
    return counts | {"win_percentage": share, "interval": wilson(hits, len(here))}


def best(zones: Sequence[dict[str, Any]] | None) -> dict[str, Any] | None:
    """The zone with most points won for sure: the highest lower bound, among zones of at least eight points."""
    enough = [row for row in zones or () if row["points_won"] + row["points_lost"] >= MIN_POINTS]
    if not enough:
        return None
    row = max(enough, key=lambda row: float(row["interval"][0]))
    played = row["points_won"] + row["points_lost"]
    return {
        "zone": row["zone"],
        "win_percentage": row["win_percentage"],
        "points_in_zone": played,
        "interval": row["interval"],
    }
