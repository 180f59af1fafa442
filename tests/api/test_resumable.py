"""A bad link: the upload goes on where it broke off; and a pairing as RFC 8628 has it, with forms."""

import base64
import hashlib
import random
import uuid
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from tests.api.conftest import Login, Server

BYTES = random.Random(1).randbytes(300_000)
HEADERS = {"Content-Type": "application/offset+octet-stream"}


def begin(client: httpx.Client) -> tuple[str, str]:
    url = "/api/sessions/" + client.post("/api/sessions", json={}).json()["session_id"]
    name = base64.b64encode(b"../../match.fit").decode()
    made = client.post(
        f"{url}/upload/resumable", headers={"Upload-Length": str(len(BYTES)), "Upload-Metadata": f"filename {name}"}
    )
    assert made.status_code == 201
    return url, made.headers["Location"]


def test_an_upload_goes_on_where_it_broke_off(ann: httpx.Client, login: Login, server: Server) -> None:
    url, place = begin(ann)
    first = ann.patch(place, content=BYTES[:100_000], headers={**HEADERS, "Upload-Offset": "0"})
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "100000")
    again = ann.patch(place, content=BYTES[:100_000], headers={**HEADERS, "Upload-Offset": "0"})
    assert again.status_code == 409
    assert ann.head(place).headers["Upload-Offset"] == "100000"
    assert login().head(place).status_code == 404
    last = ann.patch(place, content=BYTES[100_000:], headers={**HEADERS, "Upload-Offset": "100000"})
    assert last.status_code == 204
    assert ann.get(f"/api/jobs/{last.headers['Upload-Job']}").json()["kind"] == "process"
    (upload,) = ann.get(f"{url}/uploads").json()["uploads"]
    assert (upload["name"], upload["bytes"]) == ("match.fit", len(BYTES))
    assert server.app.state.squash.store.uploads.read(upload["sha256"]) == BYTES
    assert ann.head(place).status_code == 404


def test_more_than_announced_and_given_up(ann: httpx.Client) -> None:
    _, place = begin(ann)
    more = ann.patch(place, content=BYTES + b"!", headers={**HEADERS, "Upload-Offset": "0"})
    assert more.status_code == 413
    assert ann.delete(place).status_code == 204
    assert ann.delete(place).status_code == 404
    assert ann.head(place.rpartition("/")[0] + f"/{uuid.uuid4()}").status_code == 404


def test_what_the_protocol_asks_for(ann: httpx.Client, client: httpx.Client) -> None:
    url = "/api/sessions/" + ann.post("/api/sessions", json={}).json()["session_id"] + "/upload/resumable"
    told = client.options(url)
    assert (told.status_code, told.headers["Tus-Version"], told.headers["Tus-Resumable"]) == (204, "1.0.0", "1.0.0")
    assert told.headers["Tus-Extension"].split(",") == ["creation", "expiration", "checksum", "termination"]
    old = ann.post(url, headers={"Upload-Length": "5", "Tus-Resumable": "0.2.2"})
    assert (old.status_code, old.headers["Tus-Version"]) == (412, "1.0.0")
    assert ann.post(url, headers={"Upload-Length": str(int(told.headers["Tus-Max-Size"]) + 1)}).status_code == 413
    said = "filename bWF0Y2guZml0,lap MQ=="
    made = ann.post(url, headers={"Upload-Length": "5", "Upload-Metadata": said, "Tus-Resumable": "1.0.0"})
    asked = ann.head(made.headers["Location"])
    assert (asked.headers["Upload-Metadata"], asked.headers["Cache-Control"]) == (said, "no-store")
    ends = parsedate_to_datetime(asked.headers["Upload-Expires"]) - datetime.now(UTC)
    assert timedelta(days=6) < ends < timedelta(days=8)


def test_a_key_gives_the_same_place_again(ann: httpx.Client) -> None:
    url = "/api/sessions/" + ann.post("/api/sessions", json={}).json()["session_id"] + "/upload/resumable"
    headers = {"Upload-Length": "5", "Idempotency-Key": "one-place"}
    places = [ann.post(url, headers=headers) for _ in range(2)]
    assert places[1].headers["Idempotency-Replayed"] == "true"
    assert places[0].headers["Location"] == places[1].headers["Location"]


def test_a_part_that_was_damaged_on_its_way_is_sent_again(ann: httpx.Client) -> None:
    url, place = begin(ann)
    half = {**HEADERS, "Upload-Offset": "0"}
    sums = {name: base64.b64encode(hashlib.new(name, BYTES[:9]).digest()).decode() for name in ("sha1", "sha256")}
    damaged = ann.patch(place, content=b"?" + BYTES[1:9], headers={**half, "Upload-Checksum": f"sha1 {sums['sha1']}"})
    assert (damaged.status_code, ann.head(place).headers["Upload-Offset"]) == (460, "0")
    assert ann.patch(place, content=BYTES[:9], headers={**half, "Upload-Checksum": "md5 AAAA"}).status_code == 400
    good = ann.patch(place, content=BYTES[:9], headers={**half, "Upload-Checksum": f"sha256 {sums['sha256']}"})
    assert (good.status_code, good.headers["Upload-Offset"]) == (204, "9")
    assert ann.delete(url, params={"purge": True}).status_code == 204
    assert ann.head(place).status_code == 404, "with its session goes what was on its way to it"


def test_a_watch_is_paired_by_forms_as_oauth_libraries_send_them(ann: httpx.Client, client: httpx.Client) -> None:
    codes = client.post("/api/auth/device/code", data={"client_id": "watch", "client_name": "Watch 3"}).json()
    asked = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": codes["device_code"]}
    pending = client.post("/api/auth/device/token", data=asked)
    assert (pending.status_code, pending.json()["error"]) == (400, "authorization_pending")
    assert client.post("/api/auth/device/token", data=asked).json()["error"] == "slow_down"
    assert ann.post("/api/auth/device/approve", json={"user_code": "WRNG-CODE"}).status_code == 404
    assert ann.post("/api/auth/device/approve", json={"user_code": codes["user_code"].lower()}).status_code == 204
    pair = client.post("/api/auth/device/token", data=asked)
    assert pair.json()["token_type"] == "bearer"
    assert client.post("/api/auth/device/token", json=asked).json()["error"] == "expired_token", "once only"
    token = {"Authorization": f"Bearer {pair.json()['access_token']}"}
    assert client.get("/api/auth/me", headers=token).json() == ann.get("/api/auth/me").json()


def test_the_end_of_a_session_of_points_alone_promises_its_analysis(ann: httpx.Client) -> None:
    url = "/api/sessions/" + ann.post("/api/sessions", json={"start_time": "2026-01-01T10:00:00Z"}).json()["session_id"]
    ann.patch(url, json={"end_time": "2026-01-01T10:30:00Z"})
    assert ann.get(f"{url}/upload/status").status_code == 404, "nothing to analyse"
    ann.post(f"{url}/points", json={"winner": "me", "timestamp": "2026-01-01T10:10:00Z"})
    ann.patch(url, json={"end_time": "2026-01-01T10:40:00Z"})
    status = ann.get(f"{url}/upload/status").json()
    assert status["status"] == "queued"
    sent = ann.post(f"{url}/upload/fit", files={"file": ("a.fit", b"bytes")})
    assert sent.json()["job_id"] == status["job_id"], "the recording that follows is part of the same work"
