"""Points of one match from one device and from two: corrections, undo, and whose press counts."""

from typing import Any

import httpx
import pytest

from store.points import events_of
from tests.api.conftest import Server


@pytest.fixture
def url(ann: httpx.Client) -> str:
    return "/api/sessions/" + str(ann.post("/api/sessions", json={"start_time": at(0)}).json()["session_id"])


def at(second: int) -> str:
    return f"2026-01-15T10:{second // 60:02}:{second % 60:02}.000Z"


def press(ann: httpx.Client, url: str, second: int, winner: str = "me", **more: Any) -> dict[str, Any]:
    answer = ann.post(f"{url}/points", json={"timestamp": at(second), "winner": winner, **more})
    assert answer.status_code == 201
    found: dict[str, Any] = answer.json()
    return found


def held(ann: httpx.Client, url: str, **query: Any) -> list[tuple[str, str]]:
    return [(point["source"], point["winner"]) for point in ann.get(f"{url}/points", params=query).json()]


def test_undo_gives_the_values_before_a_correction_back(ann: httpx.Client, url: str, server: Server) -> None:
    press(ann, url, 10)
    second = press(ann, url, 40, "opponent", score_me_after=1, score_opponent_after=1, game_number=1)
    before = ann.get(f"{url}/points").json()
    for changed in ({"winner": "me", "score_me_after": 2, "score_opponent_after": 0}, {"is_let": True}):
        assert ann.put(f"{url}/points/{second['point_id']}", json=changed).status_code == 200
    assert ann.get(f"{url}/points").json()[1]["is_let"] is True
    assert ann.delete(f"{url}/points/last").status_code == 204
    once = ann.get(f"{url}/points").json()[1]
    assert (once["is_let"], once["winner"], once["score_after"]) == (False, "me", {"me": 2, "opponent": 0})
    assert ann.delete(f"{url}/points/last").status_code == 204
    assert ann.get(f"{url}/points").json() == before
    assert ann.delete(f"{url}/points/{second['point_id']}").status_code == 204
    assert len(ann.get(f"{url}/points").json()) == 1
    assert ann.delete(f"{url}/points/last").status_code == 204
    assert ann.get(f"{url}/points").json() == before, "a removal is taken back too"
    for left in (1, 0):
        assert ann.delete(f"{url}/points/last").status_code == 204
        assert len(ann.get(f"{url}/points").json()) == left
    assert ann.delete(f"{url}/points/last").status_code == 404
    with server.app.state.squash.store.catalog.look() as tx:
        ops = [event.op for event in events_of(tx, url.rpartition("/")[2])]
    assert ops == ["add", "add", "edit", "edit", "undo", "undo", "delete", "undo", "undo", "undo"], "history is kept"


def test_of_watch_and_referee_the_referee_counts(ann: httpx.Client, url: str, server: Server) -> None:
    press(ann, url, 30, "me", source="watch")
    first = press(ann, url, 32, "opponent", source="referee")
    assert first["point_number"] == 1
    assert first["flags"] == ["sources_disagree"]
    late = press(ann, url, 63, "me", source="watch")
    press(ann, url, 60, "me", source="referee")
    press(ann, url, 90, "opponent", source="watch")
    assert late["flags"] == [], "the referee's press was not there yet"
    assert held(ann, url) == [("referee", "opponent"), ("referee", "me"), ("watch", "opponent")]
    everything = ann.get(f"{url}/points", params={"superseded": True}).json()
    assert [(point["source"], point["point_number"]) for point in everything] == [
        ("watch", 1), ("referee", 1), ("referee", 2), ("watch", 2), ("watch", 3),
    ]  # fmt: skip
    assert everything[0]["superseded_by"] == everything[1]["point_id"] == first["point_id"]
    assert everything[0]["flags"] == ["superseded"]
    again = press_again(ann, url, everything[3])
    assert (again["flags"], again["superseded_by"]) == (["superseded"], everything[2]["point_id"])
    analysed = server.app.state.squash.store.sessions.points(url.rpartition("/")[2])
    assert [(point["source"], point["winner"]) for point in analysed] == held(ann, url), "the analysis has the same"


def press_again(ann: httpx.Client, url: str, point: dict[str, Any]) -> dict[str, Any]:
    """After a lost answer."""
    body = {name: point[name] for name in ("point_id", "timestamp", "winner", "source")}
    answer = ann.post(f"{url}/points", json=body)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_undo_takes_the_rally_or_what_one_device_did(ann: httpx.Client, url: str) -> None:
    for second in (30, 60):
        press(ann, url, second, "me", source="referee")
        press(ann, url, second + 2, "opponent", source="watch")
    assert ann.delete(f"{url}/points/last").status_code == 204
    assert held(ann, url, superseded=True) == [("referee", "me"), ("watch", "opponent")]
    assert ann.delete(f"{url}/points/last", params={"source": "referee"}).status_code == 204
    assert held(ann, url) == [("watch", "opponent")], "the referee takes only the own press back"
    assert ann.delete(f"{url}/points/last", params={"source": "referee"}).status_code == 404
    press(ann, url, 31, "me", source="referee")
    counted = ann.get(f"{url}/points").json()
    assert [point["source"] for point in counted] == ["referee"]
    assert ann.put(f"{url}/points/{counted[0]['point_id']}", json={"winner": "opponent"}).json()["flags"] == []
    assert ann.delete(f"{url}/points/{counted[0]['point_id']}").status_code == 204
    assert held(ann, url, superseded=True) == [], "a point that is taken away goes with every press of it"
    assert ann.delete(f"{url}/points/last").status_code == 204
    assert held(ann, url, superseded=True) == [("referee", "opponent"), ("watch", "opponent")]
