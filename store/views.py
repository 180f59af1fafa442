"""What one page view shows, written into a folder of its own: all that its kernel will ever see."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from squashlib.errors import NotFoundError
from squashlib.moments import iso
from store import Store, StoredAnalysis
from store.tables import AnalysisRow, Grant, Revision, SessionRow, User

#: Arrays of raw motion, by far the largest part of a session.
MOTION = ("acceleration/", "accel_time/", "angular_velocity/", "gyro_time/")


def write_session(store: Store, session_id: str, folder: Path) -> None:
    """One session as `squashlib.report.load` reads it, and `about.json`; bytes are copied as they lie in the store.

    Raises
    ------
    NotFoundError
        While the session has no analysis, or when it is so old that its samples are gone.
    """
    stored = store.sessions.analysis(session_id)
    row = store.sessions.row(session_id)
    with store.catalog.look() as tx:
        user = tx.get_one(User, row.user_id)
        others = [one for one in _played(tx, row.user_id) if one["session_id"] != session_id]
    _copy_session(store, stored, folder)
    about = {"opponent": row.opponent_name, "location": row.location, "timezone": user.timezone, "others": others}
    _write(folder / "about.json", about)


def write_report(store: Store, stored: StoredAnalysis, folder: Path) -> None:
    """The session of an analysis as `squashlib.report.load` reads it, without raw motion, of which a page shows none.

    Raises
    ------
    NotFoundError
        When it is so old that its samples are gone.
    """
    _copy_session(store, stored, folder, leave_out=MOTION)


def _copy_session(store: Store, stored: StoredAnalysis, folder: Path, leave_out: tuple[str, ...] = ()) -> None:
    with store.catalog.look() as tx:
        revision = tx.get_one(Revision, (stored.session_id, stored.revision))
    if revision.resolution == "summary":
        old = f"session '{stored.session_id}' is older than two years"
        raise NotFoundError(f"{old}; its figures are kept, its samples not")
    _copy(store, revision.path, folder / "session.zarr", leave_out)
    store.sessions.copy_events(stored, folder / "session.zarr")
    _write(folder / "analysis.json", stored.document)


def write_trends(store: Store, user_id: str, folder: Path) -> None:
    """`player.json`: a player's name, time zone and sessions' figures."""
    with store.catalog.look() as tx:
        _write(folder / "player.json", _player(tx, tx.get_one(User, user_id)))


def write_coach(store: Store, coach_id: str, folder: Path) -> None:
    """`players.json`: the players who let this coach look."""
    query = select(User).join(Grant, Grant.player_id == User.user_id).where(Grant.coach_id == coach_id)
    with store.catalog.look() as tx:
        _write(folder / "players.json", [_player(tx, user) for user in tx.scalars(query.order_by(User.full_name))])


def _player(tx: Session, user: User) -> dict[str, Any]:
    name = user.full_name or user.email.partition("@")[0]
    return {"name": name, "timezone": user.timezone, "sessions": _played(tx, user.user_id)}


def _played(tx: Session, user_id: str) -> list[dict[str, Any]]:
    """A player's sessions with the figures of their newest analyses, oldest first."""
    same = (AnalysisRow.session_id == SessionRow.session_id) & (AnalysisRow.analysis_key == SessionRow.analysis_key)
    query = select(SessionRow, AnalysisRow.summary).join(AnalysisRow, same)
    query = query.where(SessionRow.user_id == user_id, SessionRow.deleted_at.is_(None), SessionRow.linked_to.is_(None))
    return [
        {
            "session_id": row.session_id,
            "start": iso(row.start_time),
            "opponent": row.opponent_name,
            "games_me": row.final_score_me,
            "games_opponent": row.final_score_opponent,
            "summary": summary,
        }
        for row, summary in tx.execute(query.order_by(SessionRow.start_time))
    ]


def _copy(store: Store, prefix: str, target: Path, leave_out: tuple[str, ...]) -> None:
    for name in store.blobs.list(prefix):
        if name.removeprefix(prefix).lstrip("/").startswith(leave_out):
            continue
        inner = target / name.removeprefix(prefix).lstrip("/")
        inner.parent.mkdir(parents=True, exist_ok=True)
        inner.write_bytes(store.blobs.get(name))


def _write(path: Path, document: dict[str, Any] | Sequence[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, allow_nan=False))
