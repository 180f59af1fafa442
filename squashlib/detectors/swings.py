"""Swings of the wrist: an envelope, and its peaks; what of them are strokes is for the context to say."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.detectors.framework import Context, Findings
from squashlib.schema import time_attrs

Floats = npt.NDArray[np.float64]

APART_S = 0.85  # own strokes are hardly ever closer: 1.5 % of 538 labelled ones were below 1.1 s


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
    clean = np.nan_to_num(session[variable].values, nan=0.0)
    return times, magnitude(clean, round(lead_s / step_s), round(0.06 / step_s))


def pick_swings(times: Floats, envelope: Floats) -> tuple[Floats, Floats, Floats]:
    """Peaks of the envelope that stand out of this session's background.

    Two kinds of peaks are told apart by a mixture of two lognormal laws, fitted to this session, since players differ
    by a factor of four.

    Returns
    -------
    times, strength, probability
        Each (k,): seconds, the envelope's unit, and how likely the peak is of the strong kind.
    """
    from squashlib.kernels.peaks import pick_peaks

    if len(envelope) < 10 or not np.ptp(envelope) > 0:
        return np.empty(0), np.empty(0), np.empty(0)
    at = pick_peaks(times, envelope, APART_S, float(np.quantile(envelope, 0.5)))
    strength = envelope[at]
    probability = strong_kind(np.log(strength))
    return times[at], strength, probability


def strong_kind(x: Floats) -> Floats:
    """Probability of the upper of two normal laws with one spread each, by expectation-maximisation; (n,)."""
    if len(x) < 8:
        return np.zeros(len(x))
    low, high = float(np.quantile(x, 0.3)), float(np.quantile(x, 0.95))
    spread_low = spread_high = max(float(x.std()) / 2, 1e-3)
    share = 0.3
    p = np.zeros(len(x))
    for _ in range(40):
        a = np.log(share) - np.log(spread_high) - 0.5 * ((x - high) / spread_high) ** 2
        b = np.log(1 - share) - np.log(spread_low) - 0.5 * ((x - low) / spread_low) ** 2
        p = 1 / (1 + np.exp(np.clip(b - a, -60, 60)))
        share = float(np.clip(p.mean(), 0.02, 0.9))
        high, low = float((p * x).sum() / p.sum()), float(((1 - p) * x).sum() / max((1 - p).sum(), 1e-9))
        spread_high = max(float(np.sqrt((p * (x - high) ** 2).sum() / p.sum())), 0.12)
        spread_low = max(float(np.sqrt(((1 - p) * (x - low) ** 2).sum() / max((1 - p).sum(), 1e-9))), 0.12)
    if high - low < 0.5 * (spread_high + spread_low):
        return np.zeros(len(x))  # one kind only
    p[x > high] = np.maximum.accumulate(p[np.argsort(x)])[np.argsort(np.argsort(x))][x > high]
    return np.asarray(np.where(x < low, 0.0, p))


@dataclass(frozen=True)
class SwingDetector:
    """Peaks of the swing envelope: times, strength and how strong-kind each is."""

    name: ClassVar[str] = "swings"
    version: ClassVar[str] = "1"
    requires: ClassVar[tuple[str, ...]] = ()
    provides: ClassVar[tuple[str, ...]] = ("swings",)

    def detect(self, context: Context) -> Findings:
        """Look at gyroscope or acceleration; no motion gives no swings."""
        times, strength, probability = pick_swings(*swing_envelope(context.session))
        start = context.session.attrs["start_time"]
        swings = xr.Dataset(
            {
                "swing_time": ("swing", times, time_attrs(start, "time of a swing")),
                "swing_strength": ("swing", strength.astype(np.float32), {"long_name": "peak of the envelope"}),
                "swing_probability": ("swing", probability.astype(np.float32), {"units": "1"}),
            }
        )
        return Findings({"swings": swings})
