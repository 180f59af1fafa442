"""The worker: does jobs and flows that Prefect hands it, looks for those that never arrived, and works at night.

`python -m flows.worker` is all that runs beside the API and Prefect's server, on as many machines as you like.
"""

import atexit
import ctypes
import gc
import logging
import shutil
import sys
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path

from prefect.task_worker import serve

from flows import deployments, nightly, tasks, webhooks
from flows.tasks import reconcile, run_job
from flows.warm import POOL
from flows.work import run_waiting
from store import Store, jobs
from store.tables import now

log = logging.getLogger("flows.worker")
LOOK_EVERY_S = 5.0
LATE_S = 15.0
#: How long Prefect may take to begin a flow before its work is done without.
SHOWN_S = 10.0
NIGHTLY_LOOK_S = 300.0
#: How long after its hour the night's work may be left to Prefect's schedule.
GRACE = timedelta(hours=1)


def main() -> None:
    """Serve until stopped."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    store = Store.open()
    take_scratch(store.settings.home / "scratch")
    POOL.fill()
    threading.Thread(target=warm_up, name="warm-up", daemon=True).start()
    threading.Thread(target=look_after, args=(store,), name="reconcile", daemon=True).start()
    threading.Thread(target=each_night, args=(store,), name="nightly", daemon=True).start()
    threading.Thread(target=serve_deployments, name="deployments", daemon=True).start()
    serve(run_job, limit=2)


def take_scratch(folder: Path) -> None:
    """Give this process a folder for what it works on, and remove those of workers that were killed."""
    for other in folder.glob("*"):
        if jobs.is_dead(other.name.replace("|", "/")):
            shutil.rmtree(other, ignore_errors=True)
    mine = folder / jobs.holder().replace("/", "|")
    mine.mkdir(parents=True, mode=0o700)
    tempfile.tempdir = str(mine)
    atexit.register(shutil.rmtree, mine, ignore_errors=True)


def warm_up() -> None:
    """Compile kernels and pay imports before the first player waits."""
    import squashlib

    match = squashlib.simulate(0, rate_hz=10)
    squashlib.analyse(match.session, match.points)
    del match
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)  # the rehearsal's arrays go back to the system
    log.info("warm")


def look_after(store: Store) -> None:
    """Work off what was promised but not begun; as a flow run where Prefect is there to show it."""
    shown: threading.Thread | None = None
    while True:
        time.sleep(LOOK_EVERY_S)
        try:
            webhooks.tell(store)
            if not jobs.waiting(store.catalog, LATE_S):
                continue
            if shown is None or not shown.is_alive():
                shown = threading.Thread(target=_reconcile, name="reconcile flow", daemon=True)
                shown.start()
                shown.join(SHOWN_S)
            run_waiting(store, LATE_S)  # if the flow did it, nothing waits; if Prefect hangs, nobody waits for it
        except Exception:
            log.exception("looking after late jobs failed; it is tried again")


def _reconcile() -> None:
    try:
        reconcile(LATE_S)
    except Exception as error:  # noqa: BLE001 - Prefect is away: the work is done all the same
        log.warning("Prefect does not show late jobs: %s", type(error).__name__)


def each_night(store: Store) -> None:
    """Do the night's work if Prefect's schedule did not, for whatever reason."""
    while True:
        time.sleep(NIGHTLY_LOOK_S)
        try:
            if not nightly.due(store, now() - GRACE):
                continue
            try:
                tasks.nightly()
            except Exception:  # noqa: BLE001 - Prefect is away: the work is done all the same
                nightly.run_if_due(store, lambda: nightly.run(store))
        except Exception:
            log.exception("the night's work failed; it is tried again")


def serve_deployments() -> None:
    """Show flows and their schedules in Prefect's UI and run what they schedule, until stopped."""
    while True:
        try:
            deployments.serve()
        except Exception:
            log.exception("Prefect does not take deployments; it is tried again")
        time.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    main()
