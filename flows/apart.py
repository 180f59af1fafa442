"""Work done apart: in a process forked for it, so that what it dies of, and what it holds, ends with it."""

import os
import pickle
import socket
from tempfile import TemporaryDirectory
from typing import Any

from flows import warm

#: Two hours of motion take seconds.
TIME_LIMIT_S = 900.0
BLOCK = 1 << 16


class DiedError(Exception):
    """A process died, or had to be ended, before its work was done."""


def run(work: str, *arguments: str) -> Any:
    """Call `module:function` in a process of its own; returns what it returns, raises what it raises.

    Raises
    ------
    DiedError
        If its process dies (a crash, a kill, the memory limit) or takes longer than `TIME_LIMIT_S`.
    """
    assert warm.POOL.zygote is not None, "asked only where processes can be forked"
    mine, its = socket.socketpair()
    with mine, TemporaryDirectory(prefix="squash-work-") as folder:
        with its:
            order = {"work": work, "arguments": arguments, "environment": dict(os.environ), "folder": folder}
            forked = warm.POOL.zygote.fork({**order, "memory_bytes": warm.MEMORY_BYTES}, its.fileno())
        mine.settimeout(TIME_LIMIT_S)
        try:
            told = b"".join(iter(lambda: mine.recv(BLOCK), b""))
        except TimeoutError:
            forked.kill()
            raise DiedError(f"the work took longer than {TIME_LIMIT_S:.0f} s and was ended") from None
        forked.wait()
    try:
        outcome = pickle.loads(told)  # noqa: S301 - from a process of ours, by a socket that nobody else holds
    except (EOFError, pickle.UnpicklingError):
        raise DiedError("the process that did the work died; it crashed, was killed, or took too much memory") from None
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
