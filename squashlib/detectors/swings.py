"""Swings of the wrist: an envelope, and its peaks; what of them are strokes is for the context to say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.detectors.framework import Context, Findings
from squashlib.detectors.likeness import LOOKS
from squashlib.detectors.motion_bins import binned
from squashlib.schema import time_attrs

Floats = npt.NDArray[np.float64]

APART_S = 0.5  # own strokes are hardly ever closer than 0.85 s, but movements beside them are
ALONG_QUANTILE = 0.75
NOTHING = (np.empty(0), np.empty(0), np.empty(0))
GAP_S, SHORTEST_S = 0.25, 0.3
LEAST = (0.6, 0.5)  # m/s², rad/s with a gyroscope: a free arm's softest strokes lie above, the noise of sensors below


def swing_envelope(session: xr.Dataset) -> tuple[Floats, Floats]:
    """How fast the wrist turns, or without a gyroscope how hard it is pulled.

    Returns
    -------
    times, envelope
        Each (n,): seconds since the start, and rad/s (m/s² without a gyroscope), smoothed over about 0.12 s; empty
        without motion.
    """
    if session.sizes.get("gyro_time", 0) > 10:
        return turning(session)
    return pulling(session)


def turning(session: xr.Dataset) -> tuple[Floats, Floats]:
    """How fast the wrist turns, rad/s."""
    return _smoothed(session, "gyro_time", "angular_velocity", 0.0)


def pulling(session: xr.Dataset) -> tuple[Floats, Floats]:
    """How hard the wrist is pulled beside gravity, m/s²."""
    return _smoothed(session, "accel_time", "acceleration", 0.5)


def _smoothed(session: xr.Dataset, dim: str, variable: str, lead_s: float) -> tuple[Floats, Floats]:
    """Length of a vector less its mean over `2 lead_s`, smoothed over about 0.12 s; empty without the sensor."""
    from squashlib.kernels.peaks import magnitude

    if session.sizes.get(dim, 0) <= 10:
        return np.empty(0), np.empty(0)
    times = session[dim].values
    step_s = float(np.median(np.diff(times)))
    return times, magnitude(session[variable].values, round(lead_s / step_s), round(0.06 / step_s))


def sensed(session: xr.Dataset) -> dict[str, tuple[Floats, Floats, Floats]]:
    """Of each motion sensor that is there times (s), envelope and steps from sample to sample, (n,); the first tells.

    Named by variable; the first is the one of `swing_envelope`.
    """
    from squashlib.kernels.shapes import jolts

    found = {}
    for name, sense in (("angular_velocity", turning), ("acceleration", pulling)):
        times, envelope = sense(session)
        if len(times):
            found[name] = times, envelope, jolts(session[name].values)
    return found


def pick_swings(times: Floats, envelope: Floats, least: float = 0.0) -> npt.NDArray[np.int64]:
    """Peaks of the envelope above its median, and `least`, that nothing within half a second exceeds: indices, (k,).

    A swing lasts about 0.3 s; a peak in a shorter piece between gaps is not seen whole and is none.
    """
    from squashlib.kernels.peaks import pick_peaks

    if len(envelope) < 10 or not np.ptp(envelope) > 0:
        return np.empty(0, np.int64)
    at = pick_peaks(times, envelope, APART_S, max(least, float(np.quantile(envelope, 0.5))))
    cuts = np.flatnonzero(np.diff(times) > GAP_S)
    first, last = times[np.append(0, cuts + 1)], times[np.append(cuts, len(times) - 1)]
    piece = np.searchsorted(first, times[at], side="right") - 1
    return np.asarray(at[last[piece] - first[piece] >= SHORTEST_S])


def swing_looks(
    session: xr.Dataset, felt: Mapping[str, tuple[Floats, Floats, Floats]], at: npt.NDArray[np.int64]
) -> Floats:
    """What `likeness.LOOKS` names of each peak, (k, F); logs where sizes are meant, 0 where a sensor is missing.

    `felt` is what `sensed` gives, `at` indexes the envelope of the first sensor.
    """
    from squashlib.kernels import shapes

    times, envelope, _ = next(iter(felt.values()), NOTHING)
    centres, strength = times[at], envelope[at]
    looks = dict.fromkeys(LOOKS, np.zeros(len(at)))
    looks["strength"] = np.log(strength + 1e-6)
    looks["width"] = np.log(shapes.half_widths(times, envelope, at, 0.6) + 0.02)
    looks["before"] = np.log(shapes.largest_near(times, envelope, centres, -0.7, -0.3) / strength + 0.02)
    looks["after"] = np.log(shapes.largest_near(times, envelope, centres, 0.25, 0.6) / strength + 0.02)
    if "acceleration" in felt:
        clock, pull, jolt = felt["acceleration"]
        looks["jolt"] = np.log(shapes.largest_near(clock, jolt, centres, -0.08, 0.08) + 0.1)
        if len(felt) > 1:
            looks["pull"] = np.log(shapes.largest_near(clock, pull, centres, -0.15, 0.15) + 0.1)
    if "angular_velocity" in felt and len(at):
        axes, looks["straight"] = shapes.directions(times, session["angular_velocity"].values, centres, 0.12)
        strong = axes[strength >= np.quantile(strength, ALONG_QUANTILE)]
        looks["along"] = np.abs(axes @ np.linalg.eigh(strong.T @ strong)[1][:, -1])
    return np.column_stack(list(looks.values()))


@dataclass(frozen=True)
class SwingDetector:
    """Peaks of the swing envelope: times, strength and looks; and motion by fifths of a second."""

    name: ClassVar[str] = "swings"
    version: ClassVar[str] = "1"
    requires: ClassVar[tuple[str, ...]] = ()
    provides: ClassVar[tuple[str, ...]] = ("swings", "motion")

    def detect(self, context: Context) -> Findings:
        """Look at gyroscope or acceleration; no motion gives no swings."""
        felt = sensed(context.session)
        times, envelope, _ = next(iter(felt.values()), NOTHING)
        at = pick_swings(times, envelope, LEAST["angular_velocity" in felt])
        start = context.session.attrs["start_time"]
        looks = swing_looks(context.session, felt, at)
        swings = xr.Dataset(
            {
                "swing_time": ("swing", times[at], time_attrs(start, "time of a swing")),
                "swing_strength": ("swing", envelope[at].astype(np.float32), {"long_name": "peak of the envelope"}),
                "swing_looks": (("swing", "look"), looks.astype(np.float32), {"looks": " ".join(LOOKS)}),
            }
        )
        motion = binned(felt.values(), context.session.attrs["duration_s"])
        return Findings({"swings": swings, "motion": motion})
