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
import shutil
import signal
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from flows import walls

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
    walls.readable()  # its imports too
    gc.freeze()  # what is shared with kernels stays shared


def serve() -> None:
    """Fork a kernel for each line until the input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries kernels
    folders = []
    _answer("ready")
    for line in sys.stdin:
        order = json.loads(line)
        folders.append(order["folder"])
        pid = os.fork()
        if pid == 0:
            _be_kernel(order)
        _answer(str(pid))
    for folder in folders:  # nearly all are gone by now, unless the owner was killed
        shutil.rmtree(folder, ignore_errors=True)


def _answer(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _be_kernel(order: dict[str, Any]) -> None:
    """Run a kernel; never returns."""
    try:
        _leave_zygote(order)
        from ipykernel.iostream import IOPubThread
        from ipykernel.kernelapp import IPKernelApp

        IOPubThread._setup_pipe_in = lambda _: None  # type: ignore[method-assign]  # a port for forks of the kernel
        app = IPKernelApp.instance()
        app.initialize(  # type: ignore[no-untyped-call]
            ["-f", order["connection_file"], "--HistoryManager.enabled=False"]
        )
        app.start()  # type: ignore[no-untyped-call]
    finally:
        os._exit(1)


def _leave_zygote(order: dict[str, Any]) -> None:
    """Die with the zygote, hold none of its pipes, draw numbers of one's own, and stay within memory and walls."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.chdir(order["folder"])
    random.seed()
    np.random.seed()  # a notebook may use the old generator
    resource.setrlimit(resource.RLIMIT_DATA, (order["memory_bytes"], order["memory_bytes"]))
    walls.enclose(Path(order["folder"]))


if __name__ == "__main__":
    pay_imports()
    for name in sys.argv[1:]:
        import_module(name).rehearse()
    serve()
