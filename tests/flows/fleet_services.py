"""Real servers for a fleet: S3, Prefect on PostgreSQL, and a Dask cluster of two workers, as processes."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from flows.up import PREFECT
from tests.services import PATIENCE_S, free_port, listens


@contextmanager
def process(arguments: list[str], env: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A Python module run until the block ends."""
    with log.open("ab") as out:
        child = subprocess.Popen([sys.executable, "-m", *arguments], env=dict(env), stdout=out, stderr=out)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def answers(url: str, server: subprocess.Popen[bytes]) -> None:
    """Wait until a server does."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            httpx.get(url, timeout=5)
            return
        except httpx.HTTPError:
            assert server.poll() is None, f"{server.args} ended with status {server.returncode}"
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.2)


@contextmanager
def s3(folder: Path) -> Iterator[dict[str, str]]:
    """An S3 server with a bucket `squash`; yields the environment that leads there."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with process(["moto.server", "-p", str(port)], os.environ, folder / "s3.log") as server:
        answers(url, server)
        httpx.put(f"{url}/squash", timeout=PATIENCE_S).raise_for_status()
        keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1"}
        yield keys | {"AWS_ENDPOINT_URL": url, "AWS_ALLOW_HTTP": "true"}


@contextmanager
def prefect(folder: Path, database: str) -> Iterator[dict[str, str]]:
    """A Prefect server on a PostgreSQL database; yields the environment that leads there."""
    port = free_port()
    address = f"http://127.0.0.1:{port}/api"
    asynchronous = database.replace("postgresql://", "postgresql+asyncpg://")
    home = {"PREFECT_HOME": str(folder / "prefect"), "PREFECT_SERVER_DATABASE_CONNECTION_URL": asynchronous}
    serve = ["prefect", "server", "start", "--no-ui", "--port", str(port)]
    with process(serve, os.environ | PREFECT | home, folder / "prefect.log") as server:
        answers(f"{address}/health", server)
        yield {**PREFECT, "PREFECT_HOME": str(folder / "prefect"), "PREFECT_API_URL": address}


@contextmanager
def dask(folder: Path, env: Mapping[str, str]) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers; yields its address and the workers."""
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    scheduler = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    worker = ["distributed.cli.dask_worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard"]
    with ExitStack() as stack:
        listens(port, stack.enter_context(process(scheduler, env, folder / "scheduler.log")))
        workers = [stack.enter_context(process(worker, env, folder / f"worker{i}.log")) for i in range(2)]
        yield address, workers


@contextmanager
def work_pool(folder: Path, env: Mapping[str, str], name: str, *, worker: bool = True) -> Iterator[None]:
    """A work pool of processes with the deployment that it serves, and a worker."""
    env = {**env, "PREFECT_WORKER_QUERY_SECONDS": "1"}
    for command in (["prefect", "work-pool", "create", name, "--type", "process"], ["flows.deployments", name]):
        subprocess.run([sys.executable, "-m", *command], env=env, check=True, timeout=PATIENCE_S, capture_output=True)
    with ExitStack() as stack:
        if worker:
            start = ["prefect", "worker", "start", "--pool", name, "--limit", "2"]
            stack.enter_context(process(start, env, folder / "pool.log"))
        yield
