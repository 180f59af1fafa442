"""A player in a real browser: register, drop a recording, look at it rally by rally, share it, take it back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from sqlalchemy import update

from store.catalog import Catalog
from store.tables import User
from tests.browser.conftest import DESK, PHONE, REAL, Watched, drop, grave, register

pytestmark = pytest.mark.slow


def faults(seen: Watched) -> list[str]:
    return grave(Axe().run(seen.page))


def play(seen: Watched, email: str, file: Path, name: str) -> str:
    """Register, drop, wait; the session's id."""
    register(seen, email)
    assert not faults(seen)
    drop(seen, file)
    seen.page.wait_for_function("() => document.getElementById('progress').value > 5")
    seen.page.wait_for_selector("#sessions .main")
    seen.page.wait_for_function("() => document.querySelector('.stamp').naturalWidth > 0")
    assert not faults(seen)
    seen.picture(f"{name}-home")
    return str(seen.page.get_attribute("#sessions a", "href")).rpartition("/")[2]


def open_dashboard(seen: Watched) -> None:
    seen.page.click("text=Dashboard")
    seen.page.wait_for_selector("figure.plot .main-svg")
    seen.page.wait_for_selector("body[data-joined] .chooser .shown .main-svg")


@pytest.mark.parametrize(("name", "size", "scheme"), [("desk", DESK, "light"), ("phone", PHONE, "dark")])
def test_from_the_door_to_a_rally_and_a_link(
    open_browser: Callable[..., Watched], recording: Path, name: str, size: dict[str, int], scheme: str
) -> None:
    seen = open_browser(size, scheme)
    session_id = play(seen, f"{name}@example.org", recording, name)
    page = seen.page
    open_dashboard(seen)
    assert page.locator("figure.plot .main-svg").count() >= 11
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    before = page.inner_text(".chooser .words")
    bars = page.locator(".chooser > figure.plot .points .point path")
    bars.first.click(force=True)
    page.wait_for_function("before => document.querySelector('.chooser .words').innerText !== before", arg=before)
    assert page.input_value(".chooser select") == "1"
    page.click(".chooser >> text=Next")
    page.wait_for_function("() => document.querySelector('.chooser .shown figure').ariaLabel.startsWith('Rally 2:')")
    page.focus(".chooser select")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("() => document.querySelector('.chooser .shown figure').ariaLabel.startsWith('Rally 3:')")
    page.click("#acts >> text=Correct")
    page.wait_for_function("() => document.activeElement.dataset.number === '3'")  # the rally that is looked at
    assert not faults(seen)
    page.click("dialog >> text=Close")
    told = "figure => figure.hidden || (figure.matches('.nothing') ? figure.innerText : figure.ariaLabel)"
    assert page.evaluate(f"[...document.querySelectorAll('figure.plot')].every({told})")
    assert not faults(seen)
    seen.picture(f"{name}-dashboard")
    html = seen.context.request.get(f"{seen.base}/api/sessions/{session_id}/report").text()
    assert html.index("<svg") < html.index('<figure class="plot"'), "the first picture needs no script"
    page.goto(f"{seen.base}/api/sessions/{session_id}/report")
    page.wait_for_selector("figure.plot .main-svg")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert not faults(seen)
    seen.picture(f"{name}-report")
    page.goto(f"{seen.base}/dashboards/trends")
    page.wait_for_selector("body[data-joined] .chooser .shown .main-svg")
    page.select_option(".chooser select", "all")
    page.wait_for_selector(".chooser .card")
    assert not faults(seen)
    seen.picture(f"{name}-trends")
    share(seen, open_browser)
    assert seen.left() == []
    assert seen.wrong == []
    page.click("#logout")
    page.wait_for_selector("#door:not([hidden])")
    page.goto(f"{seen.base}/dashboards/session/{session_id}")
    assert page.url.startswith(f"{seen.base}/?next=")
    page.wait_for_selector("#door:not([hidden])")


def share(seen: Watched, open_browser: Callable[..., Watched]) -> None:
    """A stranger opens the link, and no more once it is taken back."""
    page = seen.page
    page.goto(seen.base)
    page.click("text=Share")
    page.wait_for_selector("dialog")
    assert not faults(seen)
    page.click("text=Make a link")
    page.wait_for_selector("dialog .link:not([hidden])")
    link = page.input_value("dialog .link")
    stranger = open_browser().page
    answer = stranger.goto(link)
    assert answer is not None
    assert answer.status == 200
    stranger.wait_for_selector("figure.plot .main-svg")
    page.click("text=Take back")
    page.wait_for_selector("dialog li", state="detached")
    answer = stranger.goto(link)
    assert answer is not None
    assert answer.status == 404
    page.click("dialog >> text=Close")


def test_a_real_recording_of_a_match(open_browser: Callable[..., Watched]) -> None:
    files = sorted(REAL.glob("*squash*.fit")) or sorted(REAL.glob("*.fit"))
    if not files:
        pytest.skip(f"{REAL} is not there; it holds recordings that are not part of this project")
    seen = open_browser()
    play(seen, "real@example.org", files[0], "real")
    open_dashboard(seen)
    seen.picture("real-dashboard")
    assert seen.left() == []
    assert seen.wrong == []


def test_a_correction_is_respected(open_browser: Callable[..., Watched], recording: Path) -> None:
    seen = open_browser()
    session_id = play(seen, "right@example.org", recording, "right")
    rallies = seen.context.request.get(f"{seen.base}/api/sessions/{session_id}/analysis").json()["rallies"]
    seen.page.click("text=Correct")
    seen.page.select_option("dialog .rallies li:nth-child(3) select", "no_rally")
    seen.page.select_option("dialog .rallies li:nth-child(5) select", "me")
    assert not faults(seen)
    seen.picture("correct")
    seen.page.click("text=Save and look again")
    seen.page.wait_for_selector("dialog", state="detached")
    after = seen.context.request.get(f"{seen.base}/api/sessions/{session_id}/analysis").json()["rallies"]
    starts = [rally["start"] for rally in after]
    assert rallies[2]["start"] not in starts
    assert next(rally for rally in after if rally["start"] == rallies[4]["start"])["winner"] == "me"
    on_paper(seen, session_id)


def on_paper(seen: Watched, session_id: str) -> None:
    """The report, as it is after the correction, to print and to send."""
    for kind, magic in (("pdf", b"%PDF"), ("png", b"\x89PNG")):
        answer = seen.context.request.get(f"{seen.base}/api/sessions/{session_id}/report.{kind}")
        assert answer.status == 200, answer.text()[:300]
        assert answer.body().startswith(magic)
        assert len(answer.body()) > 50_000


def test_pages_that_have_nothing_to_show(open_browser: Callable[..., Watched], urls: dict[str, str]) -> None:
    """Of a new player, of a coach whom nobody lets look, and of a link that leads nowhere."""
    seen = open_browser(PHONE)
    register(seen, "new@example.org")
    seen.page.get_by_text("No session yet").wait_for()
    seen.picture("empty-home")
    as_coach(urls, "new@example.org")
    for path, said in (("trends", "Your bests stand here"), ("coach", "No player lets you look yet")):
        seen.page.goto(f"{seen.base}/dashboards/{path}")
        seen.page.get_by_text(said).wait_for()
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert not faults(seen), path
        seen.picture(f"empty-{path}")
    assert seen.wrong == []
    answer = seen.page.goto(f"{seen.base}/dashboards/session/0198c7d2-6f3e-7a51-9d7e-1f0d5a2b3c4d")
    assert answer is not None
    assert answer.status == 404
    seen.page.get_by_role("link", name="To my sessions").wait_for()
    assert not faults(seen)
    seen.picture("nowhere")
    seen.context.clear_cookies()
    seen.page.goto(f"{seen.base}/api/auth/me")
    seen.page.wait_for_selector("#door:not([hidden])")
    assert seen.left() == []


def as_coach(urls: dict[str, str], email: str) -> None:
    catalog = Catalog.open(f"sqlite:///{urls['home']}/catalog.sqlite")
    with catalog.begin() as tx:
        tx.execute(update(User).where(User.email == email).values(role="coach"))
    catalog.close()
