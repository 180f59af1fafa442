"""Keep less of old sessions: heart rate every five seconds, then figures alone; originals by the player's choice.

What is smaller is written beside, then pointed at, then what was there goes: killed anywhere, a session is readable,
and the next night finishes.
"""

import uuid
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from store import Store
from store.tables import AnalysisRow, Report, Revision, SessionRow, Upload
from store.uploads import places

if TYPE_CHECKING:
    import xarray as xr

STEP_S = 5.0


def thinned(session: "xr.Dataset") -> "xr.Dataset":
    """Means of heart rate over each five seconds (0.2 Hz), the recording's own points, and nothing else."""
    import numpy as np

    of_clocks = {name for name in map(str, session.sizes) if name.endswith("_time")}
    if "heart_rate" not in session:
        return session.drop_dims(of_clocks)
    times, bpm = session["hr_time"].values, session["heart_rate"].values.astype(np.float64)
    seen = ~np.isnan(bpm)
    bins = np.floor(times[seen] / STEP_S).astype(np.int64)
    slots, at = np.unique(bins, return_inverse=True)
    means = (np.bincount(at, bpm[seen], len(slots)) / np.maximum(1, np.bincount(at, minlength=len(slots)))).round(1)
    # A slot's time is that of its first sample, so that no sample lies before the start or after the end.
    first = times[seen][np.unique(at, return_index=True)[1]]
    heart, clock = session["heart_rate"], session["hr_time"]
    return session.drop_dims(of_clocks).assign(
        heart_rate=("hr_time", means.astype(heart.dtype), heart.attrs), hr_time=("hr_time", first, clock.attrs)
    )


def reduce(store: Store, session_id: str) -> None:
    """Leave heart rate at 0.2 Hz of a session's newest revision, and no other revision."""
    from squashlib import session as sessions

    revision = str(store.sessions.row(session_id).revision)
    path = f"sessions/{session_id}/{revision[:16]}-{uuid.uuid4().hex[:8]}.zarr"
    sessions.write(thinned(store.sessions.revision(session_id, revision)), store.blobs.zarr(path))
    store.blobs.settle(path)
    _point_at(store, session_id, revision, path, "reduced")
    _sweep(store, f"sessions/{session_id}", path)


def summarise(store: Store, session_id: str) -> None:
    """Leave the document and the figures of a session's newest analysis: no sample, no event, no page."""
    row = store.sessions.row(session_id)
    _point_at(store, session_id, str(row.revision), "", "summary")
    with store.catalog.begin() as tx:
        tx.execute(delete(Report).where(Report.session_id == session_id))
        others = AnalysisRow.session_id == session_id, AnalysisRow.analysis_key != row.analysis_key
        tx.execute(delete(AnalysisRow).where(*others))
        kept = tx.scalar(select(AnalysisRow.path).where(AnalysisRow.session_id == session_id))
    for folder in ("sessions", "reports"):
        _sweep(store, f"{folder}/{session_id}", None)
    _sweep(store, f"analyses/{session_id}", None if kept is None else f"{kept}/analysis.json")


def remove_originals(store: Store, session_id: str) -> int:
    """Remove the bytes that devices sent for a session, except what another session shares; the rows stay."""
    with store.catalog.begin() as tx:
        mine = set(tx.scalars(select(Upload.sha256).where(Upload.session_id == session_id)))
        shared = set(tx.scalars(select(Upload.sha256).where(Upload.sha256.in_(mine), Upload.session_id != session_id)))
        there = [name for sha256 in mine - shared for name in places(sha256) if store.blobs.exists(name)]
        for name in there:
            store.blobs.delete(name)
    return len(there)


def has_originals(store: Store, session_id: str) -> bool:
    """Whether all that devices sent for a session is still there."""
    with store.catalog.look() as tx:
        hashes = set(tx.scalars(select(Upload.sha256).where(Upload.session_id == session_id)))
    return all(any(map(store.blobs.exists, places(sha256))) for sha256 in hashes)


def _point_at(store: Store, session_id: str, revision: str, path: str, resolution: str) -> None:
    with store.catalog.begin() as tx:
        row = tx.get_one(Revision, (session_id, revision))
        row.path, row.resolution = path, resolution
        tx.execute(delete(Revision).where(Revision.session_id == session_id, Revision.revision != revision))
        tx.get_one(SessionRow, session_id).revision = revision


def _sweep(store: Store, folder: str, kept: str | None) -> None:
    """Remove all of a folder but what lies at `kept`."""
    for name in list(store.blobs.list(folder)):
        if kept is None or not (name == kept or name.startswith(f"{kept}/")):
            store.blobs.delete(name)
