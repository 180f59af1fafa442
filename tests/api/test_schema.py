"""The OpenAPI document against the server: no 5xx, no answer that is not in it."""

import gzip
import json
import re
import uuid
from typing import Any

import httpx
import jsonschema
import msgpack
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import app
from tests.api.conftest import Server
from tests.services import PATIENCE_S

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@schemathesis.serializer("application/msgpack")
def _packed(_context: Any, value: Any) -> bytes:
    return msgpack.packb(value)


@schemathesis.serializer("application/gzip")
def _zipped(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else gzip.compress(json.dumps(value).encode())


schema = schemathesis.openapi.from_dict(app.openapi())


@pytest.fixture
def session_id(ann: httpx.Client) -> str:
    made: str = ann.post("/api/sessions", json={}).json()["session_id"]
    return made


# Left out, with tests of their own: a stream without end, octets at an offset that must be right, and the end of the
# account with which all others are asked.
@(
    schema.exclude(path_regex="/events$")
    .exclude(path_regex="/resumable/", method="PATCH")
    .exclude(path="/api/auth/me", method="DELETE")
    .parametrize()
)
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_answers_are_documented(case: schemathesis.Case, ann: httpx.Client, session_id: str, server: Server) -> None:
    if "session_id" in (case.path_parameters or {}):
        case.path_parameters["session_id"] = session_id  # reach what lies behind the 404
    answer = case.call(base_url=server.url, headers={"Authorization": ann.headers["Authorization"]}, timeout=PATIENCE_S)
    case.validate_response(answer, checks=CHECKS)


DOCUMENT = app.openapi()
OPERATIONS = [
    (method, path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]


def resolved(node: Any) -> Any:
    """The document's node with all references put in."""
    if isinstance(node, dict) and "$ref" in node:
        return resolved(DOCUMENT["components"]["schemas"][node["$ref"].rpartition("/")[2]])
    if isinstance(node, dict):
        return {name: resolved(value) for name, value in node.items()}
    return [resolved(value) for value in node] if isinstance(node, list) else node


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=lambda part: str(part)[:60])
def test_every_operation_can_be_generated(method: str, path: str, operation: dict[str, Any]) -> None:
    """A generated client gets a name, words, a typed answer, and every error as one type."""
    assert re.fullmatch(r"[a-z]+_[a-z0-9_]+", operation["operationId"])
    assert operation["description"], "says what it does"
    if path != "/health":
        assert {"401", "403", "404", "409", "413", "415", "422", "429", "503"} <= operation["responses"].keys()
    for status, answer in operation["responses"].items():
        assert answer["description"], status
        for kind, content in answer.get("content", {}).items():
            if kind == "application/problem+json" and content:
                assert content["schema"] == {"$ref": "#/components/schemas/ProblemBody"}
            if kind == "application/json" and status[0] == "2" and "resumable" not in path:
                assert "$ref" in json.dumps(content["schema"]), f"{status} has no type"
    for body in operation.get("requestBody", {}).get("content", {}).values():
        whole = resolved(body["schema"])
        required = {name: whole["properties"][name] for name in whole.get("required", ())}
        for name, field in required.items():
            binary = field.get("format") == "binary" or "contentMediaType" in field
            assert binary or {"examples", "enum", "const"} & field.keys(), f"{name} has no example"


def test_names_are_unique() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(names) == len(set(names))


class Generated:
    """A client made of the document alone, by operation; it reads answers as the document types them."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.operations = {op["operationId"]: (method, path, op) for method, path, op in OPERATIONS}

    def call(self, name: str, body: Any = None, **parameters: Any) -> Any:
        method, path, operation = self.operations[name]
        answer = self.http.request(method, path.format(**parameters), json=body)
        content = operation["responses"][str(answer.status_code)].get("content", {})
        if "application/json" not in content:
            return None
        jsonschema.validate(answer.json(), resolved(content["application/json"]["schema"]))
        return answer.json()


def test_a_generated_client_plays_a_match(client: httpx.Client) -> None:
    api = Generated(client)
    account = resolved(DOCUMENT["components"]["schemas"]["Account"])["properties"]
    body = {name: account[name]["examples"][0] for name in ("email", "password")}
    body["email"] = f"{uuid.uuid4().hex}@example.org"
    user_id = api.call("auth_register", body)["user_id"]
    token = api.call("auth_login", body)["access_token"]
    client.cookies.clear()
    client.headers["Authorization"] = f"Bearer {token}"
    session_id = api.call("sessions_create", {"opponent_name": "Ben"})["session_id"]
    for winner in ("me", "opponent"):
        api.call("points_add", {"winner": winner}, session_id=session_id)
    assert [p["winner"] for p in api.call("points_list_points", session_id=session_id)] == ["me", "opponent"]
    for name in ("hr_data", "heart_rate", "sensor_data", "gps", "spo2", "temperature", "activity"):
        operation = api.operations[f"uploads_{name}"][2]
        example = operation["requestBody"]["content"]["application/json"]["example"]
        assert api.call(f"uploads_{name}", example, session_id=session_id)["count"] > 0
    assert len(api.call("uploads_uploads", session_id=session_id)["uploads"]) == 7
    assert api.call("uploads_status", session_id=session_id)["status"] == "queued"
    api.call("sessions_patch", {"final_score_me": 3, "final_score_opponent": 0}, session_id=session_id)
    figures = api.call("statistics_statistics", user_id=user_id)
    assert figures["opponents"][0]["matches_won"] == 1
    api.call("statistics_trends", user_id=user_id)
    assert api.call("sessions_list_sessions")[0]["final_score_me"] == 3
