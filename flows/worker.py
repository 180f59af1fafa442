"""The worker: waits for jobs from Prefect, looks every few seconds for those that never arrived, and works at night."""

import logging
import threading
import time
from typing import Any

from prefect.task_worker import serve

from flows import nightly, tasks, webhooks
from flows.tasks import reconcile, run_job
from flows.warm import POOL
from flows.work import run_waiting
from store import Store, jobs

log = logging.getLogger("flows.worker")
LOOK_EVERY_S = 15.0
LATE_S = 20.0
NIGHTLY_LOOK_S = 300.0


def main() -> None:
    """Serve until stopped."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    store = Store.open()
    POOL.fill()
    threading.Thread(target=warm_up, name="warm-up", daemon=True).start()
    threading.Thread(target=look_after, args=(store,), name="reconcile", daemon=True).start()
    threading.Thread(target=each_night, args=(store,), name="nightly", daemon=True).start()
    serve(run_job, limit=2)


def warm_up() -> None:
    """Compile kernels and pay imports before the first player waits."""
    import squashlib

    match = squashlib.simulate(0, rate_hz=10)
    squashlib.analyse(match.session, match.points)
    log.info("warm")


def look_after(store: Store) -> None:
    """Work off what was promised but not begun; as a flow run where Prefect is there to show it."""
    while True:
        time.sleep(LOOK_EVERY_S)
        try:
            webhooks.tell(store)
            if not jobs.waiting(store.catalog, LATE_S):
                continue
            try:
                reconcile(LATE_S)
            except Exception:  # noqa: BLE001 - Prefect is away: the work is done all the same
                run_waiting(store, LATE_S)
        except Exception:
            log.exception("looking after late jobs failed; it is tried again")


def each_night(store: Store) -> None:
    """Do the night's work once a day; as a flow run where Prefect is there to show it."""
    while True:
        time.sleep(NIGHTLY_LOOK_S)
        try:
            nightly.run_if_due(store, lambda: _shown(store))
        except Exception:
            log.exception("the night's work failed; it is tried again")


def _shown(store: Store) -> dict[str, Any]:
    try:
        return tasks.nightly()
    except Exception:  # noqa: BLE001 - Prefect is away: the work is done all the same
        return nightly.run(store)


if __name__ == "__main__":
    main()
