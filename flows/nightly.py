"""Once a day: forget what has expired, thin what is old, set orphans aside, complete statistics, back up, rerun."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update

from flows import canary
from flows.orphans import sweep
from flows.rerun import recompute
from flows.retention import clear, retain
from flows.stale import stale_sessions
from store import Store, jobs
from store.backup import backup
from store.sessions import FIGURES, summary_of
from store.tables import AnalysisRow, DeviceCode, IdempotencyKey, Job, RefreshToken, SessionEvent, SessionRow, now

KEYS_KEPT = timedelta(days=7)
EVENTS_KEPT = timedelta(days=30)
AT_HOUR_UTC = 3


def due(store: Store, moment: datetime) -> bool:
    """Whether tonight's work is still to be done."""
    if moment.hour < AT_HOUR_UTC:
        return False
    with store.catalog.look() as tx:
        return tx.get(Job, _job_id(moment)) is None


def run(store: Store, moment: datetime | None = None) -> dict[str, Any]:
    """Do the night's work and note that it is done; killed half-way it is done again, which changes nothing.

    Returns
    -------
    dict
        What each step did, or what it failed with: one step's failure does not keep the others from being done.
    """
    moment = moment or now()
    steps: dict[str, Callable[[Store, datetime], Any]] = {
        "forget": forget,
        "retention": retain,
        "leftovers": clear,
        "orphans": sweep,
        "statistics": statistics,
        "backup": backup,
        "rerun": lambda store, _: rerun(store),
    }
    done: dict[str, Any] = {}
    for name, step in steps.items():
        try:
            done[name] = step(store, moment)
        except Exception as error:  # noqa: BLE001 - a full disk must not keep expired keys
            done[name] = f"failed: {type(error).__name__}: {error}"
    failures = "; ".join(f"{name} {what}" for name, what in done.items() if str(what).startswith("failed"))
    with store.catalog.begin() as tx:
        status = "failed" if failures else "completed"
        tx.merge(Job(job_id=_job_id(moment), kind="nightly", status=status, stage="done", error=failures or None))
    return done


def _job_id(moment: datetime) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"squash-nightly:{moment.date()}"))


def forget(store: Store, moment: datetime) -> dict[str, int]:
    """Remove expired idempotency keys, tokens, pairing codes and replayed events; counts of each."""
    expired = {
        "idempotency_keys": delete(IdempotencyKey).where(IdempotencyKey.created_at < moment - KEYS_KEPT),
        "refresh_tokens": delete(RefreshToken).where(RefreshToken.expires_at < moment),
        "device_codes": delete(DeviceCode).where(DeviceCode.expires_at < moment),
        "events": delete(SessionEvent).where(SessionEvent.created_at < moment - EVENTS_KEPT),
    }
    with store.catalog.begin() as tx:
        return {name: int(tx.execute(query).rowcount) for name, query in expired.items()}  # type: ignore[attr-defined]


def statistics(store: Store, _: datetime) -> dict[str, int]:
    """Bring the figures that players' statistics are made of to today's set, from analyses as they are stored.

    Statistics and trends are added up when they are asked for; an analysis of before a figure was thought of lacks it.
    """
    current = (AnalysisRow.session_id == SessionRow.session_id) & (AnalysisRow.analysis_key == SessionRow.analysis_key)
    columns = AnalysisRow.session_id, AnalysisRow.analysis_key, AnalysisRow.path, AnalysisRow.summary
    query = select(*columns, SessionRow.user_id).join(SessionRow, current)
    lacking = []
    with store.catalog.look() as tx:
        for one in tx.execute(query.execution_options(yield_per=1000)):
            if set(one.summary) != set(FIGURES):
                lacking.append((one.session_id, one.analysis_key, one.path, one.user_id))
    for session_id, key, path, _user in lacking:
        figures = summary_of(store.sessions.document(path))
        with store.catalog.begin() as tx:
            row = AnalysisRow.session_id == session_id, AnalysisRow.analysis_key == key
            tx.execute(update(AnalysisRow).where(*row).values(summary=figures))
    return {"sessions": len(lacking), "players": len({user for *_, user in lacking})}


def rerun(store: Store) -> dict[str, int]:
    """Recompute what changed code made stale, unless it does worse on labelled sessions."""
    stale = stale_sessions(store)
    canary.check(store, stale)
    failed = sum(error is not None for _, error in recompute(store, stale)) if stale else 0
    return {"stale": len(stale), "failed": failed}


def run_if_due(store: Store, work: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """Do tonight's work, unless it is done or another worker is at it."""
    from flows.work import beating

    moment, who, name = now(), jobs.holder(), "nightly"
    if not due(store, moment) or not jobs.lock(store.catalog, name, who):
        return None
    with beating(store, name, who):
        return work() if due(store, moment) else None
