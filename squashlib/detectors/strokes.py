"""Strokes: swings in a context where balls are hit."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.detectors.framework import Context, Findings
from squashlib.schema import time_attrs

Floats = npt.NDArray[np.float64]

OWN_INTERVAL_S = 2.9  # between own strokes in play, labelled video (SD between players about a tenth)
RATE_SPREAD = 0.10
BLUR = 0.12  # of log strength, over which a swing goes from hardly to surely a stroke
SIDES = ("unknown", "forehand", "backhand")


def strokes_within(swings: xr.Dataset, starts: Floats, stops: Floats) -> Floats:
    """Number of strokes in each span, (k,)."""
    times, sure = swings["swing_time"].values, stroke_probability(swings, starts, stops)
    hits = times[sure > 0.5]
    return (np.searchsorted(hits, stops) - np.searchsorted(hits, starts - 0.2)).astype(np.float64)


def stroke_probability(swings: xr.Dataset, starts: Floats, stops: Floats) -> Floats:
    """How likely each swing is a stroke, if it lies in play; play is the given spans, (k,).

    Strong swings are, weak ones are not. The border is this session's own: in play a stroke comes every 2.9 s, and near
    the border that this implies swings are rarest where strokes end and other movements begin.
    """
    times, strength = swings["swing_time"].values, swings["swing_strength"].values
    x = np.log(np.maximum(strength, 1e-6)).astype(np.float64)
    held = np.sort(x[_inside(times, starts - 0.2, stops)])[::-1]
    if len(held) < 5:
        return np.asarray(swings["swing_probability"].values, np.float64)
    expected = max(1.0, float(np.maximum(stops - starts - 1.0, 0.5).sum()) / OWN_INTERVAL_S)
    borders = np.linspace(held[-1], held[min(2, len(held) - 1)], 60)
    above = len(held) - np.searchsorted(held[::-1], borders)
    density = np.exp(-0.5 * ((held[None, :] - borders[:, None]) / BLUR) ** 2).sum(axis=1) + 1.0
    cost = np.log(density) + 0.5 * (np.log(np.maximum(above, 1) / expected) / RATE_SPREAD) ** 2
    return np.asarray(1 / (1 + np.exp(-np.clip((x - borders[int(cost.argmin())]) / (0.5 * BLUR), -30, 30))))


def sides(session: xr.Dataset, times: Floats) -> npt.NDArray[np.int8]:
    """Forehand and backhand turn the wrist opposite ways: the sign of the main rotation, if two clear kinds are there.

    Which of the two is the backhand follows from its share (backhands are nearly two thirds of labelled strokes); when
    the shares are too even to say, all are unknown.
    """
    unknown = np.zeros(len(times), np.int8)
    if session.sizes.get("gyro_time", 0) < 10 or len(times) < 30:
        return unknown
    clock, w = session["gyro_time"].values, np.nan_to_num(session["angular_velocity"].values)
    at = np.clip(np.searchsorted(clock, times), 0, len(clock) - 1)
    vectors = w[at].astype(np.float64)
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
    requires: ClassVar[tuple[str, ...]] = ("swings", "segments", "rallies")
    provides: ClassVar[tuple[str, ...]] = ("strokes",)

    def detect(self, context: Context) -> Findings:
        """Keep swings that lie in play; what lies outside is practice, towel or walking."""
        from squashlib.detectors.model import WARMUP

        swings, rallies, segments = (context.groups[name] for name in ("swings", "rallies", "segments"))
        times = swings["swing_time"].values
        p = stroke_probability(swings, rallies["rally_start"].values, rallies["rally_stop"].values)
        playing = _inside(times, rallies["rally_start"].values - 0.2, rallies["rally_stop"].values)
        warm = segments.isel(segment=segments["segment_kind"].values == WARMUP)
        warming = _inside(times, warm["segment_start"].values, warm["segment_stop"].values)
        sure = np.where(playing | warming, p, 0.0)
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


def _inside(times: Floats, starts: Floats, stops: Floats) -> npt.NDArray[np.bool_]:
    order = np.argsort(starts)
    where = np.searchsorted(starts[order], times, side="right") - 1
    if not len(starts):
        return np.zeros(len(times), bool)
    return np.asarray((where >= 0) & (times < stops[order][where]))
