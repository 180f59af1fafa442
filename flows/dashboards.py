"""Voilà for players, as the API's back room: on loopback, without database or keys, opened by one secret of its start.

The API writes what a page shows into a folder made for that one page view and names the folder to this process, which
moves it into the kernel's own working directory. A kernel so holds its page's data and nothing that could fetch more:
no token, no URL, no environment. The folder goes when the kernel goes.
"""

import argparse
import json
import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from flows import walls
from flows.forked import SHARED
from flows.warm import scrubbed_environment

#: Where the API is told to knock, and with what; mode 600, made anew at each start.
DOOR, VIEWS = "door.json", "views"
#: Pages that may be open at once; about 150 MB each.
SEATS = 20
BASE_URL = "/dashboards/"
OPEN = "This system has no Landlock of Linux 6.12: kernels of different players could read each other's files."
ASSETS = ("report.css", "dashboard.css", "report.js", "dashboard.js", "plotly.min.js")
TEMPLATES = Path(__file__).parent / "page"
NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


def command(home: Path, port: int, seats: int = SEATS) -> list[str]:
    """The command of this process; its secret is no argument."""
    options = ["--home", str(home.absolute()), "--port", str(port), "--seats", str(seats)]
    return [sys.executable, "-m", "flows.dashboards", *options]


def environment(zygote: str | None = None) -> dict[str, str]:
    """The environment of this process: nothing that a page must not know, and where kernels are forked."""
    shared = {SHARED: zygote} if zygote else {}
    return {**scrubbed_environment(), **shared, "JUPYTER_NO_CONFIG": "1", "JUPYTER_PATH": str(TEMPLATES)}


def make_door(home: Path, port: int) -> str:
    """A fresh secret, told to the API by a file that only this user reads."""
    folder = home / "dashboards"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.rmtree(folder / VIEWS, ignore_errors=True)
    (folder / VIEWS).mkdir(mode=0o700)
    secret = secrets.token_urlsafe(32)
    handle, draft = tempfile.mkstemp(dir=folder)  # mode 600
    with os.fdopen(handle, "w") as file:
        json.dump({"url": f"http://127.0.0.1:{port}", "secret": secret}, file)
    Path(draft).replace(folder / DOOR)
    return secret


def configuration(home: Path, port: int, secret: str, seats: int) -> Any:
    """Voilà's settings."""
    from traitlets.config import Config

    from flows.dashboard_door import Guard, Visitor
    from flows.dashboard_kernels import Kernels
    from squashlib import report

    config = Config()
    config.Voila.ip, config.Voila.port, config.Voila.port_retries = "127.0.0.1", port, 0
    config.Voila.open_browser, config.Voila.log_level = False, "ERROR"  # it would log kernels' ids
    config.Voila.base_url, config.Voila.root_dir = BASE_URL, str(NOTEBOOKS)
    config.Voila.identity_provider_class, config.Voila.authorizer_class = Visitor, Guard
    config.Visitor.secret = secret
    config.VoilaConfiguration.template = "squash"
    config.VoilaConfiguration.resources = {"head": report.head("/static", ASSETS)}
    config.VoilaConfiguration.strip_sources, config.VoilaConfiguration.show_tracebacks = True, False
    config.VoilaConfiguration.allow_template_override = config.VoilaConfiguration.allow_theme_override = "NO"
    config.VoilaConfiguration.extension_denylist, config.VoilaConfiguration.extension_allowlist = [], ["none"]
    config.VoilaConfiguration.multi_kernel_manager_class = Kernels
    config.VoilaConfiguration.http_header_envs = ["X-Squash-User", "X-Squash-View"]  # for Kernels, no kernel sees them
    config.VoilaConfiguration.http_keep_alive_timeout = 600  # its heartbeat is an inline script, which we forbid
    config.Kernels.most = seats
    config.Kernels.kernel_manager_class = "flows.dashboard_kernels.PageManager"
    config.Kernels.views = str(home / "dashboards" / VIEWS)
    config.KernelManager.transport, config.KernelManager.autorestart = "ipc", False
    return config


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m flows.dashboards", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seats", type=int, default=SEATS, help="pages at once; further ones wait in line")
    options = parser.parse_args()
    from flows.dashboard_door import Dashboards

    if walls.strength() < walls.ENOUGH:
        sys.stderr.write(OPEN + "\n")
    own = tempfile.mkdtemp(prefix="squash-dashboards-")
    os.environ |= {"JUPYTER_CONFIG_DIR": own, "JUPYTER_DATA_DIR": own, "JUPYTER_RUNTIME_DIR": own}
    try:
        secret = make_door(options.home, options.port)
        app = Dashboards(config=configuration(options.home, options.port, secret, options.seats))
        app.initialize([])
        app.start()
    finally:
        (options.home / "dashboards" / DOOR).unlink(missing_ok=True)
        shutil.rmtree(own, ignore_errors=True)


if __name__ == "__main__":
    main()
