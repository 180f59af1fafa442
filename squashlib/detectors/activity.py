"""How busy the wrist is second by second: several measures, and the mix of them that tells play from rest best here."""

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.detectors.motion_bins import PER_SECOND

Floats = npt.NDArray[np.float64]

RIDGE = 0.1


def measures(motion: xr.Dataset) -> tuple[Floats, Floats] | None:
    """Logs of how fast the wrist turns, how hard it is pulled, and how abruptly both change, standardised.

    `motion` is what `motion_bins.binned` made. By second (T, M) and by bin of 0.2 s (5 T, M); NaN where nothing was
    measured, None without motion. Abruptness tells footwork from walking better than size does.
    """
    total, count = motion["motion_sum"].values.astype(np.float64), motion["motion_count"].values.astype(np.float64)
    if not total.shape[1]:
        return None
    whole = [x.reshape(-1, PER_SECOND, x.shape[1]).sum(axis=1) for x in (total, count)]
    tables = log_means(*whole), log_means(total, count)
    return None if np.isnan(tables[0]).all() else tables


def log_means(total: Floats, count: Floats) -> Floats:
    """Standardised logs of means, rows with any missing one all NaN; (n, M)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        table = np.where(count > 0, np.log(total / count + 1e-3), np.nan)
    seen = ~np.isnan(table).any(axis=1)
    table[~seen] = np.nan
    if seen.any():
        table = (table - np.median(table[seen], axis=0)) / np.maximum(table[seen].std(axis=0), 1e-3)
    return np.asarray(table)


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
