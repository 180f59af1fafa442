"""Flows that can be seen, scheduled and started in Prefect's UI, and the runner that does what they schedule."""

import asyncio
import sys
from typing import Any

from prefect.runner import Runner
from prefect.types.entrypoint import EntrypointType

from flows import reconcile, tasks

#: Flow, name of its deployment, schedule (cron, UTC; None to be started by hand); each run is a process of its own.
SERVED: tuple[tuple[Any, str, str | None], ...] = (
    (tasks.nightly, "every-night", "0 3 * * *"),
    (tasks.rerun, "by-hand", None),
    (tasks.process_session, "by-hand", None),
)


def serve() -> None:
    """Register all deployments and run what they schedule, each flow in a process of its own; never returns."""
    asyncio.run(_served())


async def _served() -> None:
    runner = Runner(name="squash", limit=2)
    for flow, name, cron in SERVED:
        deployment = await flow.ato_deployment(name, cron=cron, entrypoint_type=EntrypointType.MODULE_PATH)
        await runner.aadd_deployment(deployment)
    await _within_worker(tasks.reconcile, reconcile.DEPLOYMENT, reconcile.EACH_MINUTE)
    await runner.start()


async def _within_worker(flow: Any, name: str, cron: str) -> None:
    """Register a deployment whose runs `flows.reconcile` takes."""
    deployment = await flow.ato_deployment(name, cron=cron, entrypoint_type=EntrypointType.MODULE_PATH)
    await deployment.aapply()


def offer(work_pool: str) -> None:
    """Register the flow that a work pool's workers (process, Kubernetes …) run chunks of a rerun with."""
    flow: Any = tasks.rerun_chunk
    name = tasks.ON_WORK_POOL.split("/")[1]
    deployment = flow.to_deployment(name, work_pool_name=work_pool, entrypoint_type=EntrypointType.MODULE_PATH)
    deployment.apply()


if __name__ == "__main__":
    offer(sys.argv[1])
