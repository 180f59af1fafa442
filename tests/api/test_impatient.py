"""The same request several times in the same instant, as impatient watches send it."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.services import PATIENCE_S

AT_ONCE = 6


def together(send: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    gate = threading.Barrier(AT_ONCE)

    def go(i: int) -> httpx.Response:
        gate.wait(PATIENCE_S)
        return send(i)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(go, range(AT_ONCE)))


def test_one_session_one_point_one_upload(pair: tuple[httpx.Client, httpx.Client]) -> None:
    ann, _ = pair
    for _ in range(3):
        new = {"session_id": str(uuid.uuid4()), "start_time": "2026-01-01T10:00:00Z"}
        made = together(lambda _, new=new: ann.post("/api/sessions", json=new))
        assert sorted(answer.status_code for answer in made) == [200] * (AT_ONCE - 1) + [201]
        url = f"/api/sessions/{new['session_id']}"
        scored = {"winner": "me", "score_me_before": 0, "score_opponent_before": 0, "score_me_after": 1}
        scored |= {"score_opponent_after": 0, "game_number": 1, "is_let": "false"}
        pressed = together(lambda _, url=url, scored=scored: ann.post(f"{url}/points", json=scored))
        assert sorted(answer.status_code for answer in pressed) == [200] * (AT_ONCE - 1) + [201]
        assert len({answer.json()["point_id"] for answer in pressed}) == 1
        batch = {"data": [{"timestamp": "2026-01-01T10:00:00Z", "heart_rate": 120}]}
        sent = together(lambda _, url=url, batch=batch: ann.post(f"{url}/hr-data", json=batch))
        assert sorted(answer.status_code for answer in sent) == [200] * (AT_ONCE - 1) + [202]
        assert len({(answer.json()["upload_id"], answer.json()["job_id"]) for answer in sent}) == 1
        undone = together(lambda _, url=url: ann.delete(f"{url}/points/last"))
        assert sorted(answer.status_code for answer in undone) == [204] + [404] * (AT_ONCE - 1)
