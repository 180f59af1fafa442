"""Ports for servers that are told theirs: chosen before they start, and still theirs when they start again."""

import os
import socket
from itertools import count

#: Below the ports that systems give to whoever asks for any (Linux from 32768, some sandboxes from 16000): nobody is
#: given one of these between its choice and its use, nor while its server has died and is started again.
PORTS = range(11_000, 16_000)
#: Processes that start one after the other, as those of one test run, choose this far from each other.
APART = 101
_turns = count()


def free_port() -> int:
    """A port of this machine that nobody listens on now and that this process did not choose before.

    Raises
    ------
    RuntimeError
        If none is left.
    """
    for turn in _turns:
        port = PORTS[(os.getpid() * APART + turn) % len(PORTS)]
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
        if turn > len(PORTS):
            break
    raise RuntimeError(f"no port of {PORTS.start} to {PORTS.stop - 1} is left: end servers of this machine")
