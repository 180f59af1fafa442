"""Real tennis at 100 Hz: two players' recordings with a stroke label per sample, stitched from many snippets.

Labels say which samples belong to strokes, not how many strokes they are. Some runs go on for two to four seconds and
hold two full swings, two seconds apart: in a run longer than `SEVERAL_S` one stroke must be found, and more count
neither way. Counted as false they cost 2.5 points of F1.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

import squashlib
from squashlib.session import build

RECORDINGS = Path("../shared/data/tennis_wrist_100hz")
GRAVITY = 9.80665
GAP_S = 0.5
SHORTEST_RUN_S = 0.3
WITHIN_S = 0.25
SEVERAL_S = 2.0


def tennis_strokes() -> dict[str, Any]:
    """Pooled F1 of strokes, as a row of the table; the interval is the range over the players (two are too few)."""
    counts = np.array([_counts(pd.read_csv(path)) for path in sorted(RECORDINGS.glob("*.csv.gz"))])
    each = 2 * counts[:, 0] / (counts[:, 1] + counts[:, 2])
    matched, there, found = counts.sum(axis=0)
    figure = {
        "value": round(float(2 * matched / (there + found)), 4),
        "low": float(each.min()),
        "high": float(each.max()),
    }
    return {"sessions": len(counts), "stroke_f1_within_0.25_s": figure, "strokes": int(there), "found": int(found)}


def _counts(table: pd.DataFrame) -> tuple[int, int, int]:
    """Matched, labelled, found, of all pieces between backward steps of the clock (gaps stay gaps)."""
    seconds = (table["time"] - table["time"].iloc[0]).to_numpy() / 1e9
    steps = np.diff(seconds)
    pieces = np.split(np.arange(len(table)), np.flatnonzero(steps <= 0) + 1)
    total = np.zeros(3, int)
    for piece in pieces:
        part = table.iloc[piece]
        times = seconds[piece] - seconds[piece[0]]
        runs = labelled_runs(times, part["shot"].to_numpy())
        strokes = squashlib.analyse(_session(times, part)).strokes["stroke_time"].values
        total += matched(runs, strokes), len(runs), len(strokes) - repeated(runs, strokes)
    return int(total[0]), int(total[1]), int(total[2])


def labelled_runs(times: np.ndarray, shot: np.ndarray) -> np.ndarray:
    """Start and stop (s) of runs of one stroke label without a gap, of at least 0.3 s, shape (k, 2)."""
    cuts = np.flatnonzero((np.diff(shot) != 0) | (np.diff(times) > GAP_S)) + 1
    runs = [(times[r[0]], times[r[-1]]) for r in np.split(np.arange(len(times)), cuts) if shot[r[0]] > 0]
    return np.array([run for run in runs if run[1] - run[0] >= SHORTEST_RUN_S]).reshape(-1, 2)


def repeated(runs: np.ndarray, strokes: np.ndarray) -> int:
    """How many strokes lie in a long run beside its first."""
    long = runs[runs[:, 1] - runs[:, 0] > SEVERAL_S]
    inside = (strokes >= long[:, :1]) & (strokes <= long[:, 1:])
    return int(np.maximum(inside.sum(axis=1) - 1, 0).sum())


def matched(runs: np.ndarray, strokes: np.ndarray) -> int:
    """How many runs and strokes can be paired, a stroke within 0.25 s of its run."""
    allowed = (strokes >= runs[:, :1] - WITHIN_S) & (strokes <= runs[:, 1:] + WITHIN_S)
    return int((maximum_bipartite_matching(csr_array(allowed.astype(np.int8))) >= 0).sum()) if allowed.size else 0


def _session(times: np.ndarray, part: pd.DataFrame) -> xr.Dataset:
    axes = "XYZ"
    felt = sum(part[[f"{kind}{a}" for a in axes]].to_numpy() for kind in ("acceleration", "gravity")) * GRAVITY
    turn = part[[f"rotationRate{a}" for a in axes]].to_numpy()
    streams = {
        "accel_time": (times, {"acceleration": felt}),
        "gyro_time": (times, {"angular_velocity": turn}),
    }
    start = datetime(2024, 3, 14, tzinfo=UTC)
    duration = float(times[-1]) if len(times) else 0.0
    return build(streams, start_time=start, duration_s=duration, sport="tennis", watch_position="playing_hand")
