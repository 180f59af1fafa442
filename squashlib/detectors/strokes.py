"""Strokes: swings in a context where balls are hit."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.detectors.framework import Context, Findings
from squashlib.detectors.likeness import in_rhythm
from squashlib.schema import time_attrs

Floats = npt.NDArray[np.float64]

SIDES = ("unknown", "forehand", "backhand")


def sides(session: xr.Dataset, times: Floats) -> npt.NDArray[np.int8]:
    """Forehand and backhand turn the wrist opposite ways: the sign of the main rotation, if two clear kinds are there.

    Which of the two is the backhand follows from its share (backhands are nearly two thirds of labelled strokes); when
    the shares are too even to say, all are unknown.
    """
    unknown = np.zeros(len(times), np.int8)
    if session.sizes.get("gyro_time", 0) < 10 or len(times) < 30:
        return unknown
    clock = session["gyro_time"].values
    at = np.clip(np.searchsorted(clock, times), 0, len(clock) - 1)
    vectors = np.nan_to_num(session["angular_velocity"].values[at]).astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9
    main = np.linalg.eigh(vectors.T @ vectors)[1][:, -1]
    along = vectors @ main
    positive = float((along > 0).mean())
    if np.median(np.abs(along)) < 0.6 or not 0.05 < positive < 0.95 or abs(positive - 0.5) < 0.06:
        return unknown
    backhand = along > 0 if positive > 0.5 else along < 0
    return np.where(np.abs(along) < 0.4, 0, np.where(backhand, 2, 1)).astype(np.int8)


@dataclass(frozen=True)
class StrokeDetector:
    """Own strokes in rallies and warm-up, with confidence and, where the rotation tells, the side."""

    name: ClassVar[str] = "strokes"
    version: ClassVar[str] = "1"
    requires: ClassVar[tuple[str, ...]] = ("swings", "segments", "likeness")
    provides: ClassVar[tuple[str, ...]] = ("strokes",)

    def detect(self, context: Context) -> Findings:
        """Keep swings that lie in play; what lies outside is practice, towel or walking."""
        from squashlib.detectors.model import WARMUP

        swings, segments, learnt = (context.groups[name] for name in ("swings", "segments", "likeness"))
        times, odds = swings["swing_time"].values, learnt["log_odds"].values.astype(np.float64)
        warm = segments["segment_kind"].values == WARMUP
        warming = in_rhythm(times, odds, segments["segment_start"].values[warm], segments["segment_stop"].values[warm])
        sure = np.maximum(learnt["in_rally"].values.astype(np.float64), warming)
        keep = sure > 0.5
        start = context.session.attrs["start_time"]
        flags = {"flag_values": [0, 1, 2], "flag_meanings": " ".join(SIDES)}
        strokes = xr.Dataset(
            {
                "stroke_time": ("stroke", times[keep], time_attrs(start, "contact")),
                "stroke_confidence": ("stroke", sure[keep].astype(np.float32), {"units": "1"}),
                "stroke_side": ("stroke", sides(context.session, times[keep]), flags),
                "stroke_strength": ("stroke", swings["swing_strength"].values[keep]),
            }
        )
        return Findings({"strokes": strokes})
