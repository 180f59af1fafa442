"""Streams of events end when what they tell of is not for their reader any more."""

from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import update

from api.routes import events
from store.tables import User
from tests.api.conftest import Login, Server
from tests.services import PATIENCE_S


@pytest.fixture
def coached(login: Login, server: Server) -> tuple[httpx.Client, httpx.Client, str, str]:
    """A player, a coach whom they let look, the coach's id and a session's URL."""
    player, coach = login(), login()
    mail, coach_id = (coach.get("/api/auth/me").json()[name] for name in ("email", "user_id"))
    with server.app.state.squash.store.catalog.begin() as tx:
        tx.execute(update(User).where(User.user_id == coach_id).values(role="coach"))
    player.post("/api/grants", json={"coach_email": mail}).raise_for_status()
    return player, coach, coach_id, "/api/sessions/" + player.post("/api/sessions", json={}).json()["session_id"]


Ends = Callable[[httpx.Client, httpx.Client, str, str], httpx.Response]
ENDS: dict[str, Ends] = {
    "withdrawn": lambda player, coach, coach_id, url: player.delete(f"/api/grants/{coach_id}"),
    "logged out": lambda player, coach, coach_id, url: coach.post("/api/auth/logout"),
    "account gone": lambda player, coach, coach_id, url: coach.delete("/api/auth/me"),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_stream_ends_with_the_right_to_it(
    coached: tuple[httpx.Client, httpx.Client, str, str], end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    player, coach, coach_id, url = coached
    player.post(f"{url}/points", json={"winner": "me", "point_id": "11111111-2222-4333-8444-555555555555"})
    monkeypatch.setattr(events, "LOOK_AGAIN_S", 0.2)  # where row-level security hides at once what would be told
    with coach.stream("GET", f"{url}/events") as stream:
        lines = stream.iter_lines()
        assert any("11111111" in line for line in lines)
        headers = {"Authorization": coach.headers["Authorization"]}
        with httpx.Client(base_url=coach.base_url, headers=headers, timeout=PATIENCE_S) as same:
            assert ENDS[end](player, same, coach_id, url).status_code == 204
        player.post(f"{url}/points", json={"winner": "opponent", "point_id": "99999999-2222-4333-8444-555555555555"})
        assert not any("99999999" in line for line in lines)
