"""One platform and one browser for all of these tests; what a page does wrong is collected."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.base import AxeResults
from playwright.sync_api import Browser, BrowserContext, Page

import squashlib
from flows.up import platform
from tests.browser.chromium import browser
from tests.services import PATIENCE_S

PASSWORD = "a long pass phrase"
PICTURES = Path(__file__).parents[2] / "build" / "pictures"
REAL = Path(__file__).parents[3] / "shared" / "data" / "fit"
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1200, "height": 900}


@dataclass
class Watched:
    """A player's browser, and what it asked for and complained of."""

    context: BrowserContext
    page: Page
    base: str
    asked: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def left(self) -> list[str]:
        """Requests that left this machine."""
        return [
            url
            for url in self.asked
            if not url.startswith((self.base, self.base.replace("http", "ws"), "data:", "blob:"))
        ]

    def picture(self, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    home = tmp_path_factory.mktemp("platform")
    with platform(home, announce=lambda _: None) as urls:
        until_dashboards_answer(home)
        yield {**urls, "home": str(home)}


def until_dashboards_answer(home: Path) -> None:
    """The platform does not wait for them; a page that is told so would complain of it."""
    door, deadline = home / "dashboards" / "door.json", time.monotonic() + PATIENCE_S
    while True:
        with suppress(OSError, httpx.HTTPError):
            httpx.get(json.loads(door.read_text())["url"] + "/dashboards/seat", timeout=PATIENCE_S)
            return
        assert time.monotonic() < deadline, (home / "logs" / "dashboards.log").read_text()
        time.sleep(0.2)


# Ends with its file: Playwright leaves an event loop running in this process, which other tests start their own in.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as launched:
        yield launched


@pytest.fixture
def open_browser(urls: dict[str, str], chromium: Browser) -> Iterator[Callable[..., Watched]]:
    contexts: list[BrowserContext] = []

    def make(size: dict[str, int] = DESK, scheme: str = "light") -> Watched:
        context = chromium.new_context(viewport=size, color_scheme=scheme, timezone_id="Europe/Amsterdam")  # type: ignore[arg-type]
        context.set_default_timeout(1000 * PATIENCE_S)
        contexts.append(context)
        seen = Watched(context, context.new_page(), urls["api"])
        context.on("request", lambda request: seen.asked.append(request.url))
        context.on("weberror", lambda error: seen.wrong.append(str(error.error)))
        context.on("console", lambda line: seen.wrong.append(line.text) if line.type == "error" else None)
        return seen

    yield make
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated match."""
    path = tmp_path_factory.mktemp("recording") / "match.fit"
    squashlib.write_fit(squashlib.simulate(3, rate_hz=25).session, path)
    return path


def grave(found: AxeResults) -> list[str]:
    """What axe-core holds to be serious or critical."""
    wrong = [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in wrong]


def register(seen: Watched, email: str) -> None:
    """Make an account on the page."""
    seen.page.goto(seen.base)
    seen.page.fill("input[name=email]", email)
    seen.page.fill("input[name=password]", PASSWORD)
    seen.page.click("#register")
    seen.page.wait_for_selector("#home:not([hidden])")


def drop(seen: Watched, file: Path) -> None:
    """Drop a file on the page as a mouse does."""
    import base64

    handle = seen.page.evaluate_handle(
        """([text, name]) => { const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        const held = new DataTransfer(); held.items.add(new File([bytes], name)); return held; }""",
        [base64.b64encode(file.read_bytes()).decode(), file.name],
    )
    seen.page.dispatch_event("#drop", "dragover", {"dataTransfer": handle})
    seen.page.dispatch_event("#drop", "drop", {"dataTransfer": handle})
