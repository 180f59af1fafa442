"""What comes in is bounded before it fills memory or disk: strangers' forms are not read at all."""

import socket
import uuid
from collections.abc import Iterator

import httpx
import pytest

from tests.api.conftest import Server

PART = b'--X\r\nContent-Disposition: form-data; name="%s"; filename="a.fit"\r\n\r\n'
FORM = {"Content-Type": "multipart/form-data; boundary=X"}
MIB = 1 << 20


def pieces(mib: int, head: bytes, tail: bytes) -> Iterator[bytes]:
    """A body whose length nobody says."""
    yield head
    for _ in range(mib):
        yield bytes(MIB)
    yield tail


def post(client: httpx.Client, path: str, body: Iterator[bytes], headers: dict[str, str]) -> int | None:
    """The status, None if the server hung up."""
    try:
        return client.post(path, content=body, headers=headers).status_code
    except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        return None


def test_a_strangers_recording_is_not_read(server: Server) -> None:
    """Who it is stands in the head: the answer is there while the form is still on its way."""
    host, port = server.socket.getsockname()
    path = f"/api/sessions/{uuid.uuid4()}/upload/fit"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM['Content-Type']}\r\nContent-Length: {MIB}\r\n\r\n"
    with socket.create_connection((host, port), timeout=60) as line:
        line.sendall(head.encode() + PART % b"file")
        assert line.recv(100).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "too-much"}], ids=["plain", "keyed"])
def test_a_recording_without_end_is_refused(
    ann: httpx.Client, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.bodies.MOST_OF_RECORDING", 4 * MIB)
    url = "/api/sessions/" + ann.post("/api/sessions", json={}).json()["session_id"]
    body = pieces(64, PART % b"file", b"\r\n--X--\r\n")
    assert post(ann, f"{url}/upload/fit", body, {**FORM, **headers}) in (413, None)
    assert ann.get(f"{url}/uploads").json()["uploads"] == []


def test_a_keyed_request_without_end_is_refused(ann: httpx.Client) -> None:
    """Its body is read by the middleware that keeps answers, before any route could say that it is too much."""
    body = pieces(3, b'{"notes":"', b'"}')
    headers = {"Content-Type": "application/json", "Idempotency-Key": "much"}
    assert post(ann, "/api/sessions", body, headers) in (413, None)


def test_a_form_holds_one_file(ann: httpx.Client) -> None:
    """Each part of a form is held in memory up to a megabyte: a thousand of them would be a gigabyte."""
    url = "/api/sessions/" + ann.post("/api/sessions", json={}).json()["session_id"]
    many = [(f"file{i}", ("a.fit", b"x")) for i in range(20)]
    assert ann.post(f"{url}/upload/fit", files=many).status_code == 400
    assert ann.post(f"{url}/upload/fit", data={f"f{i}": "x" for i in range(20)}, files=many[:1]).status_code == 400
    for wrong in ({"data": {"file": "text"}}, {"files": {"other": ("a.fit", b"x")}}, {"json": {}}):
        assert ann.post(f"{url}/upload/fit", **wrong).status_code == 422  # type: ignore[arg-type]
    one = ann.post(f"{url}/upload/fit", files={"file": ("a.fit", b"x")}, data={"note": "from my phone"})
    assert one.status_code == 202
