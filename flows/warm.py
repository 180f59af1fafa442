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

from flows.forked import CAN_FORK, ForkedProvisioner, Zygote

WARM = 1
MEMORY_BYTES = 4 << 30
#: What a kernel may see of the environment: no database, no key, no token.
PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "NUMBA_CACHE_DIR", "VIRTUAL_ENV")
#: One thread each: kernels run side by side, and a fork of many threads is none.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
#: Two heaps for all threads: each more keeps what it once held.
LEAN = {"MALLOC_ARENA_MAX": "2"}
#: Where kernels cannot be forked, each pays for itself before it waits.
PREPAID = """
from flows.rehearsal import pay_imports as _pay
_pay()
from flows.zygote import limit_memory as _limit
_limit({bytes})
del _pay, _limit
"""
READY_S = 90
#: Where kernels' sockets lie, whatever `tempfile` is told later: their names must be short.
ROOM = tempfile.gettempdir()
#: Figures become data in the notebook. plotly and matplotlib decide so by themselves only if imported in a kernel.
DRAWN = {"PLOTLY_RENDERER": "plotly_mimetype", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}


def scrubbed_environment() -> dict[str, str]:
    """The environment of a kernel."""
    passed = {name: os.environ[name] for name in PASSED if name in os.environ}
    return passed | ONE_THREAD | LEAN | DRAWN


class Pool:
    """Kernels that wait to be used once, each with a folder of its own that ends with it."""

    def __init__(self, size: int, memory_bytes: int = MEMORY_BYTES, *, fork: bool = CAN_FORK) -> None:
        self._hands = ThreadPoolExecutor(1, "kernel")
        self._waiting: deque[Future[AsyncKernelManager]] = deque()
        self._size, self._memory_bytes = size, memory_bytes
        self._lock, self._closed = threading.Lock(), False
        self.zygote = Zygote(scrubbed_environment()) if fork else None

    def fill(self) -> None:
        """Start kernels until enough wait."""
        with self._lock:
            while not self._closed and len(self._waiting) < self._size:
                self._waiting.append(self._hands.submit(self.start))

    def take(self) -> AsyncKernelManager:
        """A kernel that nobody used before; another is started for the next one. A dead one is replaced."""
        self.fill()
        with self._lock:
            future = self._waiting.popleft()
        manager = future.result()
        if not asyncio.run(_alive(manager)):
            end(manager)
            manager = self.start()
        self.fill()
        return manager

    def start(self) -> AsyncKernelManager:
        """A kernel over IPC with its imports done."""
        return asyncio.run(self._started())

    async def _started(self) -> AsyncKernelManager:
        folder = tempfile.mkdtemp(prefix="squash-kernel-", dir=ROOM)
        manager = AsyncKernelManager(
            kernel_name="python3", transport="ipc", ip=f"{folder}/socket", connection_file=f"{folder}/kernel.json"
        )
        if self.zygote is not None:
            manager.provisioner = ForkedProvisioner(parent=manager, kernel_spec=manager.kernel_spec)
            manager.provisioner.zygote, manager.provisioner.memory_bytes = self.zygote, self._memory_bytes
        try:
            await manager.start_kernel(env=scrubbed_environment(), cwd=folder)
            if self.zygote is None:
                await _pay(manager, PREPAID.format(bytes=self._memory_bytes))
        except BaseException:
            await manager.shutdown_kernel(now=True)
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return manager

    def end(self, manager: AsyncKernelManager) -> None:
        """Kill a used kernel at once; nobody waits for its burial."""
        kill(manager)
        if self._closed:
            end(manager)
        else:
            self._hands.submit(end, manager)

    def close(self) -> None:
        """Kill what waits."""
        with self._lock:
            self._closed = True
            waiting = list(self._waiting)
            self._waiting.clear()
        for future in waiting:
            if not future.cancel() and future.exception() is None:
                end(future.result())
        self._hands.shutdown()
        if self.zygote is not None:
            self.zygote.close()


async def _pay(manager: AsyncKernelManager, code: str) -> None:
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=READY_S)
        reply = await client.execute_interactive(code, timeout=READY_S, store_history=False, output_hook=lambda _: None)
        if reply["content"]["status"] != "ok":
            raise RuntimeError(f"a kernel's imports failed: {reply['content'].get('evalue')}")
    finally:
        client.stop_channels()


async def _alive(manager: AsyncKernelManager) -> bool:
    return bool(await manager.is_alive())


async def _ended(manager: AsyncKernelManager) -> None:
    await manager.shutdown_kernel(now=True)


def kill(manager: AsyncKernelManager) -> None:
    """End a kernel's process."""
    process = getattr(manager.provisioner, "process", None)
    if process is not None:
        process.kill()


def end(manager: AsyncKernelManager) -> None:
    """Kill a kernel and remove its folder."""
    asyncio.run(_ended(manager))
    shutil.rmtree(Path(manager.ip).parent, ignore_errors=True)


POOL = Pool(WARM)
atexit.register(POOL.close)
