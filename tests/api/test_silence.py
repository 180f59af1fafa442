"""What is logged, even with everything turned up: never a body, a query, a token or a shared link."""

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import httpx

from flows.ports import free_port
from tests.services import PATIENCE_S, ended

TALKATIVE = """
import logging, sys
logging.basicConfig(level=logging.DEBUG)
import uvicorn
uvicorn.run("api.app:app", port=int(sys.argv[1]), log_level="debug")
"""
SECRETS = ("a-secret-of-the-query", "a-secret-pass-phrase", "a-secret-note", "a-secret-link", "a-secret-name")


def test_nothing_of_what_people_send_is_logged(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SQUASH_", "PREFECT_"))}
    with log.open("wb") as target:
        command = [sys.executable, "-c", TALKATIVE, str(port)]
        server = subprocess.Popen(command, stdout=target, stderr=target, env=env | {"SQUASH_HOME": str(tmp_path)})
    try:
        tokens = used(f"http://127.0.0.1:{port}", server, tmp_path)
    finally:
        ended(server)
    said = log.read_text()
    assert '"route":"/api/sessions"' in said, "what may be said is said"
    assert "no such table" in said
    assert [secret for secret in (*SECRETS, *tokens) if secret in said] == []


def used(url: str, server: "subprocess.Popen[bytes]", home: Path) -> list[str]:
    """Use the API, as it is meant and as it is not; the tokens that were given."""
    with httpx.Client(base_url=url, timeout=PATIENCE_S) as client:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                client.get("/health")
                break
            except httpx.ConnectError:
                assert server.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.2)
        account = {"email": "ann@example.org", "password": "a-secret-pass-phrase", "full_name": "a-secret-name"}
        client.post("/api/auth/register", json=account)
        pair = client.post("/api/auth/login", json=account).json()
        client.headers["Authorization"] = f"Bearer {pair['access_token']}"
        client.get("/api/sessions", params={"access_token": "a-secret-of-the-query"})
        client.get("/shared/a-secret-link")
        made = client.post("/api/sessions", json={"notes": "a-secret-note"}).json()
        url = f"/api/sessions/{made['session_id']}"
        client.post(f"{url}/upload/fit", files={"file": ("a-secret-name.fit", b"a-secret-note")})
        client.post(f"{url}/points", json={"winner": "me"})
        with client.stream("GET", f"{url}/events") as stream:
            next(stream.iter_lines())
        client.post("/api/auth/login", json=[account])
        with sqlite3.connect(home / "catalog.sqlite") as broken:
            broken.execute("ALTER TABLE sessions RENAME TO lost")
        assert client.post("/api/sessions", json={"notes": "a-secret-note"}).status_code == 500
        return [pair["access_token"], pair["refresh_token"], pair["access_token"].rpartition(".")[2]]
