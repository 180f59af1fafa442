"""Kernels of pages: started and warmed beforehand, used once, each with one owner, one folder and an end."""

import asyncio
import shutil
import tempfile
import time
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager, ServerKernelManager
from tornado import web
from traitlets import Int, Type, Unicode

from flows.forked import CAN_FORK, ForkedProvisioner, Zygote
from flows.heard import PromptClient
from flows.seats import Seats
from flows.warm import scrubbed_environment

MEMORY_BYTES = 2 << 30
READY_S = 90
#: Where kernels cannot be forked, each pays for itself before it waits.
PREPAID = f"""
from squashlib.dashboard import rehearse as _rehearse
_rehearse()
from flows.zygote import limit_memory as _limit
_limit({MEMORY_BYTES})
del _rehearse, _limit
"""
ZYGOTE = Zygote(scrubbed_environment())


class PageManager(ServerKernelManager):  # type: ignore[misc]
    """A manager of a kernel that is forked where that can be; its sockets lie in its own folder."""

    provisioner: Any
    client_factory = Type(PromptClient)

    async def _async_pre_start_kernel(self, **kwargs: Any) -> tuple[list[str], dict[str, Any]]:
        self.connection_file, self.ip = f"{kwargs['cwd']}/kernel.json", f"{kwargs['cwd']}/socket"
        if CAN_FORK and self.provisioner is None:
            forked = ForkedProvisioner(parent=self, kernel_spec=self.kernel_spec)
            forked.zygote, forked.memory_bytes = ZYGOTE, MEMORY_BYTES
            self.provisioner = forked
        prepared: tuple[list[str], dict[str, Any]] = await super()._async_pre_start_kernel(**kwargs)
        return prepared


class Kernels(AsyncMappingKernelManager):  # type: ignore[misc]
    """A kernel belongs to the user whose page it was given to; nobody owns one that waits."""

    views = Unicode(config=True, help="Where the API writes what pages show")
    most = Int(20, config=True, help="Kernels with a page in all")
    most_of_user = Int(4, config=True, help="Kernels of one user; one more ends their oldest")
    spare = Int(1, config=True, help="Kernels that wait")
    cull_interval = Int(10, config=True)
    cull_idle_timeout = Int(3600, config=True, help="Seconds after which an idle page ends, though it is open")
    cull_left_timeout = Int(60, config=True, help="Seconds after which a page that nobody looks at ends")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.owners: dict[str, str] = {}
        self._arriving = 0
        self._folders: dict[str, Path] = {}
        self._seats = Seats(self.most)
        self._waiting: deque[asyncio.Task[str]] = deque()
        asyncio.get_event_loop().call_soon(self.fill)

    def fill(self) -> None:
        """Start kernels until enough wait; one after the other, for a page under way goes first."""
        if len(self._waiting) < self.spare:
            task = asyncio.get_event_loop().create_task(self._warmed())
            self._waiting.append(task)
            task.add_done_callback(lambda _: self.fill())

    async def _warmed(self) -> str:
        folder = Path(tempfile.mkdtemp(prefix="squash-page-"))
        try:
            kernel_id: str = await super().start_kernel(
                kernel_name="python3", env=scrubbed_environment(), cwd=str(folder)
            )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._folders[kernel_id] = folder
        client = self.get_kernel(kernel_id).client()
        client.start_channels()
        try:
            await client.wait_for_ready(timeout=READY_S)
            if not CAN_FORK:
                quiet = {"store_history": False, "output_hook": lambda _: None}
                await client.execute_interactive(PREPAID, timeout=READY_S, **quiet)
        finally:
            client.stop_channels()
        return kernel_id

    async def keep_seat(self, user_id: str) -> int:
        """How many stand before this user; with 0 the next page is theirs."""
        mine = [kernel_id for kernel_id, owner in self.owners.items() if owner == user_id]
        for kernel_id in mine[: max(0, len(mine) + 1 - self.most_of_user)]:
            await self.shutdown_kernel(kernel_id, now=True)
        if len(self.owners) >= self.most:
            await self.cull_kernels()
        return self._seats.ask(user_id, len(self.owners) + self._arriving, time.monotonic())

    async def start_kernel(self, *, env: dict[str, str] | None = None, **_: Any) -> str:
        """Voilà asks for a page's kernel: a warm one gets the page's data and its owner, never this environment."""
        user_id, view = (env or {}).get("HTTP_X_SQUASH_USER", ""), (env or {}).get("HTTP_X_SQUASH_VIEW", "")
        if not view.isalnum() or not self._seats.sit(user_id, time.monotonic()):
            raise web.HTTPError(503)
        self._arriving += 1
        try:
            kernel_id = await self._taken()
            shutil.move(Path(self.views) / view, self._folders[kernel_id] / "data")
            self.get_kernel(kernel_id).last_activity = datetime.now(UTC)  # it may have waited for long
            self.owners[kernel_id] = user_id
        finally:
            self._arriving -= 1
        return kernel_id

    async def _taken(self) -> str:
        task = self._waiting.popleft() if self._waiting else asyncio.create_task(self._warmed())
        self.fill()
        with suppress(Exception):
            kernel_id = await task
            if kernel_id in self and await self.get_kernel(kernel_id).is_alive():
                return kernel_id
        return await self._warmed()

    async def shutdown_all(self, now: bool = False) -> None:
        """End every kernel; one that is only starting is not known yet and ends with its zygote's connection."""
        self.spare = 0
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*map(self.shutdown_kernel, self.list_kernel_ids()), return_exceptions=True)

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """End pages that were left, or are idle for long, or whose kernel died; those that wait stay."""
        if kernel_id not in self.owners:
            return
        idle_s = time.time() - self.get_kernel(kernel_id).last_activity.timestamp()
        left = self._kernel_connections.get(kernel_id, 0) <= 0
        limit_s = self.cull_left_timeout if left else self.cull_idle_timeout
        if idle_s > limit_s or not await self.get_kernel(kernel_id).is_alive():
            await self.shutdown_kernel(kernel_id, now=True)

    def remove_kernel(self, kernel_id: str) -> Any:
        """A kernel has ended: so do its owner's claim and its data."""
        self.owners.pop(kernel_id, None)
        shutil.rmtree(self._folders.pop(kernel_id, Path("/nonexistent")), ignore_errors=True)
        return super().remove_kernel(kernel_id)
