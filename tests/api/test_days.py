"""Days begin where the player lives, also where clocks change; times that no calendar holds are refused."""

import httpx
import pytest

BEFORE_SPRING, SPRING = "2025-03-29T23:30:00Z", "2025-03-30T22:30:00Z"  # 0:30 on both days, before and after the hour


@pytest.fixture
def amsterdam(ann: httpx.Client) -> httpx.Client:
    ann.patch("/api/auth/me", json={"timezone": "Europe/Amsterdam"}).raise_for_status()
    for moment in (BEFORE_SPRING, SPRING):
        ann.post("/api/sessions", json={"start_time": moment, "final_score_me": 3, "final_score_opponent": 0})
    return ann


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2025-03-30", "2025-03-31", [BEFORE_SPRING]),
        ("2025-03-31", "2025-04-01", [SPRING]),
        ("2025-03-30", None, [BEFORE_SPRING, SPRING]),
        ("2025-03-30T00:00:00Z", None, [SPRING]),
        ("2025-03-30T00:31:00", "2025-03-31T00:29:00", []),
    ],
)
def test_a_day_is_the_players_own(amsterdam: httpx.Client, start: str, end: str | None, found: list[str]) -> None:
    asked = {"start_date": start} | ({"end_date": end} if end else {})
    listed = amsterdam.get("/api/sessions", params=asked).json()
    starts = sorted(row["start_time"] for row in listed)
    assert starts == [moment.replace("Z", ".000Z") for moment in found]
    user_id = amsterdam.get("/api/auth/me").json()["user_id"]
    figures = amsterdam.get(f"/api/users/{user_id}/statistics", params={"period": "weekly", **asked}).json()
    assert figures["totals"]["sessions"] == len(found)
    days = [one["day"] for one in amsterdam.get(f"/api/users/{user_id}/trends", params=asked).json()["fitness"]]
    own = {BEFORE_SPRING: "2025-03-30", SPRING: "2025-03-31"}
    assert days == [own[moment] for moment in found]


@pytest.mark.parametrize("zone", ["", "Nowhere/Atall", "../../etc/passwd", "/etc/localtime", "Europe"])
def test_a_zone_is_one(ann: httpx.Client, zone: str) -> None:
    assert ann.patch("/api/auth/me", json={"timezone": zone}).status_code == 422
    assert ann.get("/api/auth/me").json()["timezone"] == "UTC"


@pytest.mark.parametrize(
    "moment", ["0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "-99999999999", "1e15"]
)
def test_times_beyond_the_calendar_are_refused(ann: httpx.Client, moment: str) -> None:
    for name in ("start_date", "end_date"):
        assert ann.get("/api/sessions", params={name: moment}).status_code == 422
    for name in ("start_time", "end_time"):
        assert ann.post("/api/sessions", json={name: moment}).status_code == 422
