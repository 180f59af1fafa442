"""Nobody sees or changes what is another's: every route, asked for by everybody else, with ids that exist."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import update

import squashlib
from api.app import app
from store.tables import User
from tests.api.conftest import Login, Server, _logins

MARK = "Zebulon Q. Marker"
#: Whoever knows these needs no login: what they tell is theirs who ask.
OPEN = {
    "auth_register", "auth_login", "auth_refresh_token", "auth_code", "auth_token", "health_health",
    "shares_open_share",
}  # fmt: skip
#: The end of the account or login with which all others are asked; a stream that never ends is asked for its head.
OWN_END = {"auth_delete_me", "auth_logout"}
#: Behind Voilà, which tests/browser/test_isolation.py starts and asks in the same way.
ELSEWHERE = {"dashboards", "static"}
OCTETS = "application/offset+octet-stream"
DOCUMENT = app.openapi()
OPERATIONS = [
    (method.upper(), path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]


@dataclass
class Everything:
    """One player with one of everything, and the ids by the names that paths give them."""

    client: httpx.Client
    ids: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=lambda: {"kind": "pdf", "secret": "x"})

    def seen(self) -> dict[str, str]:
        """All that the player can look at, by path."""
        held = {}
        for method, path, operation in OPERATIONS:
            if method == "GET" and operation["operationId"] not in OPEN and not path.endswith(("/events", "{kind}")):
                answer = self.client.get(path.format(**self.ids, **self.kinds))
                held[path] = f"{answer.status_code} " + ("" if "export" in path else answer.text)
        return held


@pytest.fixture(scope="module")
def ann(server: Server) -> Iterator[Everything]:
    for login in _logins(server):
        yield made(server, login)


def made(server: Server, login: Login) -> Everything:
    """Everything that there is, made as a player makes it; the analysis as a worker does."""
    match, store = squashlib.simulate(3, rate_hz=10), server.app.state.squash.store
    one, coach = Everything(login()), login()
    ids, client = one.ids, one.client
    ids["user_id"] = client.get("/api/auth/me").json()["user_id"]
    start = {"start_time": match.session.attrs["start_time"], "opponent_name": MARK, "notes": MARK}
    ids["session_id"] = client.post("/api/sessions", json=start).json()["session_id"]
    url = f"/api/sessions/{ids['session_id']}"
    ids["point_id"] = client.post(f"{url}/points", json={"winner": "me"}).json()["point_id"]
    ids["job_id"] = client.post(f"{url}/upload/fit", files={"file": (MARK, b"x")}).json()["job_id"]
    begun = client.post(f"{url}/upload/resumable", headers={"Upload-Length": "9"})
    ids["upload_id"] = begun.headers["Location"].rpartition("/")[2]
    ids["webhook_id"] = client.post("/api/webhooks", json={"url": "https://example.org/hook"}).json()["webhook_id"]
    ids["device_id"] = paired(client)
    ids["coach_id"] = as_role(server, coach, "coach")
    client.post("/api/grants", json={"coach_email": coach.get("/api/auth/me").json()["email"]}).raise_for_status()
    ids["share_id"] = client.post(f"{url}/shares").json()["share_id"]
    analysed(store, ids, match)
    said = {"start": match.session.attrs["start_time"], "end": "2030-01-01T00:00:00Z", "what": "let"}
    client.put(f"{url}/corrections", json={"corrections": [said]}).raise_for_status()
    return one


def paired(client: httpx.Client) -> str:
    """The id of a watch that its player let in."""
    codes = client.post("/api/auth/device/code", json={"client_name": MARK}).json()
    client.post("/api/auth/device/approve", json={"user_code": codes["user_code"]}).raise_for_status()
    client.post("/api/auth/device/token", json={"device_code": codes["device_code"]}).raise_for_status()
    device_id: str = client.get("/api/auth/devices").json()[0]["device_id"]
    return device_id


def analysed(store: Any, ids: dict[str, str], match: Any) -> None:
    session_id = ids["session_id"]
    store.sessions.write_revision(session_id, "r1", match.session)
    analysis = squashlib.analyse(match.session)
    for key in ("k1", "k2"):
        store.sessions.write_analysis(session_id, key, "r1", analysis, {})
    store.reports.put(session_id, ids["user_id"], "p1", "k2", "session_report", f"<html>{MARK}</html>")


def as_role(server: Server, client: httpx.Client, role: str) -> str:
    user_id: str = client.get("/api/auth/me").json()["user_id"]
    with server.app.state.squash.store.catalog.begin() as tx:
        tx.execute(update(User).where(User.user_id == user_id).values(role=role))
    return user_id


def asked(operation: dict[str, Any]) -> dict[str, Any]:
    """Headers and a body that its owner would be answered with success for."""
    given = [one for one in operation.get("parameters", []) if one["in"] == "header" and one["required"]]
    headers = {one["name"]: str(one["schema"].get("minimum", 0)) for one in given}
    content = operation.get("requestBody", {}).get("content", {})
    if "multipart/form-data" in content:
        return {"headers": headers, "files": {"file": ("a.fit", b"bytes")}}
    if OCTETS in content:
        return {"headers": headers | {"Content-Type": OCTETS}, "content": b"bytes"}
    if "application/json" not in content:
        return {"headers": headers}
    plain = {"winner": "me", "other_session_id": str(uuid.uuid4()), "corrections": [], "user_code": "BBBB-BBBB"}
    plain |= {"coach_email": "nobody@example.org", "url": "https://example.org/hook"}
    return {"headers": headers, "json": content["application/json"].get("example") or plain}


def test_the_player_has_one_of_everything(ann: Everything) -> None:
    """Else the others would be refused what is not there."""
    refused = {path: text[:200] for path, text in ann.seen().items() if text[:3] != "200"}
    assert refused.keys() == {"/api/research/sessions", "/api/research/sessions/{session_id}/analysis"}
    assert all(text.startswith("403") for text in refused.values())
    named = {one["name"] for *_, op in OPERATIONS for one in op.get("parameters", []) if one["in"] == "path"}
    assert named == ann.ids.keys() | ann.kinds.keys(), "a new kind of id: make one, so that others are refused it"


@pytest.mark.parametrize("role", ["player", "coach", "researcher"])
def test_nobody_else_gets_at_any_of_it(ann: Everything, server: Server, login: Login, role: str) -> None:
    ben, before, told = login(), ann.seen(), []
    as_role(server, ben, role)
    own = ann.ids | {"session_id": ben.post("/api/sessions", json={}).json()["session_id"]}
    for method, path, operation in OPERATIONS:
        if operation["operationId"] in OPEN | OWN_END:
            continue
        inner = path.count("{") > ("{kind}" in path) + 1  # what is hers is not found in his own session either
        for ids in (ann.ids, own)[: 1 + inner]:
            answer = ben.request(method, path.format(**ids, **ann.kinds), **asked(operation))
            missed = "{" in path and answer.status_code != 404 and not refused_by_role(path, answer, role)
            if missed or MARK in answer.text or (answer.is_success and ann.ids["user_id"] in answer.text):
                told.append((method, path, answer.status_code, answer.text[:200]))
    assert told == []
    assert ann.seen() == before


def refused_by_role(path: str, answer: httpx.Response, role: str) -> bool:
    return path.startswith("/api/research") and role != "researcher" and answer.status_code == 403


def test_what_a_body_names_must_be_ones_own(ann: Everything, login: Login) -> None:
    ben, session_id = login(), ann.ids["session_id"]
    mine = ben.post("/api/sessions", json={}).json()["session_id"]
    assert ben.post(f"/api/sessions/{mine}/merge", json={"other_session_id": session_id}).status_code == 404
    assert ben.post("/api/sessions", json={"session_id": session_id}).status_code == 409
    taken = ben.post(f"/api/sessions/{mine}/points", json={"winner": "me", "point_id": ann.ids["point_id"]})
    assert taken.json()["session_id"] == mine, "ids of points are told apart by their session"
    points = ann.client.get(f"/api/sessions/{session_id}/points").json()
    assert [point["point_id"] for point in points] == [ann.ids["point_id"]]


def test_a_stranger_gets_in_nowhere(ann: Everything, client: httpx.Client) -> None:
    let_in = []
    for method, path, operation in OPERATIONS:
        answer = client.request(method, path.format(**ann.ids, **ann.kinds), **asked(operation))
        if operation["operationId"] not in OPEN and answer.status_code != 401:
            let_in.append((method, path, answer.status_code))
    assert let_in == []


def test_every_route_is_walked() -> None:
    """Those outside the document are pages, and Voilà's."""
    documented = {(method, path) for method, path, _ in OPERATIONS}
    others = {
        route.path.split("/")[1]
        for route in app.routes
        if isinstance(route, APIRoute) and "OPTIONS" not in route.methods
        and not {(method, route.path) for method in route.methods} <= documented
    }  # fmt: skip
    assert others == ELSEWHERE | {"", "metrics"}
    assert "Q. Marker" not in json.dumps(DOCUMENT)
