"""JupyterLab and Voilà on loopback, as children that end with the test."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from flows.ports import free_port
from flows.render import NOTEBOOKS
from flows.up import start, stop, wait_for

#: Lab asks its makers for news and newer versions unless told not to.
QUIET_LAB = [
    "--LabApp.news_url=",
    "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
]


@contextmanager
def _serving(name: str, command: Sequence[str], ready: str, home: Path) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True)
    (home / "logs").mkdir(exist_ok=True)
    settings = {f"JUPYTER_{what}_DIR": str(home / what.lower()) for what in ("CONFIG", "DATA", "RUNTIME")}
    settings["JUPYTER_CONFIG_PATH"] = str(NOTEBOOKS / ".config")
    env = {**os.environ, **settings, "IPYTHONDIR": str(home / "ipython"), "SQUASH_HOME": str(home / "squash")}
    children = {name: start(name, list(command), env, home)}
    try:
        wait_for(ready, children, name, home, any_answer=True)
        yield
    finally:
        stop(children)


@contextmanager
def lab(notebooks: Path, home: Path) -> Iterator[str]:
    """JupyterLab over a folder; yields its address. The page's `jupyterapp` runs commands."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "jupyter",
        "lab",
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={port}",
    ]
    command += [
        f"--notebook-dir={notebooks}",
        "--IdentityProvider.token=",
        "--LabApp.expose_app_in_browser=True",
        *QUIET_LAB,
    ]
    with _serving("lab", command, f"http://127.0.0.1:{port}/api", home):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def voila(notebook: Path, home: Path) -> Iterator[str]:
    """Voilà over one notebook; yields its address."""
    port = free_port()
    command = [sys.executable, "-m", "voila", str(notebook), "--no-browser", "--Voila.ip=127.0.0.1", f"--port={port}"]
    with _serving("voila", command, f"http://127.0.0.1:{port}/voila/static/voila.js", home):
        yield f"http://127.0.0.1:{port}"
