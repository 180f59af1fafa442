"""Every page as axe-core sees it: on a phone and a desk, in light and dark; and what a player says of themselves."""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

import squashlib
from tests.browser.conftest import DESK, PASSWORD, PHONE, Watched, drop, grave, register

pytestmark = pytest.mark.slow


def look(seen: Watched, name: str) -> None:
    """No grave fault, and nothing wider than the screen, whatever the screen."""
    for size in (PHONE, DESK):
        seen.page.set_viewport_size(size)  # type: ignore[arg-type]
        for scheme in ("light", "dark"):
            seen.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            where = f"{name}, {size['width']} wide, {scheme}"
            assert not grave(Axe().run(seen.page)), where
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= size["width"], where


def test_every_page_and_dialog(open_browser: Callable[..., Watched], recording: Path) -> None:
    seen = open_browser()
    page = seen.page
    page.goto(seen.base)
    page.wait_for_selector("#door:not([hidden])")
    look(seen, "door")
    register(seen, "every@example.org")
    page.get_by_text("No session yet").wait_for()
    look(seen, "home of a new player")
    drop(seen, recording)
    page.wait_for_selector("#sessions .main", timeout=180_000)
    look(seen, "home")
    page.click("summary")
    look(seen, "coaches")
    for button in ("#who", "text=Share", "text=Correct", "#sessions >> text=Delete"):
        page.click(button)
        page.wait_for_selector("dialog[open]")
        look(seen, f"dialog of {button}")
        page.click("dialog >> text=Close")
    session_id = str(page.get_attribute("#sessions a", "href")).rpartition("/")[2]
    dashboards = (f"session/{session_id}", "trends", "coach")
    for path in dashboards[:2]:
        page.goto(f"{seen.base}/dashboards/{path}")
        page.wait_for_selector("body[data-joined] .chooser .shown", timeout=90_000)
        look(seen, path)
    page.goto(f"{seen.base}/api/sessions/{session_id}/report")
    page.wait_for_selector("figure.plot .main-svg")
    look(seen, "report")
    for path in ("nothing", "shared/nothing", dashboards[0][:-1] + "x"):
        page.goto(f"{seen.base}/{path}")
        look(seen, path)
    assert seen.left() == []


def test_a_player_says_who_they_are_and_leaves(open_browser: Callable[..., Watched]) -> None:
    seen = open_browser()
    page = seen.page
    register(seen, "leaver@example.org")
    page.click("#who")
    page.fill("dialog [name=full_name]", "Lee")
    page.fill("dialog [name=max_heart_rate]", "188")
    page.select_option("dialog [name=hand]", "playing")
    page.click("dialog >> text=Save")
    page.wait_for_selector("dialog", state="detached")
    page.wait_for_function("() => document.getElementById('who').textContent === 'Lee'")
    me = seen.context.request.get(f"{seen.base}/api/auth/me").json()
    assert (me["full_name"], me["max_heart_rate"], me["hand"], me["sex"]) == ("Lee", 188, "playing", None)
    page.click("#who")
    assert page.input_value("dialog [name=max_heart_rate]") == "188"
    with page.expect_download() as download:
        page.click("text=Download everything")
    assert Path(download.value.path()).read_bytes().startswith(b"PK")
    page.click("text=Delete my account")
    page.click("text=Erase for good")
    page.wait_for_selector("#door:not([hidden])")
    again = {"email": "leaver@example.org", "password": PASSWORD}
    assert seen.context.request.post(f"{seen.base}/api/auth/login", data=again).status == 401
    assert seen.wrong == []


def test_a_file_that_is_no_recording_says_so_and_leaves_nothing(
    open_browser: Callable[..., Watched], tmp_path: Path
) -> None:
    seen = open_browser(PHONE)
    register(seen, "letter@example.org")
    (tmp_path / "letter.fit").write_text("Dear Sam, " * 50)
    drop(seen, tmp_path / "letter.fit")
    seen.page.get_by_text("letter.fit: ").wait_for(timeout=60_000)
    seen.page.get_by_text("No session yet").wait_for()
    assert seen.context.request.get(f"{seen.base}/api/sessions").json() == []


EVIL = '"><img src=x onerror=hacked=1><iframe srcdoc=x></iframe><base href=//x.example>'


def test_what_people_write_is_text_on_every_page(open_browser: Callable[..., Watched], tmp_path: Path) -> None:
    """Names of players, opponents, places, files and watches: neither run nor made into elements."""
    match = squashlib.simulate(3, rate_hz=25).session
    match.attrs["device"] = {"manufacturer": "development", "name": "<img src=x onerror=hacked=1>"}
    squashlib.write_fit(match, file := tmp_path / '"><img src=x onerror=hacked=1>.fit')
    seen = open_browser()
    page, ask = seen.page, seen.context.request
    register(seen, "evil@example.org")
    own = {"X-Requested-With": "squash"}
    assert ask.patch(f"{seen.base}/api/auth/me", data={"full_name": EVIL}, headers=own).ok
    drop(seen, file)
    page.wait_for_selector("#sessions .main", timeout=180_000)
    session_id = str(page.get_attribute("#sessions a", "href")).rpartition("/")[2]
    url = f"{seen.base}/api/sessions/{session_id}"
    said = {"opponent_name": EVIL, "location": EVIL, "notes": EVIL, "final_score_me": 3, "final_score_opponent": 0}
    assert ask.patch(url, data=said, headers=own).ok
    link = ask.post(f"{url}/shares", headers=own).json()["url"]
    page.goto(seen.base)
    page.get_by_text(f"against {EVIL}").first.wait_for()
    assert harmless(seen)
    for button in ("#who", "text=Share", "text=Correct"):
        page.click(button)
        page.wait_for_selector("dialog[open]")
        assert harmless(seen), button
        page.click("dialog >> text=Close")
    for path in (f"/dashboards/session/{session_id}", "/dashboards/trends"):
        page.goto(f"{seen.base}{path}")
        page.wait_for_selector("body[data-joined] .chooser .shown", timeout=90_000)
        assert harmless(seen), path
    for path in (f"/api/sessions/{session_id}/report", link, f"/static/{EVIL}", f"/?next=javascript:{EVIL}"):
        page.goto(f"{seen.base}{path}")
        assert harmless(seen), path
    assert seen.left() == []


def harmless(seen: Watched) -> bool:
    made = "[...document.querySelectorAll('[onerror], [srcdoc], base, img[src=x]')].length"
    return not seen.page.evaluate(f"window.hacked || {made}")
