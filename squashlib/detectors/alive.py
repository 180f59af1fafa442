"""What of a recording is a measurement: a sensor that hangs sends numbers too, and they say nothing of the match."""

import numpy as np
import numpy.typing as npt
import xarray as xr

Floats = npt.NDArray[np.floating]

FEWEST = 30
#: No heart beats at one rate for so long; counted in whole beats a minute it changes every few seconds.
STUCK_S = 120.0
SENSORS = {"acceleration": "acceleration", "angular_velocity": "rotation"}


def alive(session: xr.Dataset) -> tuple[xr.Dataset, list[str]]:
    """The session without sensors that measured nothing, and a warning in words for each.

    An axis of a motion sensor that has no value is taken as still; a heart rate that hangs is missing meanwhile.
    """
    warnings = list[str]()
    for name, words in SENSORS.items():
        if name in session:
            session, told = _motion(session, name, words)
            warnings += told
    if "heart_rate" in session:
        session, told = _heart(session)
        warnings += told
    return session, warnings


def _motion(session: xr.Dataset, name: str, words: str) -> tuple[xr.Dataset, list[str]]:
    values = session[name].values
    dim = str(session[name].dims[0])
    if len(values) and not np.isnan(values.max()):
        moves = [bool(np.ptp(column[:FEWEST]) > 0 or np.ptp(column) > 0) for column in values.T]
        return (session, []) if all(moves) or sum(moves) > 1 else _without(session, dim, f"{words} never changes")
    seen = ~np.isnan(values)
    if seen.any(axis=1).sum() < FEWEST:
        return _without(session, dim, f"{words} has {int(seen.any(axis=1).sum())} values") if len(values) else (
            session.drop_dims(dim), []
        )  # fmt: skip
    dead = ~seen.any(axis=0)
    if dead.any():
        filled = np.where(dead, np.float32(0), values).astype(values.dtype)
        axes = " and ".join("xyz"[i] for i in np.flatnonzero(dead))
        session, told = _motion(session.assign({name: (session[name].dims, filled, session[name].attrs)}), name, words)
        return session, [f"{words} has no value on axis {axes}: strokes go by the others", *told]
    if sum(np.nanmax(column) > np.nanmin(column) for column in values.T) < 2:
        return _without(session, dim, f"{words} never changes")
    return session, []


def _without(session: xr.Dataset, dim: str, why: str) -> tuple[xr.Dataset, list[str]]:
    return session.drop_dims(dim), [f"{why}: it is not used"]


def _heart(session: xr.Dataset) -> tuple[xr.Dataset, list[str]]:
    times, bpm = session["hr_time"].values, session["heart_rate"].values
    seen = np.flatnonzero(~np.isnan(bpm))
    if not len(seen):
        return session, []
    edges = np.flatnonzero(np.diff(bpm[seen]) != 0) + 1
    first, last = np.append(0, edges), np.append(edges, len(seen)) - 1
    long = (times[seen[last]] - times[seen[first]] > STUCK_S) & (last - first >= FEWEST)
    if not long.any():
        return session, []
    stuck, lost_s = bpm.copy(), 0.0
    for a, b in zip(seen[first[long]], seen[last[long]], strict=True):
        stuck[a : b + 1] = np.nan
        lost_s += float(times[b] - times[a])
    session = session.assign(heart_rate=("hr_time", stuck, session["heart_rate"].attrs))
    return session, [f"heart rate stays the same for {lost_s:.0f} s, as no heart does: it is not used there"]
