"""From the bytes of a watch to insights over HTTP; what is sent again or is too much."""

import gzip
import io
import json
import uuid
import zipfile
from pathlib import Path
from typing import Any

import httpx
import msgpack
import pytest

from flows.work import work_off
from store.tables import SessionRow
from store.uploads import places
from tests.api.conftest import Login, Server

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "fit" / "squash_pixel_watch_3.fit"
HR = {"data": [{"timestamp": f"2026-01-01T10:00:{s:02d}Z", "heart_rate": 120 + s} for s in range(30)]}


def begin(client: httpx.Client, **fields: Any) -> str:
    return "/api/sessions/" + str(client.post("/api/sessions", json=fields).raise_for_status().json()["session_id"])


@pytest.mark.skipif(not REAL.exists(), reason="the real recordings are not beside the checkout")
def test_a_real_recording_becomes_insights_charts_and_statistics(ann: httpx.Client, server: Server) -> None:
    url = begin(ann, start_time="2025-01-01T10:00:00Z", final_score_me=3, final_score_opponent=1)
    sent = ann.post(f"{url}/upload/fit", files={"file": ("../../etc/passwd", REAL.read_bytes())})
    assert sent.status_code == 202
    assert sent.json()["status"] == "processing"
    again = ann.post(f"{url}/upload/fit", files={"file": (REAL.name, REAL.read_bytes())})
    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    assert again.json()["upload_id"] == sent.json()["upload_id"]
    assert again.json()["job_id"] == sent.json()["job_id"]
    assert ann.get(f"{url}/uploads").json()["uploads"][0]["name"] == "passwd"

    work_off(server.app.state.squash.store, sent.json()["job_id"])
    status = ann.get(f"{url}/upload/status").json()
    assert (status["status"], status["progress"]) == ("completed", 100), status
    assert ann.get(f"{url}/uploads").json()["gaps"].keys() >= {"heart_rate"}
    insights = ann.get(f"{url}/insights").json()
    assert insights["session_id"] == url.rpartition("/")[2]
    assert insights["metrics"]["avg_hr_on_won_points"] is None, "no points were pressed"
    chart = ann.get(f"{url}/charts/hr-over-time").json()
    assert 0 < len(chart["timestamps"]) <= 2000
    assert len(chart["timestamps"]) == len(chart["heart_rates"])
    assert set(ann.get(f"{url}/charts/zone-distribution").json()) == {f"zone_{zone}" for zone in range(1, 6)}
    assert ann.get(f"{url}/charts/point-by-point").json() == []
    report = ann.get(f"{url}/report")
    assert "<html" in report.text[:500].lower()
    user_id = ann.get("/api/auth/me").json()["user_id"]
    figures = ann.get(f"/api/users/{user_id}/statistics", params={"period": "all_time"}).json()
    assert figures["totals"]["win_rate"] == 1.0
    assert figures["totals"]["total_session_duration_s"] > 600
    assert len(ann.get(f"/api/users/{user_id}/trends").json()["fitness"]) == 1

    link = ann.post(f"{url}/shares").json()
    with httpx.Client(base_url=server.url) as stranger:
        assert stranger.get(link["url"]).text == report.text
        assert ann.delete(f"{url}/shares/{link['share_id']}").status_code == 204
        assert stranger.get(link["url"]).status_code == 404

    with zipfile.ZipFile(io.BytesIO(ann.get("/api/auth/me/export").content)) as archive:
        names = archive.namelist()
        original = next(name for name in names if "/uploads/" in name)
        assert archive.read(original) == REAL.read_bytes()
    assert ann.delete(url, params={"purge": True}).status_code == 204
    assert ann.get(url).status_code == 404


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (json.dumps(HR).encode(), "application/json"),
        (gzip.compress(json.dumps(HR).encode()), "application/gzip"),
        (msgpack.packb(HR), "application/msgpack"),
    ],
)
def test_batches_come_plain_or_packed_and_twice(ann: httpx.Client, body: bytes, content_type: str) -> None:
    url = begin(ann)
    for _ in range(2):
        sent = ann.post(f"{url}/hr-data", content=body, headers={"Content-Type": content_type})
        assert sent.status_code in (200, 202), sent.text
        assert sent.json()["count"] == 30
    assert len(ann.get(f"{url}/uploads").json()["uploads"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(bytes(200 << 20), 9),
        b"[" * 200_000,
        b'{"data":',
        b"\x00\xff",
        b"{}",
        b"",
    ],
    ids=["bomb", "deep", "cut", "noise", "nothing", "empty"],
)
def test_batches_that_are_none_are_refused(ann: httpx.Client, body: bytes) -> None:
    headers = {"Content-Type": "application/gzip" if body[:2] == b"\x1f\x8b" else "application/json"}
    answer = ann.post(f"{begin(ann)}/hr-data", content=body, headers=headers)
    assert answer.status_code in (413, 422), answer.text
    assert isinstance(answer.json()["detail"], str)


def test_hostile_json_is_refused(ann: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b'{"metadata":' + b"[" * 100_000, b'{"notes":"\\u0000"}', b'{"notes":"\\ud800"}', b'{"notes":NaN}',
                 b'{"metadata":{"a":' * 40 + b"1" + b"}}" * 40):  # fmt: skip
        answer = ann.post("/api/sessions", content=body, headers=headers)
        assert answer.status_code in (400, 422), (body[:40], answer.status_code)
    odd = ann.post("/api/sessions", json={"opponent_name": "%' OR 1=1 --", "location": "a\r\nSet-Cookie: x=1"})
    assert odd.status_code == 201
    assert "x" not in odd.cookies


def test_one_key_one_effect(ann: httpx.Client, login: Login) -> None:
    key = {"Idempotency-Key": "0f8fad5b-d9cb-469f-a165-70867728950e"}
    first = ann.post("/api/sessions", json={"location": "A"}, headers=key)
    again = ann.post("/api/sessions", json={"location": "A"}, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert ann.post("/api/sessions", json={"location": "B"}, headers=key).status_code == 409
    assert login().post("/api/sessions", json={"location": "A"}, headers=key).json() != first.json()
    url = "/api/sessions/" + first.json()["session_id"]
    forms = [
        ann.post(f"{url}/upload/fit", files={"file": ("a.fit", b"x" * 70_000)}, headers={"Idempotency-Key": "u1"})
        for _ in range(2)
    ]
    assert forms[0].json() == forms[1].json(), "each form has a boundary of its own; the file is the same"
    assert forms[1].headers["Idempotency-Replayed"] == "true"
    other = ann.post(f"{url}/upload/fit", files={"file": ("a.fit", b"y" * 70_000)}, headers=key)
    assert other.status_code == 409


def test_points_keep_their_ids_and_history(ann: httpx.Client) -> None:
    url = begin(ann, start_time="2026-01-01T10:00:00Z")
    point = {"point_id": "11111111-2222-4333-8444-555555555555", "timestamp": "2026-01-01T10:05:00Z", "winner": "me"}
    scored = {**point, "score_after": {"me": 7, "opponent": 9}, "game_number": 1}
    made = ann.post(f"{url}/points", json=scored)
    assert made.status_code == 201
    assert made.json()["point_number"] == 1
    assert made.json()["flags"], "nobody has nine after one rally: stored, and flagged"
    assert ann.post(f"{url}/points", json=scored).status_code == 200
    assert ann.post(f"{url}/points", json={**scored, "winner": "opponent"}).status_code == 409
    fixed = {"winner": "me", "score_after": {"me": 1, "opponent": 0}}
    changed = ann.put(f"{url}/points/{point['point_id']}", json=fixed)
    assert changed.json()["score_after"] == {"me": 1, "opponent": 0}
    early = {"timestamp": "2026-01-01T10:01:00Z", "winner": "opponent"}
    ann.post(f"{url}/points", json=early)
    times = [held["timestamp"] for held in ann.get(f"{url}/points").json()]
    assert times == sorted(times)
    assert ann.delete(f"{url}/points/{point['point_id']}").status_code == 204
    assert len(ann.get(f"{url}/points").json()) == 1
    assert ann.post(f"{url}/points", json={"is_let": "maybe"}).status_code == 422


def test_what_was_deleted_can_still_be_erased(ann: httpx.Client, login: Login, server: Server) -> None:
    url = begin(ann)
    sent = ann.post(f"{url}/hr-data", json=HR | {"note": uuid.uuid4().hex})
    assert sent.status_code == 202
    assert ann.delete(url).status_code == 204
    assert ann.delete(url).status_code == 404
    assert login().delete(url, params={"purge": True}).status_code == 404
    assert ann.delete(url, params={"purge": True}).status_code == 204
    assert ann.delete(url, params={"purge": True}).status_code == 404
    with server.app.state.squash.store.catalog.look() as tx:
        assert tx.get(SessionRow, url.rpartition("/")[2]) is None


def test_an_export_lacks_only_what_was_let_go(ann: httpx.Client, server: Server) -> None:
    """Of a player who keeps no originals the bytes go after three months; their rows and all else stay."""
    url = begin(ann)
    for note in ("kept", "let go"):
        ann.post(f"{url}/hr-data", json=HR | {"note": note + uuid.uuid4().hex})
    said = [{"start": "2026-01-12T19:20:00.000Z", "end": "2026-01-12T19:20:09.500Z", "what": "let"}]
    ann.put(f"{url}/corrections", json={"corrections": said})
    gone = ann.get(f"{url}/uploads").json()["uploads"][1]
    for name in places(gone["sha256"]):
        server.app.state.squash.store.blobs.delete(name)
    exported = ann.get("/api/auth/me/export")
    assert exported.status_code == 200
    with zipfile.ZipFile(io.BytesIO(exported.content)) as archive:
        kept = [name for name in archive.namelist() if "/uploads/" in name]
        (corrections,) = (name for name in archive.namelist() if name.endswith("corrections.json"))
        assert json.loads(archive.read(corrections)) == said
    assert len(kept) == 1
    assert gone["upload_id"] not in kept[0]


def test_lists_tell_of_more(ann: httpx.Client) -> None:
    for _ in range(3):
        begin(ann)
    page = ann.get("/api/sessions", params={"limit": 2})
    assert page.headers["X-Total-Count"] == "3"
    assert 'rel="next"' in page.headers["Link"]
    assert ann.get("/api/sessions", params={"limit": 201}).status_code == 422
    assert ann.get("/api/sessions", params={"start_date": "2025-01-01", "session_type": "training"}).json() == []


def test_events_are_a_stream_that_resumes(ann: httpx.Client) -> None:
    url = begin(ann)
    for _ in range(2):
        ann.post(f"{url}/points", json={"winner": "me"})
    ids: list[str] = []
    with ann.stream("GET", f"{url}/events") as stream:
        for line in stream.iter_lines():
            ids += [line.removeprefix("id: ")] if line.startswith("id: ") else []
            if len(ids) == 2:
                break
    with ann.stream("GET", f"{url}/events", headers={"Last-Event-ID": ids[0]}) as stream:
        first = next(line for line in stream.iter_lines() if line.startswith("id: "))
    assert first == f"id: {ids[1]}"


def test_answers_carry_limits_names_and_safety(ann: httpx.Client) -> None:
    answer = ann.get("/api/sessions")
    assert answer.headers["RateLimit"].startswith('"user";r=')
    assert answer.headers["X-Request-Id"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert ann.get("/health").json()["database"] == "ok"
    assert "squash_requests_total" in ann.get("/metrics").text


def test_a_coach_sees_what_is_granted_until_it_is_withdrawn(login: Login, server: Server) -> None:
    from sqlalchemy import update

    from store.tables import User

    player, coach = login(), login()
    mail, coach_id = (coach.get("/api/auth/me").json()[name] for name in ("email", "user_id"))
    assert player.post("/api/grants", json={"coach_email": mail}).status_code == 404, "not a coach"
    with server.app.state.squash.store.catalog.begin() as tx:
        tx.execute(update(User).where(User.user_id == coach_id).values(role="coach"))
    url = begin(player)
    assert coach.get(url).status_code == 404
    assert player.post("/api/grants", json={"coach_email": mail}).status_code == 201
    assert coach.get(url).status_code == 200
    assert coach.patch(url, json={"notes": "mine"}).status_code == 404
    assert player.delete(f"/api/grants/{coach_id}").status_code == 204
    assert coach.get(url).status_code == 404


def test_two_recordings_of_a_match_are_found_and_joined(ann: httpx.Client) -> None:
    one = begin(ann, start_time="2026-01-01T10:00:00Z", end_time="2026-01-01T11:00:00Z")
    two = begin(ann, start_time="2026-01-01T10:10:00Z", end_time="2026-01-01T11:05:00Z")
    begin(ann, start_time="2026-01-01T12:10:00Z", end_time="2026-01-01T13:05:00Z")
    ann.post(f"{two}/hr-data", json=HR)
    found = ann.get(f"{one}/overlaps").json()
    assert [f"/api/sessions/{row['session_id']}" for row in found] == [two]
    joined = ann.post(f"{one}/merge", json={"other_session_id": two.rpartition("/")[2]})
    assert joined.status_code == 202
    assert len(ann.get(f"{one}/uploads").json()["uploads"]) == 1
