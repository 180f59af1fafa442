"""A report as PDF or PNG, drawn by the Chromium of this machine from a page that needs nothing from elsewhere."""

import re
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

from api.problems import Problem

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
#: It shows our own pages alone, gets no network, and keeps nothing.
QUIET = (
    "--headless=new", "--disable-gpu", "--no-sandbox", "--no-first-run", "--disable-extensions", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND",
    "--hide-scrollbars", "--virtual-time-budget=10000", "--run-all-compositor-stages-before-draw",
)  # fmt: skip
TIME_LIMIT_S = 180
#: Of a PNG: its width, the room of heading and insights, and what a figure takes beside its own height.
WIDTH_PX, TOP_PX, ROOM_PX = 960, 600, 32
NONE = "This server has no Chromium, so it makes no PDF or PNG; print the report from your browser instead."
_one_at_a_time = threading.Lock()


def draw(html: str, kind: str) -> bytes:
    """The page as `pdf` or `png`; 503 without a browser or if it fails."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise Problem(503, NONE)
    with tempfile.TemporaryDirectory(prefix="squash-paper-") as folder, _one_at_a_time:
        page, out = Path(folder) / "report.html", Path(folder) / f"report.{kind}"
        page.write_text(html)
        if kind == "pdf":
            asked = [f"--print-to-pdf={out}", "--no-pdf-header-footer"]
        else:
            drawn = (int(height) + ROOM_PX for height in re.findall(r'"height":(\d+)', html))
            height_px = TOP_PX + sum(drawn)
            asked = [f"--screenshot={out}", f"--window-size={WIDTH_PX},{height_px}"]
        command = [browser, *QUIET, f"--user-data-dir={folder}/profile", *asked, page.as_uri()]
        try:
            subprocess.run(command, capture_output=True, timeout=TIME_LIMIT_S, check=True, env={"HOME": folder})
            return out.read_bytes()
        except (subprocess.SubprocessError, OSError) as error:
            raise Problem(503, f"The {kind.upper()} could not be drawn ({type(error).__name__}). {NONE}") from error
