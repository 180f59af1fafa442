"""Prefect's server starts beside our FastAPI, runs a flow, and the whole platform comes up and goes without a trace."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import squashlib
from flows.up import PREFECT, platform
from tests import processes
from tests.services import PATIENCE_S

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


def until(look: Callable[[], Any], enough: Callable[[Any], bool], seconds: float = PATIENCE_S) -> Any:
    deadline = time.monotonic() + seconds
    while not enough(found := look()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert enough(found), found
    return found


def asked(method: str, url: str, **more: Any) -> Any:
    """An answer in JSON; of a server that also does what is scheduled, and may take its time."""
    return httpx.request(method, url, timeout=PATIENCE_S, **more).json()


def deployments(prefect: str) -> dict[str, list[str]]:
    """Schedules by deployment."""
    found = asked("POST", f"{prefect}/deployments/filter", json={})
    flows = {one["id"]: one["name"] for one in asked("POST", f"{prefect}/flows/filter", json={})}
    return {flows[one["flow_id"]]: [schedule["schedule"].get("cron") for schedule in one["schedules"]] for one in found}


def play(api: str, folder: Path) -> str:
    """A player's match, uploaded and processed."""
    squashlib.write_fit(squashlib.simulate(6, rate_hz=10, sensors=("heart_rate",)).session, folder / "m.fit")
    account = {"email": "secretname@example.org", "password": "a long password 123"}
    with httpx.Client(base_url=api, timeout=PATIENCE_S) as player:
        player.post("/api/auth/register", json={**account, "full_name": "Secretname"}).raise_for_status()
        token = player.post("/api/auth/login", json=account).json()["access_token"]
        player.headers["Authorization"] = f"Bearer {token}"
        body = {"sport": "squash", "start_time": "2026-01-08T20:57:00Z"}
        session_id = str(player.post("/api/sessions", json=body).raise_for_status().json()["session_id"])
        with (folder / "m.fit").open("rb") as file:
            player.post(f"/api/sessions/{session_id}/upload/fit", files={"file": file}).raise_for_status()
        status = f"/api/sessions/{session_id}/upload/status"
        until(lambda: player.get(status).json(), lambda found: found["status"] == "completed")
    return session_id


@pytest.mark.slow
def test_the_platform_runs_and_ends_with_all_it_started(tmp_path: Path) -> None:
    earlier = processes.own()
    with platform(tmp_path, announce=lambda _: None) as urls:
        well = {"status": "ok", "database": "ok", "store": "ok", "prefect": "ok"}
        until(lambda: asked("GET", f"{urls['api']}/health"), lambda found: found == well)
        assert httpx.get(f"{urls['api']}/", timeout=PATIENCE_S).status_code == 200
        env = {**os.environ, **PREFECT, "PREFECT_API_URL": urls["prefect"], "PREFECT_HOME": str(tmp_path / "client")}
        done = subprocess.run([sys.executable, "-c", FLOW], env=env, capture_output=True, text=True, check=False)
        assert "result 4" in done.stdout, done.stderr
        ui = httpx.get(urls["prefect"].removesuffix("/api") + "/", timeout=PATIENCE_S)
        assert ui.status_code == 200
        assert "<html" in ui.text
        seen = until(lambda: deployments(urls["prefect"]), lambda found: len(found) == 4)
        assert seen["nightly"] == ["0 3 * * *"], "the schedule is there to be seen"
        assert seen["reconcile"] == ["* * * * *"]
        reconcile = asked("GET", f"{urls['prefect']}/deployments/name/reconcile/every-minute")["id"]
        order = f"{urls['prefect']}/deployments/{reconcile}/create_flow_run"  # refused while its database is locked
        run = until(lambda: asked("POST", order, json={}), lambda made: "id" in made)["id"]
        session_id = play(urls["api"], tmp_path)
        names = [run["name"] for run in asked("POST", f"{urls['prefect']}/task_runs/filter", json={})]
        assert f"session {session_id} 2026-01-08" in names
        assert not [name for name in names if "Secretname" in name or "@" in name]
        run_url = f"{urls['prefect']}/flow_runs/{run}"
        shown = until(lambda: asked("GET", run_url), lambda found: found["state_type"] == "COMPLETED")
        assert shown["name"].startswith("reconcile 20"), "the worker does what is scheduled"
        started = processes.started_since(earlier)
        assert len(started) >= 3
    assert not processes.survivors(started)
