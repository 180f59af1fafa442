"""Prefect's server starts beside our FastAPI, runs a flow, and the whole platform comes up and goes without a trace."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from flows.up import PREFECT, platform

FLOW = """
from prefect import flow, task

@task
def double(x):
    return 2 * x

@flow(log_prints=False)
def four():
    return double(2)

print("result", four())
"""


@pytest.mark.slow
def test_the_platform_runs_and_ends_with_all_it_started(tmp_path: Path) -> None:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with platform(tmp_path, announce=lambda _: None) as urls:
        health = httpx.get(f"{urls['api']}/health").json()
        assert health == {"status": "ok", "database": "ok", "store": "ok", "prefect": "ok"}
        assert httpx.get(f"{urls['api']}/").status_code == 200
        env = {**os.environ, **PREFECT, "PREFECT_API_URL": urls["prefect"], "PREFECT_HOME": str(tmp_path / "client")}
        done = subprocess.run([sys.executable, "-c", FLOW], env=env, capture_output=True, text=True, check=False)
        assert "result 4" in done.stdout, done.stderr
        started = [c for c in psutil.Process().children(recursive=True) if c.pid not in before]
        assert len(started) >= 3
    assert not [child for child in started if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
