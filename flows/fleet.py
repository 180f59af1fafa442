"""Sessions in chunks, done by local processes, by a Dask cluster, or by a Prefect work pool: whichever is set.

Whoever does a chunk, and however often, each result is there exactly once, because it is keyed. Who was killed leaves
sessions undone; the catalog knows them, and the next round does them.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from multiprocessing.context import BaseContext
from typing import Any
from uuid import UUID

from store import Settings, Store, jobs

Outcome = tuple[str, str | None]  # session id, and error or None
Chunk = Sequence[str]
Work = Callable[[str, Chunk], list[Outcome]]

#: Small enough that no worker waits long for the last chunk of another.
CHUNK = 8
POLL_S = 1.0
#: A run under whose lock no session was for so long is taken for dead.
SILENT_S = 90.0


def spread(kind: str, settings: Settings, session_ids: Sequence[str], workers: int) -> Iterator[Outcome]:
    """Do `kind` of work (a name in `flows.chunks.WORK`) on all sessions; those of killed workers are left out."""
    from flows.chunks import WORK

    size = max(1, min(CHUNK, -(-len(session_ids) // workers)))
    chunks = [session_ids[i : i + size] for i in range(0, len(session_ids), size)]
    told = settings.model_dump_json()
    if settings.dask_address:
        parts = _by_prefect_on_dask if os.environ.get("PREFECT_API_URL") else _on_dask
        yield from parts(kind, told, chunks, settings.dask_address)
    elif settings.work_pool:
        yield from _on_work_pool(kind, settings, chunks)
    else:
        yield from _locally(WORK[kind], told, chunks, workers)


def _locally(work: Work, settings: str, chunks: Sequence[Chunk], workers: int) -> Iterator[Outcome]:
    if workers == 1 or len(chunks) == 1:
        for chunk in chunks:
            yield from work(settings, chunk)
        return
    with ProcessPoolExecutor(workers, mp_context=_prepaid()) as pool:
        for done in as_completed([pool.submit(work, settings, chunk) for chunk in chunks]):
            try:
                yield from done.result()
            except BrokenProcessPool:
                continue


def _prepaid() -> BaseContext:
    """Workers are forked of a process that has imported and compiled, and that holds nobody's data."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["flows.prepaid"])
    return context


def _on_dask(kind: str, settings: str, chunks: Sequence[Chunk], address: str) -> Iterator[Outcome]:
    from distributed import Client, KilledWorker
    from distributed import as_completed as completed

    from flows.chunks import WORK

    with Client(address) as client:  # type: ignore[no-untyped-call]
        futures = [client.submit(WORK[kind], settings, list(chunk), pure=False) for chunk in chunks]
        for future in completed(futures):  # type: ignore[no-untyped-call]
            try:
                yield from future.result()
            except KilledWorker:
                continue


def _by_prefect_on_dask(kind: str, settings: str, chunks: Sequence[Chunk], address: str) -> Iterator[Outcome]:
    from prefect_dask.task_runners import DaskTaskRunner

    from flows.tasks import fleet

    runner: Any = DaskTaskRunner(address=address)
    flow = fleet.with_options(task_runner=runner)
    yield from flow(kind, settings, [list(chunk) for chunk in chunks])


def _on_work_pool(kind: str, settings: Settings, chunks: Sequence[Chunk]) -> Iterator[Outcome]:
    """A flow run for each chunk; workers take their settings from their own environment, so no secret is sent."""
    from prefect.client.orchestration import get_client

    waiting = {_order(kind, chunk): chunk for chunk in chunks}
    heard, store = dict.fromkeys(waiting, time.monotonic()), Store.open(settings)
    with get_client(sync_client=True) as client:
        while waiting:
            states = {run: client.read_flow_run(run).state for run in waiting}
            for run, state in states.items():
                if state is not None and state.is_completed():
                    yield from ((session_id, None) for session_id in waiting[run])
                if state is None or not state.is_running() or jobs.alive(store.catalog, map(jobs.of, waiting[run])):
                    heard[run] = time.monotonic()
            left = {run for run, state in states.items() if state is None or not state.is_final()}
            # Prefect says 'running' for ever of a run whose machine died
            waiting = {run: waiting[run] for run in left if time.monotonic() - heard[run] < SILENT_S}
            time.sleep(POLL_S)
    store.catalog.close()


def _order(kind: str, chunk: Chunk) -> UUID:
    from prefect.deployments import run_deployment

    from flows.tasks import ON_WORK_POOL

    parameters = {"kind": kind, "session_ids": list(chunk)}
    run: Any = run_deployment(ON_WORK_POOL, parameters=parameters, timeout=0, as_subflow=False)
    return UUID(str(run.id))
