"""Report notebooks in warm kernels, a rerun over a stored fleet, and its plan.

Peers: stock papermill (a cold kernel for each run) on the same notebook with the same parameters, also two at a time;
decoding and recomputing everything instead of what changed; one worker instead of two. `REPORTS=`, `SESSIONS=` and
`PLANNED=` set the sizes (50, 300 and 10,000).
"""

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import papermill
from sqlalchemy import delete, insert, select, update

import squashlib
from flows import fleet
from flows.process import make_analysis, make_revision
from flows.render import notebook_path, render
from flows.stale import stale_sessions
from flows.warm import POOL
from squashlib import report
from store import Settings, Store
from store.tables import AnalysisRow, Revision, SessionRow, User, now

REPORTS = int(os.environ.get("REPORTS", "50"))
SESSIONS = int(os.environ.get("SESSIONS", "300"))
PLANNED = int(os.environ.get("PLANNED", "10000"))
AT_A_TIME = 2


def timed(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Settings(home=Path(folder) / "home"))
        session_id = stored(store, Path(folder))
        notebooks(store, session_id, Path(folder))
        POOL.close()
        copies(store, session_id, SESSIONS)
        rerun(store)
        plan(store, session_id)


def stored(store: Store, folder: Path) -> str:
    """A match of 50 Hz, analysed."""
    name = str(uuid.uuid4())
    squashlib.write_fit(squashlib.simulate(3, rate_hz=50).session, folder / "m.fit")
    with store.catalog.begin() as tx:
        tx.add(User(user_id=name, email="bench@example.org"))
        tx.flush()
        tx.add(SessionRow(session_id=name, user_id=name, start_time=now()))
        tx.flush()
        store.uploads.receive(tx, name, name, "file", (folder / "m.fit").read_bytes())
    make_analysis(store, name, make_revision(store, name))
    return name


def stock(parameters: dict[str, str]) -> str:
    """What one would do without us: papermill with its own engine, then the same page."""
    with tempfile.TemporaryDirectory() as folder:
        out, source = f"{folder}/out.ipynb", str(notebook_path("session_report"))
        return report.page(papermill.execute_notebook(source, out, parameters, progress_bar=False), "/static")


def notebooks(store: Store, session_id: str, folder: Path) -> None:
    held = store.sessions.analysis(session_id)
    names = ("swings", "segments", "rallies", "games", "strokes", "posterior")
    groups = {name: store.sessions.group(held, name) for name in names}
    session = store.sessions.revision(session_id, held.revision, motion=False)
    data = folder / "report"
    report.save(data, session, groups, held.document)
    parameters = {"analysis_path": str(data)}
    linked = partial(shutil.copytree, data, copy_function=os.link)  # the peer reads it where it lies
    once = partial(render, "session_report", {"analysis_path": "data"}, assets="/static", data=linked)
    once()  # the platform is warm
    with ThreadPoolExecutor(AT_A_TIME) as hands:
        work = [hands.submit(once) for _ in range(REPORTS)]
        ours = timed(lambda: [one.result() for one in work])
    with get_context("spawn").Pool(
        AT_A_TIME
    ) as hands:  # processes: papermill's own working directory allows no threads
        hands.map(stock, [parameters] * AT_A_TIME)
        some = max(AT_A_TIME, REPORTS // 5)
        peer = timed(lambda: hands.map(stock, [parameters] * some, chunksize=1)) / some * REPORTS
    print(f"reports_{REPORTS} ours={ours:.1f}s peer={peer:.1f}s ratio={peer / ours:.1f}", flush=True)


def copies(store: Store, session_id: str, count: int) -> None:
    """The same match as `count` sessions; each has files of its own."""
    row = store.sessions.row(session_id)
    with store.catalog.look() as tx:
        analysis = tx.get_one(AnalysisRow, (session_id, row.analysis_key))
        revision = tx.get_one(Revision, (session_id, row.revision))
        sent = store.uploads.of_session(tx, session_id)
    for i in range(count - 1):
        name = str(uuid.uuid4())
        for path in (revision.path, analysis.path):
            for blob in list(store.blobs.list(path)):
                store.blobs.put(blob.replace(session_id, name), store.blobs.get(blob))
        with store.catalog.begin() as tx:
            start = row.start_time - timedelta(hours=i)
            values = {"session_id": name, "user_id": row.user_id, "start_time": start, "revision": row.revision}
            tx.execute(insert(SessionRow).values(**values, analysis_key=row.analysis_key))
            for table, held, path in ((Revision, revision, revision.path), (AnalysisRow, analysis, analysis.path)):
                columns = {column.key: getattr(held, column.key) for column in table.__mapper__.columns}
                tx.execute(insert(table).values(columns | {"session_id": name, "path": path.replace(session_id, name)}))
            store.uploads.journal(tx, name, row.user_id, "file", sent[0].sha256, sent[0].bytes, None, None)


def made_by_older_code(store: Store, *names: str) -> None:
    """As if all analyses had been made by other detectors of these names."""
    older = f"old {uuid.uuid4().hex}"
    with store.catalog.begin() as tx:
        for row in list(tx.scalars(select(AnalysisRow))):
            row.fingerprints = row.fingerprints | dict.fromkeys(names, older)
            row.analysis_key = older
        tx.execute(update(SessionRow).values(analysis_key=older))


def rerun(store: Store) -> None:
    """Rerun after a changed rally detector; without pages, which are made afterwards.

    The peer is what one has to do who does not know what changed: decode every upload and run every detector.
    """
    rate = {name: _rate(store, name, names, workers) for name, names, workers in RUNS}
    forget_derived(store)
    rate["everything"] = _timed_rate(store, "everything", 2)
    one, two, whole = rate["rallies, one worker"], rate["rallies"], rate["everything"]
    print(f"rerun_changed_rallies ours={two:.1f}/s peer={whole:.1f}/s ratio={two / whole:.1f}", flush=True)
    print(f"rerun_two_workers ours={two:.1f}/s peer={one:.1f}/s ratio={two / one:.2f}", flush=True)


#: What is said to have changed, and how many workers do it.
RUNS = (
    ("rallies, one worker", ("rallies",), 1),
    ("rallies", ("rallies",), 2),
    ("all detectors", ("swings", "rallies", "strokes", "match", "heart"), 2),
)


def _rate(store: Store, name: str, changed: tuple[str, ...], workers: int) -> float:
    """Sessions a second after a change of detectors; what was made is forgotten again."""
    made_by_older_code(store, *changed)
    with store.catalog.look() as tx:
        old = {row.path for row in tx.scalars(select(AnalysisRow))}
    rate = _timed_rate(store, name, workers)
    with store.catalog.begin() as tx:
        for row in tx.scalars(select(AnalysisRow).where(AnalysisRow.path.not_in(old))):
            tx.delete(row)
    return rate


def forget_derived(store: Store) -> None:
    """Leave nothing but what was uploaded."""
    with store.catalog.begin() as tx:
        tx.execute(delete(AnalysisRow))
        tx.execute(delete(Revision))
        tx.execute(update(SessionRow).values(revision=None, analysis_key=None))


def _timed_rate(store: Store, name: str, workers: int) -> float:
    with store.catalog.look() as tx:
        ids = list(tx.scalars(select(SessionRow.session_id)))
    began = processor_s()
    failed: list[str] = []
    took = timed(lambda: failed.extend(e for _, e in fleet.spread("analyses", store.settings, ids, workers) if e))
    assert not failed, failed[0]
    # workers are children of another process, so their time is not ours to read
    each = f", {(processor_s() - began) / len(ids):.3f} processor seconds each" if workers == 1 else ""
    print(f"# {name}: {len(ids) / took:.1f} sessions/s{each}", flush=True)
    return len(ids) / took


def processor_s() -> float:
    """Seconds of processor time of this process and those that it started and that ended."""
    return sum(os.times()[:4])


def plan(store: Store, session_id: str) -> None:
    """The plan for many sessions: rows alone, no files."""
    made_by_older_code(store, "heart")
    with store.catalog.begin() as tx:
        held = tx.scalars(select(AnalysisRow).where(AnalysisRow.session_id == session_id)).one()
        kept = {column.key: getattr(held, column.key) for column in AnalysisRow.__mapper__.columns}
        user = {"user_id": held.user_id, "revision": held.revision}
        names = [str(uuid.uuid4()) for _ in range(PLANNED - SESSIONS)]
        session = {"start_time": now(), "analysis_key": held.analysis_key, **user}
        tx.execute(insert(SessionRow), [{"session_id": name, **session} for name in names])
        tx.execute(insert(Revision), [{"session_id": name, "path": "none", **user} for name in names])
        tx.execute(insert(AnalysisRow), [kept | {"session_id": name} for name in names])
    found: list[object] = []
    took = timed(lambda: found.extend(stale_sessions(store)))
    assert len(found) == PLANNED, len(found)
    print(f"plan_{PLANNED} ours={took:.2f}s limit=5s", flush=True)


if __name__ == "__main__":
    main()
