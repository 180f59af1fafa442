"""What a player waits for, in a real browser and warm: a dashboard's and a report's first picture; twenty at once.

`ours` is when the first picture is painted, `figure` when the first figure that answers to the mouse is, `choose` when
a rally can be chosen; medians of `N=` loads (5). The limits are for a machine that does nothing else. `cpu` is what
server and kernel work for one page, which other load changes little.
"""

import os
import re
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psutil
from playwright.sync_api import BrowserContext

from flows.up import platform
from tests.browser.chromium import browser
from tests.browser.pictures import ACCOUNT, play

N, CROWD = int(os.environ.get("N", "5")), 20
CHOOSER = "body[data-joined] .chooser .shown .main-svg"
#: When something was first there and painted, ms since the page was asked for.
MARKS = """
window.marks = {};
const seen = {ours: ".glance svg", figure: "figure.plot .main-svg",
  choose: "body[data-joined] .chooser .shown .main-svg"};
const look = () => { for (const [name, selector] of Object.entries(seen)) {
  if (!(name in window.marks) && document.querySelector(selector)) {
    window.marks[name] = 0;
    requestAnimationFrame(() => setTimeout(() => { window.marks[name] = performance.now(); }));
  }
} };
new MutationObserver(look).observe(document, {childList: true, subtree: true, attributes: true});
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, platform(Path(folder) / "home", announce=lambda _: None) as urls:
        session_id = play(urls["api"], Path(folder), ((2, "Kim"),))
        dashboard, report = f"/dashboards/session/{session_id}", f"/api/sessions/{session_id}/report"
        with browser() as chromium:
            context = chromium.new_context(viewport={"width": 1200, "height": 900}, base_url=urls["api"])
            context.request.post("/api/auth/login", data=ACCOUNT)
            context.add_init_script(MARKS)
            told("dashboard_first_picture", context, dashboard, CHOOSER, 2.5)
            told("report_first_picture", context, report, "figure.plot .main-svg", 1.0)
        crowd(urls["api"])


def told(name: str, context: BrowserContext, path: str, ready: str, limit_s: float) -> None:
    """The medians of a page's marks; the first load fills the browser's cache."""
    loads: list[Mapping[str, float]] = []
    for _ in range(N + 1):
        began = working()
        page = context.new_page()
        page.goto(path)
        page.wait_for_selector(ready, timeout=120_000)
        page.wait_for_function("Object.values(window.marks).every((ms) => ms > 0)")
        loads.append({**page.evaluate("window.marks"), "cpu": 1000 * (working() - began)})
        page.close()
        time.sleep(2)  # the next kernel is warm, as it is for players who do not follow at once
    marks = [f"{mark}={median(load[mark] for load in loads[1:]) / 1000:.2f}s" for mark in loads[0]]
    print(f"{name} {' '.join(marks)} limit={limit_s}s", flush=True)


def working() -> float:
    """CPU seconds of everything but the browser so far."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            if "chrom" not in process.name():
                total += sum(process.cpu_times()[:2])
        except psutil.Error:
            continue
    return total


def crowd(url: str) -> None:
    """Each opens a page at the same moment as all others."""
    players = [httpx.Client(base_url=url, timeout=180) for _ in range(CROWD)]
    for i, player in enumerate(players):
        account = {**ACCOUNT, "email": f"crowd{i}@example.org"}
        player.post("/api/auth/register", json=account).raise_for_status()
        player.post("/api/auth/login", json=account).raise_for_status()
    with ThreadPoolExecutor(CROWD) as hands:
        waits = sorted(hands.map(lambda player: seconds(player, "/dashboards/trends"), players))
    served = f"median={median(waits):.1f}s last={waits[-1]:.1f}s"
    print(f"pages_{CROWD}_at_once ours={waits[0]:.1f}s {served}", flush=True)


def seconds(player: httpx.Client, path: str) -> float:
    """From asking to the whole page."""
    began = time.perf_counter()
    answer: Any = player.get(path)
    if not re.search(r'data-kernel="[0-9a-f-]{36}"', answer.raise_for_status().text):
        raise SystemExit(f"{path} came without a kernel")
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
