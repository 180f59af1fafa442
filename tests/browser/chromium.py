"""A headless Chromium from the system's packages, for tests and pictures."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
QUIET += ["--disable-sync", "--no-first-run", "--disable-quic"]


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser; without Chromium the test is skipped, on CI it fails."""
    if not CHROMIUM.exists():
        message = f"{CHROMIUM} is not there; install Debian's package chromium"
        if os.environ.get("CI") == "true":
            raise RuntimeError(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        try:
            yield launched
        finally:
            launched.close()
