"""The worker: does jobs and flows that Prefect hands it, looks for those that never arrived, and works at night.

`python -m flows.worker` is all that runs beside the API and Prefect's server, on as many machines as you like.
"""

import atexit
import logging
import shutil
import sys
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path

from prefect.task_worker import serve

from flows import deployments, tasks
from flows.forked import CAN_FORK
from flows.reconcile import look_after
from flows.tasks import run_job
from flows.warm import POOL
from store import Store, jobs
from store.tables import now

log = logging.getLogger("flows.worker")
AGAIN_S = 5.0
#: What papermill imports to read notebooks from clouds; ours lie here, and all of it takes 20 MB.
UNNEEDED = ("papermill.s3", "pyarrow")
NIGHTLY_LOOK_S = 300.0
#: How long after its hour the night's work may be left to Prefect's schedule.
GRACE = timedelta(hours=1)


def main() -> None:
    """Serve until stopped."""
    sys.modules.update(dict.fromkeys(UNNEEDED))  # type: ignore[arg-type]  # as if they were not installed
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    store = Store.open()
    take_scratch(store.settings.home / "scratch")
    POOL.fill()
    threading.Thread(target=warm_up, name="warm-up", daemon=True).start()
    threading.Thread(target=look_after, args=(store,), name="look after", daemon=True).start()
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
    """Pay beforehand for what a first page or upload would wait for; the zygote pays for what is forked."""
    if not CAN_FORK:
        from flows.rehearsal import rehearse

        rehearse()
    import nbformat

    from flows import keys, process, render
    from squashlib.report import page

    path = render.notebook_path(process.NOTEBOOK)
    render.check_parameters(path, {})
    page(nbformat.read(path, as_version=4), "/static")
    keys.report_key("rehearsal", process.NOTEBOOK)
    log.info("warm")


def each_night(store: Store) -> None:
    """Do the night's work if Prefect's schedule did not, for whatever reason."""
    from flows import nightly

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
        time.sleep(AGAIN_S)


if __name__ == "__main__":
    main()
