"""Who follows a link gets a page, or the door; programs get `problem+json`."""

import httpx
import pytest

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"}
REPORT = "/api/sessions/0198c7d2-6f3e-7a51-9d7e-1f0d5a2b3c4d/report"


@pytest.mark.parametrize("path", ["/api/auth/me", REPORT, f"{REPORT}.pdf"])
def test_a_stranger_who_follows_a_link_comes_to_the_door(client: httpx.Client, path: str) -> None:
    answer = client.get(path, headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/?next={path}")


@pytest.mark.parametrize("accept", ["*/*", "application/json, text/plain, */*", "text/event-stream", None])
def test_programs_are_told_in_their_language(client: httpx.Client, accept: str | None) -> None:
    answer = client.get("/api/auth/me", headers={"Accept": accept} if accept else {})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_what_a_browser_sends_is_answered_in_json_when_it_changes_something(client: httpx.Client) -> None:
    answer = client.post("/api/auth/login", json={}, headers=BROWSER)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_player_reads_what_went_wrong(pair: tuple[httpx.Client, httpx.Client]) -> None:
    answer = pair[0].get(REPORT, headers=BROWSER)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "There is no session 0198c7d2" in answer.text
    assert "{{" not in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]


def test_what_a_link_says_is_text(client: httpx.Client) -> None:
    answer = client.get("/static/<script>alert(1)<", headers=BROWSER)
    assert answer.status_code == 404
    assert "<script>" not in answer.text


def test_shared_files_are_asked_for_once(client: httpx.Client) -> None:
    first = client.get("/static/plotly.min.js", params={"v": "1"})
    assert "immutable" in first.headers["cache-control"]
    assert first.headers["content-encoding"] == "gzip"
    plain = client.get("/static/plotly.min.js", headers={"Accept-Encoding": "identity"})
    assert plain.content == first.content
    assert plain.headers["cache-control"] == "no-cache"
    again = client.get("/static/plotly.min.js", headers={"If-None-Match": plain.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
