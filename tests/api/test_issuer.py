"""Tokens of an external issuer: a real one on this machine, with several keys that rotate."""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from api import issuers
from api.issuers import Issuer


class LocalIssuer:
    """Publishes its public keys and signs with its private ones."""

    def __init__(self) -> None:
        self.keys: dict[str, tuple[str, Any]] = {}
        self.asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                body = json.dumps({"keys": [outer.public(kid) for kid in outer.keys]}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)
        self.thread.start()

    def add(self, kid: str, algorithm: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else rsa.generate_private_key(65537, 2048)
        self.keys[kid] = (algorithm, key)

    def public(self, kid: str) -> dict[str, Any]:
        algorithm, key = self.keys[kid]
        to_jwk = ECAlgorithm.to_jwk if algorithm == "ES256" else RSAAlgorithm.to_jwk
        return {**to_jwk(key.public_key(), as_dict=True), "kid": kid, "alg": algorithm, "use": "sig"}

    def sign(self, kid: str, **changes: Any) -> str:
        algorithm, key = self.keys[kid]
        claims = {"iss": self.url, "aud": "authenticated", "sub": str(uuid.uuid4()), "exp": int(time.time()) + 60}
        claims = {name: value for name, value in (claims | changes).items() if value is not None}
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})


@pytest.fixture
def local() -> Iterator[LocalIssuer]:
    issuer = LocalIssuer()
    issuer.add("old", "RS256")
    issuer.add("new", "ES256")
    yield issuer
    issuer.http.shutdown()
    issuer.http.server_close()
    issuer.thread.join()


def of(local: LocalIssuer) -> Issuer:
    return Issuer(local.url, "authenticated", jwks_url=f"{local.url}/jwks.json", hs256_secret=None)


def test_each_key_of_the_issuer_lets_in(local: LocalIssuer) -> None:
    issuer = of(local)
    for kid in ("old", "new"):
        assert issuer.read(local.sign(kid, email="ann@example.org"))["email"] == "ann@example.org"
    assert local.asked == 1


def test_a_rotated_key_is_fetched_but_not_for_every_guess(local: LocalIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = of(local)
    issuer.read(local.sign("old"))
    local.add("next", "ES256")
    with pytest.raises(jwt.InvalidKeyError):
        issuer.read(local.sign("next"))
    assert local.asked == 1, "unknown key ids do not make us hammer the issuer"
    monkeypatch.setattr(issuers, "ASK_AGAIN_S", 0.0)
    del local.keys["old"]
    issuer.read(local.sign("next"))
    local.add("forged", "RS256")
    token = local.sign("forged")
    del local.keys["forged"]
    with pytest.raises(jwt.InvalidKeyError):
        issuer.read(token)


@pytest.mark.parametrize(
    "changes",
    [{"exp": 1_600_000_000}, {"aud": "other"}, {"iss": "https://other.example"}, {"exp": None}, {"sub": None}],
    ids=["expired", "audience", "issuer", "endless", "nobody"],
)
def test_claims_are_checked(local: LocalIssuer, changes: dict[str, Any]) -> None:
    with pytest.raises(jwt.PyJWTError):
        of(local).read(local.sign("new", **changes))


def test_a_public_key_is_no_shared_secret(local: LocalIssuer) -> None:
    pem = local.keys["old"][1].public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip
    claims = {"iss": local.url, "aud": "authenticated", "sub": "x", "exp": int(time.time()) + 60}
    import base64
    import hashlib
    import hmac

    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
             for part in ({"alg": "HS256", "kid": "old"}, claims)]  # fmt: skip
    mac = hmac.new(pem, b".".join(parts), hashlib.sha256).digest()
    token = b".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()
    with pytest.raises(jwt.PyJWTError):
        of(local).read(token)


def test_a_shared_secret_excludes_keys() -> None:
    secret = "a shared secret that is long enough"
    issuer = Issuer("https://i.example", "authenticated", jwks_url=None, hs256_secret=secret)
    claims = {"iss": "https://i.example", "aud": "authenticated", "sub": "x", "exp": int(time.time()) + 60}
    assert issuer.read(jwt.encode(claims, secret, algorithm="HS256"))["sub"] == "x"
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(jwt.PyJWTError):
        issuer.read(jwt.encode(claims, key, algorithm="ES256"))
    with pytest.raises(ValueError, match="exactly one"):
        Issuer("https://i.example", "a", jwks_url="https://i.example/jwks", hs256_secret=secret)


def test_the_api_takes_them(local: LocalIssuer, tmp_path: Any, database_url: str) -> None:
    from api.access import identify
    from api.state import opened
    from store.settings import Settings

    settings = Settings(
        home=tmp_path,
        database_url=database_url,
        jwt_issuer=local.url,
        jwt_audience="authenticated",
        jwt_jwks_url=f"{local.url}/jwks.json",
    )
    state = opened(settings)
    sub = str(uuid.uuid4())
    first = identify(state, local.sign("new", sub=sub, email="Ann@Example.org"))
    again = identify(state, local.sign("old", sub=sub))
    assert first is not None
    assert again is not None
    assert (first.user_id, again.user_id, first.email) == (sub, sub, "ann@example.org")
    assert identify(state, local.sign("new", aud="other")) is None
    state.hands.shutdown()
    state.store.catalog.close()
