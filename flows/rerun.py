"""Bring stored results up to date with the code: say what is stale and why, recompute just that."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context

from sqlalchemy import select

from flows.process import make_analysis, make_report
from squashlib.errors import SquashError
from squashlib.fingerprint import detector_fingerprint
from store import Settings, Store, jobs
from store.tables import AnalysisRow, Equivalence, SessionRow

CHUNK = 16
SAMPLE = 5


@dataclass(frozen=True)
class Stale:
    """A session whose analysis other code made, and the detectors that changed."""

    session_id: str
    revision: str
    reasons: tuple[str, ...]


def current() -> dict[str, str]:
    """Fingerprint of each detector now."""
    from squashlib.analysis import default_framework

    return {detector.name: detector_fingerprint(detector) for detector in default_framework().ordered()}


def stale_sessions(store: Store) -> list[Stale]:
    """Stale sessions, newest first; fingerprints that were shown to be equivalent count as the same."""
    prints = current()
    with store.catalog.begin() as tx:
        same = {(row.detector, row.fingerprint): row.same_as for row in tx.scalars(select(Equivalence))}
        query = select(AnalysisRow, SessionRow).join(SessionRow, SessionRow.analysis_key == AnalysisRow.analysis_key)
        rows = list(tx.execute(query.where(SessionRow.deleted_at.is_(None)).order_by(SessionRow.start_time.desc())))
    found = []
    for analysis, session in rows:
        reasons = _reasons(prints, analysis.fingerprints, same)
        if reasons and session.revision is not None:
            found.append(Stale(session.session_id, session.revision, reasons))
    return found


def _reasons(now: dict[str, str], then: dict[str, str], same: dict[tuple[str, str], str]) -> tuple[str, ...]:
    changed = [
        name
        for name, print_now in now.items()
        if then.get(name) != print_now and then.get(name) != same.get((name, print_now))
    ]
    return tuple(f"detector '{name}' changed" if name in then else f"detector '{name}' is new" for name in changed)


def recompute(store: Store, stale: list[Stale], workers: int = 2) -> Iterator[tuple[str, str | None]]:
    """Recompute what is stale in chunks on processes of this machine; yields session id and error (None when done)."""
    chunks = [stale[i : i + CHUNK] for i in range(0, len(stale), CHUNK)]
    if len(chunks) == 1 or workers == 1:
        for chunk in chunks:
            yield from _chunk(store.settings.model_dump_json(), chunk)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(_chunk, store.settings.model_dump_json(), chunk) for chunk in chunks]):
            yield from done.result()


def _chunk(settings: str, chunk: list[Stale]) -> list[tuple[str, str | None]]:
    store = Store.open(Settings.model_validate_json(settings))
    done: list[tuple[str, str | None]] = []
    for item in chunk:
        who, name = jobs.holder(), f"session:{item.session_id}"
        if not jobs.lock(store.catalog, name, who):
            done.append((item.session_id, "is being worked on; it is up to date afterwards"))
            continue
        try:
            key = make_analysis(store, item.session_id, item.revision)
            make_report(store, item.session_id, key)
            done.append((item.session_id, None))
        except SquashError as error:
            done.append((item.session_id, str(error)))
        finally:
            jobs.unlock(store.catalog, name, who)
    return done


def declare_equivalent(store: Store, fingerprint: str) -> int:
    """Declare today's code of a detector equivalent to `fingerprint`, after comparing outputs on stored sessions.

    Returns
    -------
    int
        How many sessions were compared.

    Raises
    ------
    SquashError
        If no stored analysis has that fingerprint, or an output differs.
    """
    from squashlib.analysis import analyse

    prints = current()
    with store.catalog.begin() as tx:
        rows = list(tx.scalars(select(AnalysisRow).order_by(AnalysisRow.created_at.desc())))
    held = [
        (row, name) for row in rows for name, old in row.fingerprints.items() if old == fingerprint and name in prints
    ]
    if not held:
        raise SquashError(f"no stored result has the fingerprint {fingerprint}; --plan shows what is stale")
    for row, name in held[:SAMPLE]:
        session = store.sessions.row(row.session_id)
        athlete = store.sessions.athlete(session.user_id, session.start_time)
        points = store.sessions.points(row.session_id) or None
        fresh = analyse(store.sessions.revision(row.session_id, row.revision), points, athlete).findings[name]
        kept = store.sessions.findings(row.path, [name])[name]
        same = fresh.groups.keys() == kept.groups.keys()
        same = same and all(fresh.groups[group].equals(kept.groups[group]) for group in fresh.groups)
        values = {metric: result.value for metric, result in fresh.metrics.items()}
        if not same or values != {metric: result.value for metric, result in kept.metrics.items()}:
            raise SquashError(f"detector '{name}' gives another result on session {row.session_id}; run --run instead")
    name = held[0][1]
    with store.catalog.begin() as tx:
        tx.merge(Equivalence(detector=name, fingerprint=prints[name], same_as=fingerprint))
    return len(held[:SAMPLE])


def command(*, plan: bool, run: bool, accept: str | None) -> int:
    """`squash rerun`; returns the exit status."""
    store = Store.open()
    if accept is not None:
        compared = declare_equivalent(store, accept)
        print(f"the same on {compared} sessions; results with {accept} are not stale any more")
        return 0
    stale = stale_sessions(store)
    for reason, count in Counter(reason for item in stale for reason in item.reasons).most_common():
        print(f"{count:6d} sessions: {reason}")
    print(f"{len(stale)} sessions are stale" + (f", about {len(stale) * 0.5:.0f} s of work" if stale else ""))
    if not run or not stale:
        return 0
    return _told(lambda: recompute(store, stale), len(stale))


def _told(work: Callable[[], Iterator[tuple[str, str | None]]], total: int) -> int:
    failed = 0
    for i, (session_id, error) in enumerate(work(), 1):
        failed += error is not None
        if error is not None:
            print(json.dumps({"session_id": session_id, "error": error}), file=sys.stderr)
        if sys.stderr.isatty():
            print(f"\r{i}/{total}", end="", file=sys.stderr)
    print(f"{total - failed} sessions are up to date" + (f", {failed} are not" if failed else ""))
    return 1 if failed else 0
