"""What Prefect runs: thin shells around plain functions."""

from datetime import UTC, datetime
from typing import Any

from prefect import flow, task

from flows.nightly import run
from flows.work import run_waiting, work_off
from store import Store


@task(name="run-job", task_run_name="job-{job_id}", persist_result=False)
def run_job(job_id: str) -> str:
    """Work off one promised job."""
    return work_off(Store.open(), job_id)


@flow(name="reconcile", flow_run_name="reconcile")
def reconcile(older_s: float = 45.0) -> int:
    """Do what was promised but never begun, or begun by a worker that died."""
    return run_waiting(Store.open(), older_s)


@flow(name="nightly", flow_run_name=lambda: f"nightly {datetime.now(UTC).date()}")
def nightly() -> dict[str, Any]:
    """What is done once a day."""
    return run(Store.open())
