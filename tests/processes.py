"""What tests look at of processes: their own alone, whatever else runs on this machine or ran before."""

from collections.abc import Collection
from contextlib import suppress

import psutil


def own() -> set[int]:
    """Those that descend from this process now."""
    return {child.pid for child in psutil.Process().children(recursive=True)}


def started_since(earlier: Collection[int]) -> list[psutil.Process]:
    """Those that this process started, but for `earlier` ones and what these went on starting, as a zygote does."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            found += [] if {child.pid, child.ppid()} & set(earlier) else [child]
    return found


def survivors(processes: Collection[psutil.Process], within_s: float = 120) -> list[psutil.Process]:
    """Those that have not ended in time: who dies with a parent dies a moment after it, or a long one."""
    _, left = psutil.wait_procs(list(processes), timeout=within_s)
    found = []
    for process in left:
        with suppress(psutil.NoSuchProcess):
            found += [process] if process.status() != psutil.STATUS_ZOMBIE else []
    return found
