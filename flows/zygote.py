"""A process whose imports are paid and which forks kernels: each is used once and costs milliseconds, not seconds.

It is started with a scrubbed environment and never runs a cell itself, so a fork holds code and nobody's data. A line
on its input orders a kernel; the answer is its process id. When the input ends, because the owner closed it or was
killed, the zygote ends, and its kernels with it.
"""

import ctypes
import gc
import json
import os
import random
import resource
import select
import shutil
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

PR_SET_PDEATHSIG = 1


def pay_imports() -> None:
    """Import what notebooks need, write and read a session and show a figure: what is imported late is paid too."""
    # A page needs no debugger, and ipykernel goes without.
    sys.modules["debugpy"] = None  # type: ignore[assignment]
    import ipykernel.debugger
    import ipykernel.kernelapp
    import ipykernel.zmqshell  # noqa: F401
    import plotly.graph_objects as go

    import squashlib.plot  # noqa: F401
    from squashlib import report, session

    clock = np.arange(10.0)
    streams = {"hr_time": (clock, {"heart_rate": clock + 60.0})}
    made = session.build(streams, start_time=datetime.now(UTC), duration_s=10.0)
    with TemporaryDirectory(prefix="squash-rehearsal-") as folder:
        report.save(Path(folder), made, {"events": made}, {})
        report.load(folder)
    go.Figure([go.Scatter(x=clock, y=[1]), go.Bar(x=[1], y=clock)])._repr_mimebundle_()
    gc.freeze()  # what is shared with kernels stays shared


def serve() -> None:
    """Fork a kernel for each line until the input ends; then end the kernels, and after them their folders."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries kernels
    zygote, kernels, folders = os.getpid(), list[int](), list[str]()
    _answer("ready")
    for line in sys.stdin:
        order = json.loads(line)
        folders.append(order["folder"])
        pid = os.fork()
        if pid == 0:
            for kernel in kernels:  # they are none of its business
                os.close(kernel)
            _be_kernel(order, zygote)
        kernels = _running(kernels)
        with suppress(ProcessLookupError):
            kernels.append(os.pidfd_open(pid))
        _answer(str(pid))
    for kernel in _running(kernels):
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(kernel, signal.SIGKILL)
        select.select([kernel], [], [])
    for folder in folders:  # nearly all are gone by now, unless the owner was killed
        shutil.rmtree(folder, ignore_errors=True)


def _running(kernels: list[int]) -> list[int]:
    """Those pidfds whose processes have not ended; the others are closed."""
    ended = set(select.select(kernels, [], [], 0)[0])
    for kernel in ended:
        os.close(kernel)
    return [kernel for kernel in kernels if kernel not in ended]


def _answer(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _be_kernel(order: dict[str, Any], zygote: int) -> None:
    """Run a kernel; never returns."""
    try:
        _leave_zygote(order, zygote)
        from ipykernel.kernelapp import IPKernelApp

        app = IPKernelApp.instance()
        app.initialize(  # type: ignore[no-untyped-call]
            ["-f", order["connection_file"], "--HistoryManager.enabled=False"]
        )
        app.start()  # type: ignore[no-untyped-call]
    finally:
        os._exit(1)


def _leave_zygote(order: dict[str, Any], zygote: int) -> None:
    """Die with the zygote, hold none of its pipes, draw numbers of one's own, and stay within the memory limit."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != zygote:  # it died before it could be asked to take its kernels along
        os._exit(1)
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.chdir(order["folder"])
    random.seed()
    np.random.seed()  # a notebook may use the old generator
    resource.setrlimit(resource.RLIMIT_DATA, (order["memory_bytes"], order["memory_bytes"]))


if __name__ == "__main__":
    pay_imports()
    for name in sys.argv[1:]:
        import_module(name).rehearse()
    serve()
