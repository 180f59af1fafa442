"""What Prefect runs: thin shells around plain functions; run names tell session and date, never a player.

What they call is imported when it is called: the API hands work over by this module, and does none.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from prefect import flow, task
from prefect.runtime import flow_run, task_run

from store import Store, jobs
from store.settings import load

if TYPE_CHECKING:
    from flows.chunks import Outcome

#: Flow and deployment that a work pool's workers run chunks with.
ON_WORK_POOL = "rerun-chunk/fleet"


def _of_session() -> str:
    """`session 1b2c… 2026-01-08`: the run's name."""
    return jobs.label(Store.open().catalog, task_run.parameters["job_id"])


def _of_one() -> str:
    """`session 1b2c… 2026-01-08`, of a flow."""
    session_id = flow_run.parameters["session_id"]
    return f"session {session_id} {Store.open().sessions.row(session_id).start_time.date()}"


def _dated() -> str:
    """The flow and the moment."""
    return f"{flow_run.flow_name} {datetime.now(UTC):%Y-%m-%d %H:%M}"


def _of_chunk() -> str:
    """How many sessions, and the first of them."""
    return _chunk(task_run.parameters)


def _of_chunk_flow() -> str:
    """The same, of a flow."""
    return _chunk(flow_run.parameters)


def _chunk(parameters: Mapping[str, Any]) -> str:
    sessions = parameters["session_ids"]
    return f"{parameters['kind']} of {len(sessions)} sessions from {sessions[0][:8]}"


@task(name="run-job", task_run_name=_of_session, persist_result=False)
def run_job(job_id: str) -> str:
    """Work off one promised job."""
    from flows.forked import CAN_FORK
    from flows.work import work_off

    return work_off(Store.open(), job_id, apart=CAN_FORK)


@flow(name="process-session", flow_run_name=_of_one)
def process_session(session_id: str) -> None:
    """Bring one session's revision, analysis and report up to date."""
    from flows import process

    process.process_session(Store.open(), session_id)


@flow(name="reconcile", flow_run_name=_dated)
def reconcile(older_s: float = 45.0) -> int:
    """Do what was promised but never begun, or begun by a worker that died."""
    from flows.forked import CAN_FORK
    from flows.work import run_waiting

    return run_waiting(Store.open(), older_s, apart=CAN_FORK)


@flow(name="nightly", flow_run_name=_dated)
def nightly() -> dict[str, Any]:
    """What is done once a day."""
    from flows import nightly as night

    store = Store.open()
    return night.run_if_due(store, lambda: night.run(store)) or {"done": "already"}


@flow(name="rerun", flow_run_name=_dated)
def rerun() -> dict[str, int]:
    """Recompute what changed code made stale, if labelled sessions do not suffer."""
    from flows import nightly as night

    return night.rerun(Store.open())


@task(name="chunk", task_run_name=_of_chunk, retries=2, persist_result=False)
def chunk(kind: str, settings: str, session_ids: Sequence[str]) -> "list[Outcome]":
    """A chunk on a Dask worker."""
    from flows.chunks import WORK

    return WORK[kind](settings, session_ids)


@flow(name="fleet", flow_run_name=_dated)
def fleet(kind: str, settings: str, chunks: Sequence[Sequence[str]]) -> "list[Outcome]":
    """All chunks on a Dask cluster; those whose workers died are left out."""
    futures = [chunk.submit(kind, settings, one) for one in chunks]
    done = [future.result(raise_on_failure=False) for future in futures]
    return [outcome for part in done if isinstance(part, list) for outcome in part]


@flow(name="rerun-chunk", flow_run_name=_of_chunk_flow)
def rerun_chunk(kind: str, session_ids: list[str]) -> None:
    """A chunk on a work pool's worker, which takes its settings from its environment."""
    from flows.chunks import WORK

    WORK[kind](load().model_dump_json(), session_ids)
