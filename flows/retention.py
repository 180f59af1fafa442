"""How long samples are kept: in full for three months, thinned until two years, then a summary.

Full resolution holds raw motion; afterwards derived stores hold heart rate at 0.2 Hz and none. What devices sent is
kept, or removed when full resolution ends, as the player chose (`User.keep_originals`). Time runs from the match, or
from what was sent last of it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, select

from flows.work import beating
from store import Store, jobs
from store.reduction import reduce, remove_originals, summarise
from store.tables import Job, Revision, SessionRow, Upload, User, now

FULL = timedelta(days=92)
REDUCED = timedelta(days=731)
NIGHTS = timedelta(days=2)


def retain(store: Store, moment: datetime | None = None) -> dict[str, int]:
    """Thin what is older than three months, summarise what is older than two years; counts of each."""
    moment = moment or now()
    of_row = (Revision.session_id == SessionRow.session_id) & (Revision.revision == SessionRow.revision)
    query = select(SessionRow.session_id, User.keep_originals).join(Revision, of_row)
    query = query.join(User, User.user_id == SessionRow.user_id)
    old = _since(moment - REDUCED)
    with store.catalog.look() as tx:
        summary = [one for one, _ in tx.execute(query.where(old, Revision.resolution != "summary"))]
        young = _since(moment - FULL), ~old, Revision.resolution == "full"
        thin = [one for one, _ in tx.execute(query.where(*young))]
        past = _since(moment - FULL), ~User.keep_originals
        unwanted = [one for one, _ in tx.execute(query.where(*past))]
    return {
        "summarised": sum(_held(store, one, summarise) for one in summary),
        "thinned": sum(_held(store, one, reduce) for one in thin),
        "originals_removed": sum(remove_originals(store, one) > 0 for one in unwanted),
    }


def _since(moment: datetime) -> ColumnElement[bool]:
    """Of sessions that were played before a moment and got nothing since: an old match may be sent today."""
    sent = exists().where(Upload.session_id == SessionRow.session_id, Upload.received_at >= moment)
    return and_(SessionRow.start_time < moment, ~sent)


def clear(store: Store, moment: datetime | None = None) -> dict[str, int]:
    """Remove what killed workers left half-written, of sessions that were worked on since the night before last."""
    since = (moment or now()) - NIGHTS
    with store.catalog.look() as tx:
        touched = set(tx.scalars(select(Job.session_id).where(Job.updated_at >= since, Job.session_id.is_not(None))))
    return {"sessions": sum(_held(store, str(one), remove_leftovers) for one in touched)}


def remove_leftovers(store: Store, session_id: str) -> None:
    """Remove folders of a session that no row names; only under its lock, when nobody writes."""
    from store.sessions import paths_of

    named = paths_of(store.catalog, session_id)
    for folder in ("sessions", "analyses"):
        for name in list(store.blobs.list(f"{folder}/{session_id}")):
            if not any(name.startswith(f"{path}/") for path in named):
                store.blobs.delete(name)


def _held(store: Store, session_id: str, work: Callable[[Store, str], None]) -> bool:
    """Do it under the session's lock; False if somebody is at work there, and it is done another night."""
    who, name = jobs.holder(), f"session:{session_id}"
    if not jobs.lock(store.catalog, name, who):
        return False
    with beating(store, name, who):
        work(store, session_id)
    return True
