"""The OpenAPI document against the server: no 5xx, no answer that is not in it."""

import httpx
import pytest
import schemathesis
from conftest import Login, Server
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import app

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


schema = schemathesis.openapi.from_dict(app.openapi())


@pytest.fixture
def session_id(ann: httpx.Client) -> str:
    made: str = ann.post("/api/sessions", json={}).json()["session_id"]
    return made


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
    answer = case.call(base_url=server.url, headers={"Authorization": ann.headers["Authorization"]}, timeout=30)
    case.validate_response(answer, checks=CHECKS)


def test_every_operation_has_words_and_errors(login: Login, server: Server) -> None:
    document = httpx.get(f"{server.url}/openapi.json").json()
    assert "ProblemBody" in document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), f"{method} {path} says not what it does"
            assert path == "/health" or "422" in operation["responses"], f"{method} {path}"
