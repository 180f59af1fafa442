"""Report notebooks in warm kernels, and a rerun after one detector changed.

Peers: stock papermill (a cold kernel for each run) on the same notebook with the same parameters; recomputing every
detector instead of the changed one alone. `N=` runs of each are timed and their medians compared.
"""

import os
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from statistics import median

import papermill

import squashlib
from flows.process import make_analysis, make_revision, reusable
from flows.render import notebook_path, render
from flows.warm import POOL
from squashlib import report
from squashlib.fingerprint import detector_fingerprint
from store import Settings, Store
from store.tables import AnalysisRow, SessionRow, User, now

N = int(os.environ.get("N", "5"))


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
        rerun(store, session_id)
    POOL.close()


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


def notebooks(store: Store, session_id: str, folder: Path) -> None:
    held = store.sessions.analysis(session_id)
    names = ("swings", "segments", "rallies", "games", "strokes", "posterior")
    groups = {name: store.sessions.group(held, name) for name in names}
    report.save(folder, store.sessions.revision(session_id, held.revision), groups, held.document)
    parameters = {"analysis_path": str(folder)}

    def ours() -> float:
        POOL.fill()
        POOL._waiting[0].result()  # a kernel is warm before the clock starts, as between two uploads
        return timed(lambda: render("session_report", parameters, assets="/static"))

    def peer() -> float:
        out = str(folder / "out.ipynb")
        source = str(notebook_path("session_report"))
        return timed(
            lambda: report.page(papermill.execute_notebook(source, out, parameters, progress_bar=False), "/static")
        )

    warm, cold = median(ours() for _ in range(N)), median(peer() for _ in range(N))
    print(f"notebook ours={warm:.3f}s peer={cold:.3f}s ratio={cold / warm:.1f}", flush=True)


def rerun(store: Store, session_id: str) -> None:
    """What a changed `heart` detector costs: the others' findings are read."""
    row = store.sessions.row(session_id)
    session = store.sessions.revision(session_id, str(row.revision))
    ordered = squashlib.analysis.default_framework().ordered()
    prints = {detector.name: detector_fingerprint(detector) for detector in ordered} | {"heart": "changed"}
    with store.catalog.look() as tx:
        inputs = tx.get_one(AnalysisRow, (session_id, row.analysis_key)).fingerprints["inputs"]

    def ours() -> object:
        return squashlib.analyse(session, known=reusable(store, session_id, inputs, prints))

    known = median(timed(ours) for _ in range(N))
    whole = median(timed(lambda: squashlib.analyse(session)) for _ in range(N))
    print(f"rerun_one_detector ours={known:.3f}s peer={whole:.3f}s ratio={whole / known:.1f}", flush=True)


if __name__ == "__main__":
    main()
