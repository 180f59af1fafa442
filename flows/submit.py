"""Hand a promised job to the workers; if they cannot be told, the outbox row is still there for reconciliation."""

import logging
import os

log = logging.getLogger("flows.submit")


def submit(job_id: str) -> bool:
    """Call Prefect's background task for a job; False (never an exception) if Prefect is away."""
    if not os.environ.get("PREFECT_API_URL"):
        return False
    try:
        from flows.tasks import run_job

        run_job.delay(job_id)
    except Exception as error:  # noqa: BLE001 - whatever keeps Prefect away must not cost an upload
        log.warning("job %s waits for reconciliation: %s", job_id, type(error).__name__)
        return False
    return True
