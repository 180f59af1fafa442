"""A process whose imports are paid and which forks others: kernels of notebooks, and work that is done apart.

It is started with a scrubbed environment and never runs a cell or a job itself, so a fork holds code and nobody's data,
is used once and costs milliseconds, not seconds. Each connection belongs to an owner, such as a worker; each of its
messages orders a fork, and the answer is its process id and a pidfd. When a connection ends, because its owner closed
it or was killed, what it ordered is ended, and after that its folders. With a path the zygote listens there for owners
until it is stopped; without one its input is the only connection.
"""

import ctypes
import json
import os
import pickle
import random
import resource
import select
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from flows import walls

PR_SET_PDEATHSIG = 1
MESSAGE_BYTES = 1 << 17
#: What libraries import where they find it, and neither a page nor an analysis asks for: 50 MB.
UNNEEDED = ("dask", "debugpy", "pyarrow")


class Owner:
    """A connection, and what was forked for it."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection, self.forks, self.folders = connection, list[int](), list[str]()

    def fork(self, owners: list["Owner"], listener: socket.socket | None) -> bool:
        """Do one order; False if there is none, for the owner has gone."""
        message, channels, _, _ = socket.recv_fds(self.connection, MESSAGE_BYTES, 1)
        if not message:
            return False
        zygote, order = os.getpid(), json.loads(message)
        self.folders.append(order["folder"])
        pid = os.fork()
        if pid == 0:
            _be(order, channels, zygote, owners, listener)
        for channel in channels:
            os.close(channel)
        self.forks.append(os.pidfd_open(pid))
        socket.send_fds(self.connection, [str(pid).encode()], self.forks[-1:])
        return True

    def bury(self, ended: set[int]) -> None:
        """Forget those that have ended."""
        for fork in ended.intersection(self.forks):
            os.waitid(os.P_PIDFD, fork, os.WEXITED)
            os.close(fork)
            self.forks.remove(fork)

    def end(self) -> None:
        """End what was forked; then remove its folders, of which nearly all are gone unless the owner was killed."""
        for fork in self.forks:
            signal.pidfd_send_signal(fork, signal.SIGKILL)
        self.bury(set(self.forks))
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)
        self.close()

    def close(self) -> None:
        """Hold neither the connection nor what was forked."""
        for fork in self.forks:
            os.close(fork)
        self.connection.close()


def serve(owners: list[Owner], listener: socket.socket | None) -> None:
    """Fork what owners order, until none is left and none can come."""
    try:
        while owners or listener:
            forks = [fork for owner in owners for fork in owner.forks]
            waiting: list[Any] = [*(owner.connection for owner in owners), *([listener] if listener else []), *forks]
            ready = set(select.select(waiting, [], [])[0])
            for owner in list(owners):
                owner.bury(ready)
                if owner.connection in ready and not _did(owner, owners, listener):
                    owners.remove(owner)
                    owner.end()
            if listener is not None and listener in ready:
                owners.append(Owner(listener.accept()[0]))
    finally:
        for owner in owners:
            owner.end()


def _did(owner: Owner, owners: list[Owner], listener: socket.socket | None) -> bool:
    try:
        return owner.fork(owners, listener)
    except OSError:  # it went while it was answered
        return False


def _be(
    order: Mapping[str, Any],
    channels: list[int],
    zygote: int,
    owners: list[Owner],
    listener: socket.socket | None,
) -> None:
    """Be what was ordered; never returns."""
    try:
        for owner in owners:  # they are none of its business
            owner.close()
        if listener is not None:
            listener.close()
        _leave_zygote(order, zygote)
        if "connection_file" in order:
            _be_kernel(order)
        else:
            _work(order, channels[0])
    finally:
        os._exit(1)


def _leave_zygote(order: Mapping[str, Any], zygote: int) -> None:
    """Die with the zygote, draw numbers of one's own, and take no more memory than was ordered."""
    import numpy as np

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != zygote:  # it died before it could be asked to take its forks along
        os._exit(1)
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.chdir(order["folder"])
    random.seed()
    np.random.seed()  # a notebook may use the old generator
    limit_memory(order["memory_bytes"])


def limit_memory(more_bytes: int) -> None:
    """Let this process take so much more than it has, most of which it shares with those it was forked from."""
    told = Path("/proc/self/statm")  # where there is none, no limit is kept either
    pages = int(told.read_text().split()[5]) if told.exists() else 0
    most = pages * resource.getpagesize() + more_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _be_kernel(order: Mapping[str, Any]) -> None:
    """A kernel stays within its walls; who works for the worker needs store and database."""
    from flows import kernel

    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    walls.enclose(Path(order["folder"]))
    kernel.serve(Path(order["connection_file"]))


def _work(order: Mapping[str, Any], channel: int) -> None:
    """Call a function of ours in the owner's environment, and tell what it returned or raised."""
    os.environ |= order["environment"]
    tempfile.tempdir = order["folder"]
    module, _, name = order["work"].partition(":")
    with open(channel, "wb") as told:
        try:
            outcome = getattr(import_module(module), name)(*order["arguments"])
        except Exception as error:  # noqa: BLE001 - it is raised again, in the owner
            outcome = error
        told.write(_packed(outcome))
    os._exit(0)


def _packed(outcome: Any) -> bytes:
    try:
        packed = pickle.dumps(outcome)
        pickle.loads(packed)  # noqa: S301 - our own
    except Exception:  # noqa: BLE001 - an exception of a library that cannot be packed: its words can
        packed = pickle.dumps(RuntimeError(f"{type(outcome).__name__}: {outcome}"))
    return packed


def _listening(path: str) -> socket.socket:
    Path(path).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path)
    listener.listen()
    return listener


def _pay() -> None:
    """Do what forks would do once each; the first time on a machine in a process before, for a compiler is large."""
    from squashlib.kernels import jit

    if not jit.is_compiled():
        if (pid := os.fork()) == 0:
            _compile()
        os.waitpid(pid, 0)
    from flows import kernel, rehearsal

    rehearsal.rehearse()
    kernel.prepare()
    rehearsal.settle()


def _compile() -> None:
    """Leave machine code in numba's cache; never returns."""
    try:
        from flows import rehearsal

        rehearsal.rehearse()
    finally:
        os._exit(0)  # what failed fails again, and is told, in the process that goes on


def main() -> None:
    """Pay, then serve; owners may connect before and wait."""
    sys.modules.update(dict.fromkeys(UNNEEDED))  # type: ignore[arg-type]  # as if they were not installed
    listener = _listening(sys.argv[1]) if sys.argv[1:] else None
    owners = [] if listener else [Owner(socket.socket(fileno=os.dup(0)))]
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    _pay()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    serve(owners, listener)


if __name__ == "__main__":
    main()
