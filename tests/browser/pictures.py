"""`make pictures`: the README's pictures, from the running product."""

import tempfile
from pathlib import Path

import squashlib
from squashlib.report import render_report
from tests.browser.chromium import browser

PICTURES = Path(__file__).parents[2] / "notebooks" / "pictures"


def main() -> None:
    """Simulate a match, make its report, photograph it."""
    PICTURES.mkdir(exist_ok=True)
    match = squashlib.simulate(7)
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        page_file = Path(folder) / "report.html"
        render_report(squashlib.analyse(match.session, match.points), page_file)
        page = chromium.new_page(viewport={"width": 960, "height": 1180})
        page.goto(page_file.as_uri())
        page.wait_for_selector("figure.plot .main-svg")
        page.wait_for_timeout(500)
        page.screenshot(path=PICTURES / "report.png")


if __name__ == "__main__":
    main()
