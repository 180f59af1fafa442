"""Kernels forked from a zygote, as jupyter_client sees them: processes that are not this one's children."""

import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

#: Pidfds, `prctl` and copy-on-write forks; elsewhere each kernel starts as a process of its own.
CAN_FORK = sys.platform == "linux" and hasattr(os, "pidfd_open")


class Forked:
    """The process of a kernel, with the face of `Popen`; a pidfd never means another process that got its number."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid, self.returncode = pid, None
        try:
            self._fd: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._fd = None

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
    """The process that forks; started on first use and again when it died."""

    def __init__(self, env: Mapping[str, str], *rehearsed: str) -> None:
        """`rehearsed` names modules whose `rehearse()` pays beforehand for what their pages need."""
        self._env, self._turn, self._rehearsed = dict(env), threading.Lock(), rehearsed
        self._process: subprocess.Popen[str] | None = None

    def fork(self, order: Mapping[str, Any]) -> Forked:
        """A kernel for `order`; raises `RuntimeError` if none can be had."""
        with self._turn:
            for _ in range(2):
                try:
                    return Forked(int(self._ask(json.dumps(order))))
                except (OSError, ValueError):  # it was killed: its pipes are broken or empty
                    self._end()
        raise RuntimeError("no kernel can be forked: the zygote died twice; run `python -m flows.zygote` to see why")

    def _ask(self, line: str) -> str:
        if self._process is None:
            command = [sys.executable, "-m", "flows.zygote", *self._rehearsed]
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=self._env)
            self._answer()
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with suppress(OSError):  # what was not sent is lost with it
                        pipe.close()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End it and all kernels that it forked."""
        with self._turn:
            self._end()


class ForkedProvisioner(LocalProvisioner):
    """Gives a kernel manager a forked kernel in place of one that starts from nothing."""

    zygote: Zygote
    memory_bytes: int

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork; the command is that of a kernel started from nothing and is not used."""
        assert self.parent is not None
        file, folder = self.parent.connection_file, kwargs["cwd"]
        forked = self.zygote.fork({"connection_file": file, "folder": folder, "memory_bytes": self.memory_bytes})
        self.process, self.pid, self.pgid = forked, forked.pid, None  # type: ignore[assignment]
        return self.connection_info
