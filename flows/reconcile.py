"""Late jobs: promised but never begun, or begun by a worker that died; found whether Prefect is there or not.

Prefect's schedule has the reconcile flow due each minute, to be seen in its UI. The worker runs it in its own process,
for one made for it would cost seconds of each minute; and looks by itself in between.
"""

import logging
import threading
import time
from datetime import UTC, datetime
from typing import Any

from flows import tasks, webhooks
from flows.forked import CAN_FORK
from flows.work import run_waiting
from store import Store, jobs

log = logging.getLogger("flows.reconcile")
LOOK_EVERY_S = 5.0
LATE_S = 15.0
ASK_EVERY_S = 15.0
#: How long Prefect may take to begin a flow before its work is done without.
SHOWN_S = 10.0
DEPLOYMENT, EACH_MINUTE = "every-minute", "* * * * *"


def look_after(store: Store) -> None:
    """Work off what is late, and run the flow when it is due; never returns."""
    shown, asked_s = threading.Thread(), -ASK_EVERY_S
    while True:
        time.sleep(LOOK_EVERY_S)
        try:
            webhooks.tell(store)
            late = bool(jobs.waiting(store.catalog, LATE_S))
            if (late or time.monotonic() - asked_s >= ASK_EVERY_S) and not shown.is_alive():
                asked_s = time.monotonic()
                shown = threading.Thread(target=_run_due, args=(late,), name="reconcile flow", daemon=True)
                shown.start()
                shown.join(SHOWN_S if late else 0.0)
            if late:  # if the flow did it, nothing waits; if Prefect hangs, nobody waits for it
                run_waiting(store, LATE_S, apart=CAN_FORK)
        except Exception:
            log.exception("looking after late jobs failed; it is tried again")


def _run_due(late: bool) -> None:
    try:
        if not run_scheduled() and late:
            tasks.reconcile(LATE_S)
    except Exception as error:  # noqa: BLE001 - Prefect is away: the work is done all the same
        log.warning("Prefect does not show late jobs: %s", type(error).__name__)


def run_scheduled() -> bool:
    """Run the flow if Prefect's schedule has it due; minutes that nobody was there for are cancelled."""
    from prefect.client.orchestration import get_client
    from prefect.states import Cancelled, Pending

    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name(f"{tasks.reconcile.name}/{DEPLOYMENT}")
        due = client.get_scheduled_flow_runs_for_deployments([deployment.id], datetime.now(UTC))
        due.sort(key=_when)
        for missed in due[:-1]:
            client.set_flow_run_state(missed.id, Cancelled(message="no worker was there at its time"), force=True)
        mine = [run for run in due[-1:] if client.set_flow_run_state(run.id, Pending()).status.value == "ACCEPT"]
    for run in mine:  # another worker has it otherwise
        _run(run.id)
    return bool(mine)


def _when(run: Any) -> datetime:
    moment: datetime = run.expected_start_time
    return moment


def _run(flow_run_id: Any) -> None:
    from prefect.client.orchestration import get_client
    from prefect.flow_engine import run_flow

    with get_client(sync_client=True) as client:
        flow_run = client.read_flow_run(flow_run_id)
    run_flow(tasks.reconcile, flow_run=flow_run, parameters={"older_s": LATE_S})
