"""How busy the wrist is second by second: several measures, and the mix of them that tells play from rest best here."""

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.detectors.swings import pulling, turning

Floats = npt.NDArray[np.float64]

RIDGE = 0.1


def measures(session: xr.Dataset, bins: int, bin_s: float = 1.0) -> Floats | None:
    """Logs of how fast the wrist turns, how hard it is pulled, and how abruptly both change; (bins, M), standardised.

    None without motion; NaN in bins without data. Abruptness tells footwork from walking better than size does.
    """
    from squashlib.kernels.shapes import jolts

    columns = []
    for sensor, dim, variable in ((turning, "gyro_time", "angular_velocity"), (pulling, "accel_time", "acceleration")):
        times, envelope = sensor(session)
        if len(times):
            columns.append(log_mean(times / bin_s, envelope, bins))
            columns.append(log_mean(session[dim].values / bin_s, np.sqrt(jolts(session[variable].values)), bins))
    if not columns:
        return None
    table = np.column_stack(columns)
    table[np.isnan(table).any(axis=1)] = np.nan
    if np.isnan(table).all():
        return None
    return np.asarray((table - np.nanmedian(table, axis=0)) / np.maximum(np.nanstd(table, axis=0), 1e-3))


def log_mean(times: Floats, envelope: Floats, bins: int) -> Floats:
    """Log of the mean envelope in each bin of length 1, NaN where nothing was measured; (bins,)."""
    at = np.clip(times.astype(np.int64), 0, bins - 1)
    count = np.bincount(at, minlength=bins)
    total = np.bincount(at, envelope, bins)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(count > 0, np.log(total / count + 1e-3), np.nan))


def mixed(table: Floats, play: npt.NDArray[np.bool_], rest: npt.NDArray[np.bool_]) -> Floats:
    """The mix of measures that tells play from rest best (Fisher's discriminant), in spreads within a kind; (T,).

    Before anything is known (no second of one kind) it is their mean.
    """
    seen = ~np.isnan(table[:, 0])
    play, rest = play & seen, rest & seen
    if min(play.sum(), rest.sum()) < 60:
        return np.asarray(table.mean(axis=1))
    gap = table[play].mean(axis=0) - table[rest].mean(axis=0)
    within = (np.cov(table[play].T) + np.cov(table[rest].T)) / 2
    within = np.atleast_2d(within)
    weights = np.linalg.solve(within + RIDGE * np.diag(np.diag(within)), gap)
    weights = np.maximum(weights, 0.0) + 1e-9  # play is never the calmer of the two
    return np.asarray(table @ weights / np.sqrt(weights @ within @ weights))
