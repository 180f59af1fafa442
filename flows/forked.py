"""Processes forked from a zygote, which are not this one's children; kernels as jupyter_client sees them."""

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

#: Pidfds, `prctl` and copy-on-write forks; elsewhere each kernel starts as a process of its own.
CAN_FORK = sys.platform == "linux" and hasattr(os, "pidfd_open")
#: Names the path of a zygote that processes of a platform share; unset, each has its own.
SHARED = "SQUASH_ZYGOTE"
#: A zygote that starts pays for its imports first.
ANSWER_S = 180.0


class Forked:
    """The process of a kernel, with the face of `Popen`; a pidfd never means another process that got its number."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, pidfd: int) -> None:
        self.pid, self.returncode = pid, None
        self._fd: int | None = pidfd

    def poll(self) -> int | None:
        """None while it runs, else 0: nobody but its parent can tell how it ended."""
        if self._fd is not None and select.select([self._fd], [], [], 0)[0]:
            os.close(self._fd)
            self._fd = None
        return None if self._fd is not None else 0

    def wait(self) -> int:
        """Wait for its end."""
        if self._fd is not None:
            select.select([self._fd], [], [])
        return self.poll() or 0

    def send_signal(self, number: int) -> None:
        """Send a signal if it still runs, to the whole group that the kernel leads if it is to die."""
        if self._fd is None:
            return
        with suppress(ProcessLookupError):
            if number == signal.SIGKILL and os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, number)
            else:
                signal.pidfd_send_signal(self._fd, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class Zygote:
    """The process that forks: one that owners share where `SQUASH_ZYGOTE` names its path, else one of one's own."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """`env` is the environment of a zygote of one's own; it is started on first use and again when it died."""
        self._env, self._turn = dict(env), threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None

    def fork(self, order: Mapping[str, Any], channel: int | None = None) -> Forked:
        """What `order` asks for, which gets `channel`; raises `RuntimeError` if no fork can be had."""
        with self._turn:
            for _ in range(2):
                try:
                    return self._ask(json.dumps(order).encode(), [] if channel is None else [channel])
                except (OSError, ValueError):  # it was killed: its connection is broken or empty
                    self._end()
        raise RuntimeError("no process can be forked: the zygote died twice; run `python -m flows.zygote` to see why")

    def _ask(self, message: bytes, channels: list[int]) -> Forked:
        self._connection = self._connection or self._connected()
        socket.send_fds(self._connection, [message], channels)
        answer, pidfds, _, _ = socket.recv_fds(self._connection, 64, 1)
        return Forked(int(answer), pidfds[0])

    def _connected(self) -> socket.socket:
        shared = os.environ.get(SHARED)
        if shared is None:
            mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with its:
                command = [sys.executable, "-m", "flows.zygote"]
                self._process = subprocess.Popen(command, stdin=its.fileno(), env=self._env)
        else:
            mine = _knocked(shared)
        mine.settimeout(ANSWER_S)
        return mine

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End all that it forked for this owner; if it is this owner's alone, it ends too."""
        with self._turn:
            self._end()


def _knocked(path: str) -> socket.socket:
    """A connection to the zygote that listens at `path`, which may only just be starting again."""
    deadline = time.monotonic() + ANSWER_S
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            connection.connect(path)
            return connection
        except OSError:
            connection.close()
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


class ForkedProvisioner(LocalProvisioner):
    """Gives a kernel manager a forked kernel in place of one that starts from nothing."""

    zygote: Zygote
    memory_bytes: int

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork; the command is that of a kernel started from nothing and is not used."""
        assert self.parent is not None
        file, folder = self.parent.connection_file, kwargs["cwd"]
        order = {"connection_file": file, "folder": folder, "memory_bytes": self.memory_bytes}
        forked = await asyncio.to_thread(self.zygote.fork, order)
        self.process, self.pid, self.pgid = forked, forked.pid, None  # type: ignore[assignment]
        return self.connection_info
