"""Webhooks: signed as the specification says, told once, never sent into a private network."""

import base64
import hashlib
import hmac
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from flows.webhooks import is_public, signature, tell
from store.tables import Delivery, Webhook
from tests.api.conftest import Server


class Receiver(ThreadingHTTPServer):
    got: list[tuple[dict[str, str], bytes]]
    answers: list[int]


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver(("127.0.0.1", 0), Handler)
    server.got, server.answers = [], [500]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_point_is_told_signed_and_once(ann: httpx.Client, server: Server, receiver: Receiver) -> None:
    made = ann.post("/api/webhooks", json={"url": "https://example.org/hook", "events": ["point"]}).json()
    store = server.app.state.squash.store
    here = f"http://127.0.0.1:{receiver.server_port}/hook"
    with store.catalog.begin() as tx:  # the API takes public https addresses only
        tx.execute(update(Webhook).where(Webhook.webhook_id == made["webhook_id"]).values(url=here))
    url = "/api/sessions/" + ann.post("/api/sessions", json={}).json()["session_id"]
    ann.post(f"{url}/points", json={"winner": "me"})

    tell(store)
    assert receiver.got == [], "an address of this machine is not the public internet"
    due_again(store, made["webhook_id"])
    tell(store, may_reach=lambda _: True)
    due_again(store, made["webhook_id"])
    tell(store, may_reach=lambda _: True)
    tell(store, may_reach=lambda _: True)
    assert len(receiver.got) == 2, "refused once (500), then taken, then never again"
    (first, _), (headers, body) = receiver.got
    assert first["webhook-id"] == headers["webhook-id"]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body.decode()}".encode()
    key = base64.b64decode(made["secret"].removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert ann.delete(f"/api/webhooks/{made['webhook_id']}").status_code == 204


def due_again(store: Any, webhook_id: str) -> None:
    from store.tables import now

    with store.catalog.begin() as tx:
        assert tx.scalar(select(Delivery.last_error).where(Delivery.webhook_id == webhook_id))
        tx.execute(update(Delivery).where(Delivery.webhook_id == webhook_id).values(next_at=now()))


def test_the_specifications_own_example() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = '{"test": 2432232314}'
    sent = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert sent == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "192.168.1.1",
        "::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001:0:7f00:1::",
        "fe80::1%lo",
        "fec0::1",
        "fd00:ec2::254",
        "100.100.100.200",
        "192.0.0.192",
        "0.0.0.0",
        "224.0.0.1",
    ],
)
def test_private_addresses_are_not_reached(address: str) -> None:
    assert not is_public(address)


def test_public_addresses_are() -> None:
    assert is_public("93.184.216.34")
    assert is_public("2606:2800:220:1:248:1893:25c8:1946")


@pytest.mark.parametrize(
    "url", ["http://example.org/", "https://user@example.org/", "ftp://example.org", "https:///x", "x"]
)
def test_addresses_that_are_none(ann: httpx.Client, url: str) -> None:
    assert ann.post("/api/webhooks", json={"url": url}).status_code == 422
