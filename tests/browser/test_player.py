"""A player in a real browser: register, drop a recording, watch it being read, open the report; nothing leaves."""

from pathlib import Path

import pytest

import squashlib
from flows.up import platform
from tests.browser.chromium import browser


@pytest.mark.slow
def test_register_upload_and_read_the_report(tmp_path: Path) -> None:
    recording = tmp_path / "m.fit"
    squashlib.write_fit(squashlib.simulate(3, rate_hz=10).session, recording)
    asked: list[str] = []
    wrong: list[str] = []
    with platform(tmp_path / "home", announce=lambda _: None) as urls, browser() as chromium:
        page = chromium.new_page(viewport={"width": 390, "height": 800})
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(urls["api"])
        page.fill("input[name=email]", "ann@example.org")
        page.fill("input[name=password]", "a long pass phrase")
        page.click("#register")
        page.wait_for_selector("#home:not([hidden])")
        page.set_input_files("#file", str(recording))
        page.wait_for_selector("#sessions a", timeout=90_000)
        page.click("#sessions a")
        page.wait_for_selector("figure.plot .main-svg", timeout=30_000)
        assert page.locator("figure.plot .main-svg").count() >= 6
        assert page.locator(".card b").first.is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.goto(urls["api"])
        page.click("#logout")
        page.wait_for_selector("#door:not([hidden])")
        report = next(url for url in asked if url.endswith("/report"))
        answer = page.goto(report)
        assert answer is not None
        assert answer.status == 401
    assert [url for url in asked if not url.startswith((urls["api"], "data:", "blob:"))] == []
    assert wrong == []
