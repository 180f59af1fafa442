"""Start the platform: Prefect's server, the worker, the API and dashboards, as children that end with this process."""

import argparse
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from flows import dashboards
from flows.forked import CAN_FORK, SHARED
from flows.ports import free_port
from flows.warm import LEAN, scrubbed_environment
from store.settings import load

READY_S = 240
#: One counts its rate limits exactly and takes a tenth less of the idle platform's memory than two; `make bench` runs
#: as many. Start more (`uvicorn api.app:app --workers N`) with `SQUASH_REDIS_URL`, so that they count together.
API_WORKERS = 1
PR_SET_PDEATHSIG = 1
#: Quiet, and on this machine alone.
PREFECT = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
    # A run each minute adds up: those older than a week go.
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": "604800",
}


@contextmanager
def platform(
    home: Path, *, announce: Callable[[str], None] = print, api_port: int = 0, prefect_port: int = 0
) -> Iterator[dict[str, str]]:
    """Run everything under `home` until the block ends; yields the addresses of `api`, `prefect` and `dashboards`.

    Raises
    ------
    RuntimeError
        If a part dies or does not answer within four minutes; the message names its log.
    """
    api_port, prefect_port = api_port or free_port(), prefect_port or free_port()
    urls = {"api": f"http://127.0.0.1:{api_port}", "prefect": f"http://127.0.0.1:{prefect_port}/api"}
    urls["dashboards"] = f"{urls['api']}/dashboards"
    home.mkdir(parents=True, exist_ok=True)
    (home / "logs").mkdir(exist_ok=True)
    env = {**os.environ, **PREFECT, "SQUASH_HOME": str(home.absolute()), "PREFECT_API_URL": urls["prefect"]}
    prefect_home = home.absolute() / "prefect"
    env |= {"PREFECT_HOME": str(prefect_home), "PREFECT_UI_STATIC_DIRECTORY": str(prefect_home / "ui")}
    env |= LEAN
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    room = Path(tempfile.mkdtemp(prefix="squash-zygote-"))
    env[SHARED] = str(room / "socket")
    python = [sys.executable, "-m"]
    here = ["--host", "127.0.0.1"]
    commands = {
        "prefect": [
            *python,
            "prefect",
            "server",
            "start",
            "--host",
            "127.0.0.1",
            "--port",
            str(prefect_port),
        ],
        "api": [*python, "uvicorn", "api.app:app", *here, "--port", str(api_port), "--workers", str(API_WORKERS)],
        "worker": [*python, "flows.worker"],
        "dashboards": dashboards.command(home, free_port()),
        "zygote": [*python, "flows.zygote", env[SHARED]],
    }
    if not CAN_FORK:
        del commands["zygote"], env[SHARED]
    envs = {"dashboards": dashboards.environment(env.get(SHARED)), "zygote": scrubbed_environment()}
    children: dict[str, subprocess.Popen[bytes]] = {}
    ending = threading.Event()
    keeper = threading.Thread(
        target=keep,
        args=(children, lambda name: start(name, commands[name], envs.get(name, env), home), ending),
        daemon=True,
    )
    try:
        for name in commands.keys() - {"worker"}:
            children[name] = start(name, commands[name], envs.get(name, env), home)
        wait_for(urls["prefect"] + "/health", children, "prefect", home)
        children["worker"] = start("worker", commands["worker"], env, home)
        wait_for(urls["api"] + "/health", children, "api", home, any_answer=True)
        keeper.start()
        announce(f"The platform is up (logs in {home / 'logs'}).")
        yield urls
    finally:
        ending.set()
        if keeper.is_alive():
            keeper.join()
        stop(children)
        shutil.rmtree(room, ignore_errors=True)


def keep(
    children: dict[str, subprocess.Popen[bytes]],
    again: Callable[[str], subprocess.Popen[bytes]],
    ending: threading.Event,
) -> None:
    """Start a part that died again, until the platform ends."""
    while not ending.wait(2.0):
        for name, child in children.items():
            if child.poll() is not None:
                children[name] = again(name)


def start(name: str, command: list[str], env: Mapping[str, str], home: Path) -> subprocess.Popen[bytes]:
    """Start a child that gets SIGTERM when this process dies, however it dies."""
    with (home / "logs" / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            command, env=dict(env), stdout=log, stderr=log, start_new_session=True, preexec_fn=_end_with_parent
        )


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def wait_for(
    url: str, children: Mapping[str, subprocess.Popen[bytes]], name: str, home: Path, *, any_answer: bool = False
) -> None:
    """Wait until a part answers."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if (status := children[name].poll()) is not None:
            raise RuntimeError(f"{name} ended with status {status}; see {home / 'logs' / f'{name}.log'}")
        try:
            answer = httpx.get(url, timeout=5)
            if any_answer or answer.is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"{name} does not answer after {READY_S} s; see {home / 'logs' / f'{name}.log'}")


def stop(children: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """End children and whatever they started."""
    for child in children.values():
        _signal(child, signal.SIGTERM)
    deadline = time.monotonic() + 10
    for child in children.values():
        with suppress(subprocess.TimeoutExpired):
            child.wait(max(0.1, deadline - time.monotonic()))
        _signal(child, signal.SIGKILL)
        child.wait()


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, number)


def main() -> None:
    """`make up`: on the usual ports, under `SQUASH_HOME`, until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="make up", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="of the API and the player's pages")
    parser.add_argument("--prefect-port", type=int, default=4200)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with platform(load().home, api_port=options.port, prefect_port=options.prefect_port) as urls:
        print(f"\n  player's page  {urls['api']}/\n  API docs       {urls['api']}/docs\n  lab            make lab\n")
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("Stopping …")


if __name__ == "__main__":
    main()
