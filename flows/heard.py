"""Whether a kernel answers on both channels: then all that it says will be heard.

jupyter_client's own way listens on until nothing has come for 0.2 s, so that no old message is taken for a new one;
nbclient looks at what each message answers.
"""

import asyncio
from collections.abc import Awaitable, Callable
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from nbclient.exceptions import DeadKernelError


async def heard(client: Any, alive: Callable[[], Awaitable[bool]], within_s: float) -> None:
    """Return once a client whose channels were started hears its kernel.

    Raises
    ------
    DeadKernelError
        If the kernel dies meanwhile.
    TimeoutError
        If it says nothing `within_s`.
    """
    async with asyncio.timeout(within_s):
        while not await _answers(client):
            if not await alive():
                raise DeadKernelError("the kernel died before its first cell; it is out of memory, or was killed")


async def _answers(client: Any) -> bool:
    client.kernel_info()
    try:
        await client.shell_channel.get_msg(timeout=1)
        await client.iopub_channel.get_msg(timeout=0.2)
    except Empty:
        return False
    return True


class PromptClient(AsyncKernelClient):
    """A client that begins as soon as it has heard."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Called by Voilà before a page's first cell."""
        await heard(self, self.is_alive, timeout or 60.0)
