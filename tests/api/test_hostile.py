"""What an attacker tries: nothing is told, nothing is reached, nothing falls over."""

import io
import threading
import time
import uuid
import zipfile
from collections.abc import Iterator

import httpx
import pytest

from api import passwords
from flows.work import work_off
from tests.api.conftest import PASSWORD, Login, Server


def test_an_unknown_email_takes_as_long_as_a_wrong_password(login: Login, client: httpx.Client) -> None:
    email = login().get("/api/auth/me").json()["email"]
    answers = [
        client.post("/api/auth/login", json={"email": who, "password": "not the one"})
        for who in (email, f"nobody-{uuid.uuid4().hex}@example.org")
    ]
    assert answers[0].status_code == answers[1].status_code == 401
    assert answers[0].content == answers[1].content
    kept = passwords.hashed(PASSWORD)
    took: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(5):
        for known in took:
            began = time.process_time()
            assert not passwords.matches("not the one", kept if known else None)
            took[known].append(time.process_time() - began)
    known_s, unknown_s = (min(took[known]) for known in (True, False))  # what others on the machine cost is no part
    assert 0.5 < unknown_s / known_s < 2


def test_a_crowd_at_the_door_is_sent_to_come_again(monkeypatch: pytest.MonkeyPatch, client: httpx.Client) -> None:
    monkeypatch.setattr(passwords, "_PLACES", threading.BoundedSemaphore(1))
    passwords._PLACES.acquire()
    answer = client.post("/api/auth/login", json={"email": "ann@example.org", "password": "not the one"})
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    passwords._PLACES.release()
    again = client.post("/api/auth/login", json={"email": "ann@example.org", "password": "not the one"})
    assert again.status_code == 401


@pytest.mark.parametrize("said", [True, False], ids=["said", "unsaid"])
def test_huge_bodies_are_refused_before_they_are_read(ann: httpx.Client, said: bool) -> None:
    sent = 0

    def pieces() -> Iterator[bytes]:
        nonlocal sent
        yield b'{"notes":"'
        for _ in range(64):
            sent += 1 << 20
            yield b"x" * (1 << 20)
        yield b'"}'

    headers = {"Content-Type": "application/json"} | ({"Content-Length": str((64 << 20) + 12)} if said else {})
    try:
        answer = ann.post("/api/sessions", content=pieces(), headers=headers)
    except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        assert sent < 64 << 20, "the server hung up early"
        return
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..\\..\\windows\\system.ini", "/etc/passwd", "a\0b.fit", "%2e%2e%2fx", "x" * 5000]
)
def test_names_of_files_are_names(ann: httpx.Client, server: Server, name: str) -> None:
    url = "/api/sessions/" + ann.post("/api/sessions", json={}).json()["session_id"]
    answer = ann.post(f"{url}/upload/fit", files={"file": (name, uuid.uuid4().bytes)})
    assert answer.status_code in (202, 400, 422), answer.text
    for upload in ann.get(f"{url}/uploads").json()["uploads"]:
        assert "/" not in upload["name"]
        assert "\\" not in upload["name"]
        assert len(upload["name"]) <= 200
    stored = list(server.app.state.squash.store.blobs.list(""))
    assert all(part not in ("..", "") for place in stored for part in place.split("/"))


@pytest.mark.parametrize(
    "path", ["/static/..%2f..%2fapp.py", "/static/%2e%2e/app.py", "/static/..\\app.py", "/static/"]
)
def test_static_files_are_those_that_are_named(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_zip_that_expands_without_end_harms_nobody(ann: httpx.Client, server: Server) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("../../evil.fit", bytes(300 << 20))
    url = "/api/sessions/" + ann.post("/api/sessions", json={}).json()["session_id"]
    sent = ann.post(f"{url}/upload/fit", files={"file": ("bomb.zip", bomb.getvalue())})
    assert sent.status_code == 202
    work_off(server.app.state.squash.store, sent.json()["job_id"])
    status = ann.get(f"{url}/upload/status").json()
    assert status["status"] == "failed"
    assert status["error"]
    assert ann.get(f"{url}/uploads").json()["uploads"][0]["error"]


def test_wildcards_match_nothing_but_themselves(login: Login, client: httpx.Client) -> None:
    ann = login()
    email = ann.get("/api/auth/me").json()["email"]
    for wild in ("%@example.org", "_" + email[1:], "' OR '1'='1' --@example.org"):
        assert client.post("/api/auth/login", json={"email": wild, "password": PASSWORD}).status_code == 401
        assert ann.post("/api/grants", json={"coach_email": wild}).status_code == 404
    url = "/api/sessions/" + ann.post("/api/sessions", json={"opponent_name": "100%_;--"}).json()["session_id"]
    ann.post(f"{url}/shares")
    for wild in ("%" * 16, "_" * 16):
        assert ann.delete(f"{url}/shares/{wild}").status_code == 422
    assert len(ann.get(f"{url}/shares").json()) == 1
    assert ann.delete("/api/webhooks/%25").status_code == 404
    assert ann.get("/api/jobs/%25").status_code == 404


def test_headers_cannot_be_injected(ann: httpx.Client) -> None:
    evil = "a\r\nSet-Cookie: admin=1"
    made = ann.post("/api/sessions", json={"location": evil})
    listed = ann.get("/api/sessions", params={"limit": 1, "session_type": evil})
    redirected = ann.get("/api/sessions", params={"offset": 0, "limit": 1, "x": evil})
    for answer in (made, listed, redirected):
        assert "admin" not in answer.cookies
        assert not any("admin=1" in value and name == "set-cookie" for name, value in answer.headers.items())
    began = ann.post(
        "/api/sessions/" + made.json()["session_id"] + "/upload/resumable",
        headers={"Upload-Length": "5", "Upload-Metadata": "filename YQ0KU2V0LUNvb2tpZTogYWRtaW49MQ=="},
    )
    assert "admin" not in began.cookies
    assert "\n" not in began.headers["Location"]


@pytest.mark.parametrize(
    "fields", [{"role": "admin"}, {"user_id": str(uuid.uuid4())}, {"password_hash": "x"}, {"email": "x@example.org"}]
)
def test_nobody_assigns_what_is_not_theirs_to_assign(ann: httpx.Client, fields: dict[str, str]) -> None:
    before = ann.get("/api/auth/me").json()
    ann.patch("/api/auth/me", json=fields)
    assert ann.get("/api/auth/me").json() == before
    assert before["role"] == "player"
    url = "/api/sessions/" + ann.post("/api/sessions", json={}).json()["session_id"]
    mine = ann.get(url).json()
    evil = {"user_id": str(uuid.uuid4()), "revision": "x", "analysis_key": "y", "deleted_at": "2026-01-01T00:00:00Z"}
    changed = ann.patch(url, json=evil | {"linked_to": str(uuid.uuid4()), "created_at": "2020-01-01T00:00:00Z"}).json()
    assert {name: value for name, value in changed.items() if name != "updated_at"} == {
        name: value for name, value in mine.items() if name != "updated_at"
    }
