"""What Prefect runs: thin shells around plain functions."""

from prefect import flow, task

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
