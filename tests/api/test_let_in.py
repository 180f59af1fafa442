"""Who is let in: tokens that do not hold, logins that end, roles that nobody gives themselves."""

import base64
import json
import time
import uuid
from types import SimpleNamespace
from typing import Any

import httpx
import jwt
import pytest
from fastapi.routing import APIRoute

from api import access, subject, tokens
from api.app import app
from tests.api.conftest import Login, Server


def forged(claims: dict[str, Any], key: str, algorithm: str) -> str:
    return jwt.encode(claims, key, algorithm=algorithm)


def test_tokens_that_do_not_hold(ann: httpx.Client, server: Server) -> None:
    token = ann.headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    key = server.app.state.squash.secret_key
    header, payload, signature = token.split(".")
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).rstrip(b"=").decode()
    bad = {
        "expired": forged(claims | {"exp": int(time.time()) - 60}, key, "HS256"),
        "other key": forged(claims, "another key that is long enough to sign", "HS256"),
        "alg none": f"{none}.{payload}.",
        "alg changed": forged(claims, key, "HS512"),
        "wrong audience": forged(claims | {"aud": "other"}, key, "HS256"),
        "wrong issuer": forged(claims | {"iss": "other"}, key, "HS256"),
        "other user": forged(claims | {"sub": str(uuid.uuid4())}, key, "HS256"),
        "other family": forged(claims | {"fam": str(uuid.uuid4())}, key, "HS256"),
        "no end": forged({name: value for name, value in claims.items() if name != "exp"}, key, "HS256"),
        "cut": f"{header}.{payload}.{signature[:-4]}",
        "empty": "",
    }
    for what, wrong in bad.items():
        assert ann.get("/api/auth/me", headers={"Authorization": f"Bearer {wrong}".strip()}).status_code == 401, what
    assert ann.get("/api/auth/me").status_code == 200


def test_a_token_that_was_good_is_none_after_its_end(ann: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a signature said is remembered; when it ends is looked at each time."""
    assert ann.get("/api/auth/me").status_code == 200
    later = time.time() + tokens.ACCESS_LIFE.total_seconds()
    for moment, status in ((later - 60, 200), (later + 1, 401)):
        monkeypatch.setattr(tokens, "time", SimpleNamespace(time=lambda moment=moment: moment))
        assert ann.get("/api/auth/me").status_code == status


def test_no_endpoint_forgets_to_let_in_who_knocks() -> None:
    asked = [
        route for route in app.routes
        if isinstance(route, APIRoute) and any(one.call is access.knock for one in route.dependant.dependencies)
    ]  # fmt: skip
    assert len(asked) > 50
    for route in asked:
        assert route.endpoint.__code__ is subject._guarded(print).__code__, route.path


def test_refresh_rotates_and_a_reused_one_ends_the_login(ann: httpx.Client) -> None:
    first = ann.headers["X-Test-Refresh"]
    second = ann.post("/api/auth/refresh-token", json={"refresh_token": first}).json()["refresh_token"]
    lost = ann.post("/api/auth/refresh-token", json={"refresh_token": first})
    assert lost.status_code == 200, "the answer was lost: once more, at once, is no theft"
    assert ann.post("/api/auth/refresh-token", json={"refresh_token": second}).status_code == 200
    assert ann.post("/api/auth/refresh-token", json={"refresh_token": first}).status_code == 401
    third = lost.json()["refresh_token"]
    assert ann.post("/api/auth/refresh-token", json={"refresh_token": third}).status_code == 401
    assert ann.get("/api/auth/me").status_code == 401, "access tokens of the family end with it"


def test_an_address_fits_its_column_in_lower_case_too(client: httpx.Client) -> None:
    grows = "\u0130" * 310 + "@a.bc"  # two letters in lower case
    answer = client.post("/api/auth/register", json={"email": grows, "password": "correct horse battery"})
    assert answer.status_code == 422


def test_logout_ends_the_access_token(ann: httpx.Client) -> None:
    assert ann.post("/api/auth/logout").status_code == 204
    assert ann.get("/api/auth/me").status_code == 401


def test_a_player_chooses_how_long_what_their_devices_sent_is_kept(ann: httpx.Client) -> None:
    assert ann.get("/api/auth/me").json()["keep_originals"] is True
    assert ann.patch("/api/auth/me", json={"keep_originals": False}).json()["keep_originals"] is False
    assert ann.get("/api/auth/me").json()["keep_originals"] is False
    assert ann.patch("/api/auth/me", json={"keep_originals": "perhaps"}).status_code == 422


def test_nobody_makes_themselves_an_admin(login: Login) -> None:
    ann = login()
    ann.patch("/api/auth/me", json={"role": "admin", "user_id": str(uuid.uuid4()), "full_name": "Ann"})
    assert ann.get("/api/auth/me").json()["role"] == "player"
    made = ann.post("/api/sessions", json={"user_id": str(uuid.uuid4()), "analysis_key": "x", "revision": "y"}).json()
    assert made["user_id"] == ann.get("/api/auth/me").json()["user_id"]
    assert made["sync_status"] == "pending"


def test_a_cookie_alone_changes_nothing(client: httpx.Client) -> None:
    account = {"email": "cookie@example.org", "password": "correct horse battery"}
    client.post("/api/auth/register", json=account)
    login = client.post("/api/auth/login", json=account)
    assert "httponly" in login.headers["set-cookie"].lower()
    assert "samesite=lax" in login.headers["set-cookie"].lower()
    assert client.get("/api/auth/me").status_code == 200
    assert client.post("/api/sessions", json={}).status_code == 403
    assert client.post("/api/sessions", json={}, headers={"X-Requested-With": "squash"}).status_code == 201
