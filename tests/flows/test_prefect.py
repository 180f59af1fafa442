"""Prefect's server starts beside our FastAPI, runs a flow, and the whole platform comes up and goes without a trace."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

import squashlib
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


def until(look: Callable[[], Any], enough: Callable[[Any], bool], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not enough(found := look()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert enough(found), found
    return found


def deployments(prefect: str) -> dict[str, list[str]]:
    """Schedules by deployment."""
    found = httpx.post(f"{prefect}/deployments/filter", json={}).json()
    flows = {one["id"]: one["name"] for one in httpx.post(f"{prefect}/flows/filter", json={}).json()}
    return {flows[one["flow_id"]]: [schedule["schedule"].get("cron") for schedule in one["schedules"]] for one in found}


def play(api: str, folder: Path) -> str:
    """A player's match, uploaded and processed."""
    squashlib.write_fit(squashlib.simulate(6, rate_hz=10, sensors=("heart_rate",)).session, folder / "m.fit")
    account = {"email": "secretname@example.org", "password": "a long password 123"}
    with httpx.Client(base_url=api, timeout=60) as player:
        player.post("/api/auth/register", json={**account, "full_name": "Secretname"}).raise_for_status()
        token = player.post("/api/auth/login", json=account).json()["access_token"]
        player.headers["Authorization"] = f"Bearer {token}"
        body = {"sport": "squash", "start_time": "2026-01-08T20:57:00Z"}
        session_id = str(player.post("/api/sessions", json=body).raise_for_status().json()["session_id"])
        with (folder / "m.fit").open("rb") as file:
            player.post(f"/api/sessions/{session_id}/upload/fit", files={"file": file}).raise_for_status()
        status = f"/api/sessions/{session_id}/upload/status"
        until(lambda: player.get(status).json(), lambda found: found["status"] == "completed", 120)
    return session_id


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
        ui = httpx.get(urls["prefect"].removesuffix("/api") + "/")
        assert ui.status_code == 200
        assert "<html" in ui.text
        seen = until(lambda: deployments(urls["prefect"]), lambda found: len(found) == 4)
        assert seen["nightly"] == ["0 3 * * *"], "the schedule is there to be seen"
        assert seen["reconcile"] == ["* * * * *"]
        reconcile = httpx.get(f"{urls['prefect']}/deployments/name/reconcile/every-minute").json()["id"]
        order = f"{urls['prefect']}/deployments/{reconcile}/create_flow_run"  # refused while its database is locked
        run = until(lambda: httpx.post(order, json={}).json(), lambda made: "id" in made)["id"]
        session_id = play(urls["api"], tmp_path)
        names = [run["name"] for run in httpx.post(f"{urls['prefect']}/task_runs/filter", json={}).json()]
        assert f"session {session_id} 2026-01-08" in names
        assert not [name for name in names if "Secretname" in name or "@" in name]
        asked = f"{urls['prefect']}/flow_runs/{run}"
        shown = until(lambda: httpx.get(asked).json(), lambda found: found["state_type"] == "COMPLETED", 90)
        assert shown["name"].startswith("reconcile 20"), "the worker does what is scheduled"
        started = [c for c in psutil.Process().children(recursive=True) if c.pid not in before]
        assert len(started) >= 3
    assert not [child for child in started if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
