"""Warm kernels that wait to be used once: imports are paid beforehand, the environment is scrubbed."""

import asyncio
import atexit
import os
import shutil
import tempfile
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager

WARM = 1
MEMORY_BYTES = 4 << 30
#: What a kernel may see of the environment: no database, no key, no token.
PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "NUMBA_CACHE_DIR", "VIRTUAL_ENV")
PREPAID = f"""
import resource as _r
_r.setrlimit(_r.RLIMIT_DATA, ({MEMORY_BYTES}, {MEMORY_BYTES}))
from IPython.display import HTML
import numpy, xarray, zarr, plotly.graph_objects as _go
from squashlib import plot, report, session
_ = _go.Figure(_go.Scatter(x=[1], y=[1])).to_plotly_json()
del _r, _go
"""
READY_S = 90


def scrubbed_environment() -> dict[str, str]:
    """The environment of a kernel."""
    return {name: os.environ[name] for name in PASSED if name in os.environ} | {"MPLBACKEND": "agg"}


def start_kernel() -> AsyncKernelManager:
    """A kernel over IPC with its imports done."""
    return asyncio.run(_started())


async def _started() -> AsyncKernelManager:
    # Sockets and whatever a notebook leaves behind lie in a folder of the kernel's own, which ends with it.
    folder = tempfile.mkdtemp(prefix="squash-kernel-")
    manager = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=f"{folder}/socket")
    await manager.start_kernel(env=scrubbed_environment(), cwd=folder)
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=READY_S)
        reply = await client.execute_interactive(
            PREPAID, timeout=READY_S, store_history=False, output_hook=lambda _: None
        )
        if reply["content"]["status"] != "ok":
            raise RuntimeError(f"a kernel's imports failed: {reply['content'].get('evalue')}")
    except BaseException:
        await manager.shutdown_kernel(now=True)
        raise
    finally:
        client.stop_channels()
    return manager


async def _alive(manager: AsyncKernelManager) -> bool:
    return bool(await manager.is_alive())


async def _ended(manager: AsyncKernelManager) -> None:
    await manager.shutdown_kernel(now=True)


class Pool:
    """Kernels that wait to be used once."""

    def __init__(self, size: int) -> None:
        self._hands = ThreadPoolExecutor(1, "kernel")
        self._waiting: deque[Future[AsyncKernelManager]] = deque()
        self._size, self._lock, self._closed = size, threading.Lock(), False

    def fill(self) -> None:
        """Start kernels until enough wait."""
        with self._lock:
            while not self._closed and len(self._waiting) < self._size:
                self._waiting.append(self._hands.submit(start_kernel))

    def take(self) -> AsyncKernelManager:
        """A kernel that nobody used before; another is started for the next one. A dead one is replaced."""
        self.fill()
        with self._lock:
            future = self._waiting.popleft()
        manager = future.result()
        if not asyncio.run(_alive(manager)):
            manager = start_kernel()
        return manager

    def close(self) -> None:
        """Kill what waits."""
        with self._lock:
            self._closed = True
            waiting = list(self._waiting)
            self._waiting.clear()
        for future in waiting:
            if not future.cancel():
                end(future.result())
        self._hands.shutdown(wait=False, cancel_futures=True)


def end(manager: AsyncKernelManager) -> None:
    """Kill a kernel and remove its sockets."""
    asyncio.run(_ended(manager))
    shutil.rmtree(Path(manager.ip).parent, ignore_errors=True)


POOL = Pool(WARM)
atexit.register(POOL.close)
