"""`make pictures`: the README's pictures, from the running product with two months of simulated matches."""

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from playwright.sync_api import Page

import squashlib
from flows.demo import wait
from flows.render import NOTEBOOKS
from flows.up import platform
from squashlib.session import iso, parse_iso, start_of
from tests.browser.chromium import browser
from tests.browser.jupyter import voila

PICTURES = Path(__file__).parents[2] / "notebooks" / "pictures"
ACCOUNT = {"email": "pictures@example.org", "password": "a long pass phrase"}
#: Days ago and opponent of each match.
MATCHES = ((56, "Kim"), (47, "Sam"), (38, "Kim"), (24, "Lou"), (13, "Sam"), (2, "Kim"))
#: Whether the sessions' small pictures have come.
DRAWN = "() => [...document.querySelectorAll('.stamp')].filter((one) => one.naturalWidth).length >= 3"
#: What GitHub shows at once; a larger picture is cut, not scaled.
MOST_BYTES = 400 << 10


def main() -> None:
    """Play, look, photograph."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, platform(Path(folder) / "home") as urls, browser() as chromium:
        session_id = play(urls["api"], Path(folder))
        context = chromium.new_context(viewport={"width": 1080, "height": 1280}, base_url=urls["api"])
        context.request.post("/api/auth/login", data=ACCOUNT)
        page = context.new_page()
        page.add_init_script("localStorage.setItem('squash', 'in')")
        page.goto("/")
        page.wait_for_function(DRAWN)
        page.set_viewport_size({"width": 1080, "height": 820})
        shoot(page, "home")
        page.set_viewport_size({"width": 1080, "height": 1280})
        page.goto(f"/api/sessions/{session_id}/report")
        page.wait_for_selector("figure.plot .main-svg")
        shoot(page, "report")
        page.goto(f"/dashboards/session/{session_id}")
        page.wait_for_selector("body[data-joined] .chooser .shown .main-svg", timeout=120_000)
        shoot(page, "dashboard")
        page.locator(".chooser").scroll_into_view_if_needed()
        page.wait_for_timeout(500)
        page.locator(".chooser").screenshot(path=PICTURES / "rally.png")
        page.goto("/dashboards/trends")
        page.wait_for_selector("body[data-joined] .chooser .shown .main-svg", timeout=120_000)
        shoot(page, "trends")
        label(chromium.new_page(viewport={"width": 1080, "height": 900}), Path(folder) / "label")
    for path in PICTURES.glob("*.png"):
        assert path.stat().st_size < MOST_BYTES, f"{path} has {path.stat().st_size} bytes, must be below {MOST_BYTES}"


def label(page: Page, home: Path) -> None:
    """The label widget on a simulated match, near enough to see strokes."""
    with voila(NOTEBOOKS / "label_rallies.ipynb", home) as url:
        page.goto(url, timeout=180_000)
        canvas = page.locator(".squash-canvas")
        canvas.wait_for(timeout=180_000)
        box = canvas.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 330, box["y"] + 100)
        for _ in range(5):
            page.mouse.wheel(0, -250)
            page.wait_for_timeout(300)
        page.wait_for_timeout(1500)
        page.locator(".squash-labeller").screenshot(path=PICTURES / "label.png")


def shoot(page: Page, name: str) -> None:
    """Once everything has been drawn."""
    page.wait_for_timeout(800)
    page.screenshot(path=PICTURES / f"{name}.png")


def play(url: str, folder: Path, matches: Sequence[tuple[int, str]] = MATCHES) -> str:
    """Months of matches; the newest one's id."""
    player = httpx.Client(base_url=url, timeout=60)
    player.post("/api/auth/register", json={**ACCOUNT, "full_name": "Robin", "max_heart_rate": 192}).raise_for_status()
    tokens = player.post("/api/auth/login", json=ACCOUNT).raise_for_status().json()
    player.cookies.clear()
    player.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    session_id = ""
    for i, (days, opponent) in enumerate(matches):
        match = squashlib.simulate(i + 4, rate_hz=50 if i == len(matches) - 1 else 10)
        shift = datetime.now(UTC).replace(hour=18, minute=30) - timedelta(days=days) - start_of(match.session)
        began = iso(start_of(match.session) + shift)
        squashlib.write_fit(match.session.assign_attrs(start_time=began), folder / "m.fit")
        facts = {"opponent_name": opponent, "location": "Court 2", "start_time": began}
        won = [game["score"]["me"] > game["score"]["opponent"] for game in match.truth["games"]]
        facts |= {"final_score_me": won.count(True), "final_score_opponent": won.count(False)}
        session_id = player.post("/api/sessions", json=facts).raise_for_status().json()["session_id"]
        for point in match.points:
            press = {**point, "timestamp": iso(parse_iso(point["timestamp"]) + shift)}
            player.post(f"/api/sessions/{session_id}/points", json=press).raise_for_status()
        with (folder / "m.fit").open("rb") as file:
            player.post(f"/api/sessions/{session_id}/upload/fit", files={"file": file}).raise_for_status()
        wait(player, session_id)
    return session_id


if __name__ == "__main__":
    main()
