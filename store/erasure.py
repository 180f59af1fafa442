"""Erase for good: rows, recordings, results and pages."""

from sqlalchemy import delete, select, update

from store import Store, partial
from store.tables import IdempotencyKey, SessionRow, Upload, User
from store.uploads import hold_bytes, places


def erase_session(store: Store, session_id: str) -> None:
    """Remove a session and all that was made of it; bytes that another session shares stay.

    Bytes go before the rows that name them, in one write transaction: killed in the middle, the rows still say what is
    left to erase; and nobody journals the same bytes meanwhile (`Uploads.journal` waits, then looks for them).
    """
    with store.catalog.begin() as tx:
        tx.scalar(select(SessionRow.session_id).where(SessionRow.session_id == session_id).with_for_update())
        hashes = set(tx.scalars(select(Upload.sha256).where(Upload.session_id == session_id)))
        hold_bytes(tx, hashes)
        others = select(Upload.sha256).where(Upload.sha256.in_(hashes), Upload.session_id != session_id)
        for sha256 in hashes - set(tx.scalars(others)):
            for name in places(sha256):
                store.blobs.delete(name)
        for folder in ("sessions", "analyses", "reports"):
            store.blobs.delete(f"{folder}/{session_id}")
        tx.execute(update(SessionRow).where(SessionRow.linked_to == session_id).values(linked_to=None))
        tx.execute(delete(SessionRow).where(SessionRow.session_id == session_id))
    partial.erase(store.settings.home, session_id=session_id)


def erase_user(store: Store, user_id: str) -> None:
    """Remove a person, their sessions and their logins."""
    with store.catalog.look() as tx:
        sessions = list(tx.scalars(select(SessionRow.session_id).where(SessionRow.user_id == user_id)))
    for session_id in sessions:
        erase_session(store, session_id)
    with store.catalog.begin() as tx:
        tx.execute(delete(IdempotencyKey).where(IdempotencyKey.user_id == user_id))  # answers hold what was theirs
        tx.execute(delete(User).where(User.user_id == user_id))
    partial.erase(store.settings.home, user_id=user_id)
