"""What a recording's signals are worth: gaps, saturation, stillness, faults of optical heart rate. Only flags."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from squashlib.detectors.alive import alive
from squashlib.intervals import Intervals

GAP_S = {"hr_time": 15.0, "accel_time": 1.0, "gyro_time": 1.0}
OTHER_SPORTS = ("run", "cycl", "bik", "swim", "row", "walk", "hik", "ski", "golf", "sail", "climb")


def assess(session: xr.Dataset, doubts: Sequence[str] = ()) -> dict[str, Any]:
    """The `quality` of an analysis: warnings in words, with what the detector doubts, and figures by stream."""
    warnings = [str(warning) for warning in session.attrs["warnings"]]
    figures: dict[str, Any] = {}
    session, dead = alive(session)
    warnings += dead + _sport(str(session.attrs["sport"]))
    for dim, longest in GAP_S.items():
        if session.sizes.get(dim, 0) > 1:
            gaps = Intervals.gaps(session[dim].values, longest)
            figures[dim] = {"gaps": len(gaps), "gap_s": round(gaps.total_s, 1)}
            if gaps.total_s > 0.02 * session.attrs["duration_s"]:
                what = {"hr_time": "heart rate", "accel_time": "acceleration", "gyro_time": "rotation"}[dim]
                warnings.append(f"{what} is missing for {gaps.total_s:.0f} s in {len(gaps)} gaps")
    for name in ("acceleration", "angular_velocity"):
        if name in session and session[name].size:
            figures[name] = {"saturated_share": round(_saturated(session[name].values), 5)}
            if figures[name]["saturated_share"] > 0.002:
                warnings.append(f"{name.replace('_', ' ')} reaches the sensor's limit; hard strokes are cut off")
    if "heart_rate" in session:
        warnings += _heart_faults(session)
    warnings += [f"{doubt}: this may be no match, and rallies and games no more than a guess" for doubt in doubts]
    return {"warnings": warnings, "streams": figures}


def _sport(sport: str) -> list[str]:
    kind = sport.lower()
    if not any(word in kind for word in OTHER_SPORTS):
        return []
    return [f"this was recorded as {sport}; rallies and games are only right if squash was played"]


def _saturated(values: Any) -> float:
    """Share of rows at the largest absolute value, if that value comes back too often to be chance."""
    known = np.isfinite(values.max()) or np.isfinite(values).any()
    top = max(float(np.nanmax(values)), -float(np.nanmin(values))) if known else 0.0
    hit = np.flatnonzero((values >= top * 0.9999) | (values <= -top * 0.9999)) // values.shape[1]
    rows = int((np.diff(hit, prepend=-1) > 0).sum())
    return rows / len(values) if rows > 5 else 0.0


def _heart_faults(session: xr.Dataset) -> list[str]:
    times, bpm = session["hr_time"].values, session["heart_rate"].values
    found = []
    missing = float(np.isnan(bpm).mean()) if len(bpm) else 1.0
    if missing > 0.02:
        found.append(f"heart rate dropped out for {missing:.0%} of its samples")
    seen = ~np.isnan(bpm)
    if seen.sum() > 60:
        steps = np.abs(np.diff(bpm[seen])) / np.maximum(np.diff(times[seen]), 0.5)
        if (jumps := int((steps > 15).sum())) > 3:
            found.append(
                f"heart rate jumps {jumps} times by more than 15 bpm in a second, as when a sensor locks on to steps"
            )
    return found
