"""The requests of the apps that are in use, byte for byte and in their order."""

import json

import httpx

JSON = {"Content-Type": "application/json; charset=UTF-8"}
POINT = (
    b'{"winner":"me","score_me_before":0,"score_opponent_before":0,"score_me_after":1,'
    b'"score_opponent_after":0,"game_number":1,"is_let":"false"}'
)


def test_a_match_by_phone_and_watch(client: httpx.Client) -> None:
    account = b'{"email":"phone.of.ann@example.org","password":"secret password","full_name":"Ann"}'
    assert client.post("/api/auth/register", content=account, headers=JSON).status_code == 201
    login = client.post(
        "/api/auth/login", content=b'{"email":"phone.of.ann@example.org","password":"secret password"}', headers=JSON
    )
    client.cookies.clear()
    client.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
    assert client.get("/api/auth/me").json()["full_name"] == "Ann"

    made = client.post(
        "/api/sessions",
        content=b'{"session_type":"match","sport":"squash","scoring_system":"american","opponent_name":"Ben",'
        b'"location":"Club","metadata":"{\\"court\\":2}"}',
        headers=JSON,
    )
    assert made.status_code == 201
    session_id = made.json()["session_id"]
    assert made.json()["end_time"] is None
    assert json.loads(made.json()["metadata"]) == {"court": 2}, "who sends a string reads a string"

    listed = client.get("/api/sessions").json()
    names = {"session_id", "user_id", "session_type", "sport", "scoring_system", "opponent_name", "location"}
    names |= {"start_time", "end_time", "sync_status", "final_score_me", "final_score_opponent"}
    assert isinstance(listed, list)
    assert names <= listed[0].keys()

    url = f"/api/sessions/{session_id}"
    first = client.post(f"{url}/points", content=POINT, headers=JSON)
    assert first.status_code == 201
    assert first.json()["is_let"] == "false"
    assert json.loads(POINT).items() <= first.json().items()
    assert {"point_id", "session_id", "timestamp"} <= first.json().keys()
    again = client.post(f"{url}/points", content=POINT, headers=JSON)
    assert again.json()["point_id"] == first.json()["point_id"], "the answer was lost: the same point, not a second"
    let = POINT.replace(b'"is_let":"false"', b'"is_let":"true"').replace(b'"score_me_before":0', b'"score_me_before":1')
    assert client.post(f"{url}/points", content=let, headers=JSON).json()["is_let"] == "true"
    assert len(client.get(f"{url}/points").json()) == 2
    assert client.delete(f"{url}/points/last").status_code == 204
    assert [point["point_id"] for point in client.get(f"{url}/points").json()] == [first.json()["point_id"]]

    batch = b'{"data_points":[{"bpm":151,"timestamp":"2025-10-31T18:00:00.000Z"}]}'
    for _ in range(2):
        sent = client.post(f"{url}/heart-rate", content=batch, headers=JSON)
        assert sent.is_success
        assert sent.json()["count"] == 1
        assert isinstance(sent.json()["message"], str)
    assert len(client.get(f"{url}/uploads").json()["uploads"]) == 1

    ended = client.patch(
        url,
        content=b'{"end_time":"2099-10-31T19:00:00.000Z","final_score_me":3,"final_score_opponent":1,"total_games":4,'
        b'"total_lets":1,"notes":"good","metadata":"{\\"court\\":3}"}',
        headers=JSON,
    )
    assert ended.json()["final_score_me"] == 3
    assert ended.json()["end_time"] == "2099-10-31T19:00:00.000Z"


def test_errors_are_texts(client: httpx.Client) -> None:
    wrong = client.post("/api/auth/register", json={"email": "no", "password": "x"})
    assert wrong.status_code == 422
    assert wrong.headers["content-type"] == "application/problem+json"
    assert isinstance(wrong.json()["detail"], str)
    assert {error["pointer"] for error in wrong.json()["errors"]} == {"#/email", "#/password"}
    assert "x" not in [error["detail"] for error in wrong.json()["errors"]]
    assert client.get("/api/sessions").status_code == 401
    assert isinstance(client.get("/api/nowhere").json()["detail"], str)
