"""A kernel that is made before it is forked: its shell, magics and settings are there; sockets and threads come after.

What ipykernel's own start does in one go is done in two, in its order: half by the zygote, once, and half by each fork.
"""

import sys
import uuid
from pathlib import Path
from typing import Any

from ipykernel.iostream import IOPubThread, OutStream
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from IPython.core.application import BaseIPythonApplication
from zmq.eventloop.zmqstream import ZMQStream

#: Nobody reads a log of a process whose output goes nowhere; a kernel that is used once has no history.
SETTINGS = (
    "--log-level=CRITICAL",
    "--HistoryManager.enabled=False",
    "--IPKernelApp.capture_fd_output=False",
    "--IPKernelApp.outstream_class=flows.kernel.PromptStream",
)


class PromptStream(OutStream):
    """What cells print; where nothing was printed nobody waits for the thread that would send it."""

    def flush(self) -> None:
        """Send what was written, if anything was; asked several times for each cell."""
        if self._flush_pending:
            super().flush()  # type: ignore[no-untyped-call]


class ForkedKernelApp(IPKernelApp):
    """Without subshells: no notebook asks for any, and each costs every message a way through one more thread."""

    def init_control(self, context: Any) -> None:
        """Control alone; shell messages come straight."""
        super().init_control(context)  # type: ignore[no-untyped-call]
        self.shell_channel_thread = None

    def init_kernel(self) -> None:
        """Give the kernel that was made before its channels, and a name of its own."""
        kernel: Any = self.kernel
        self.control_thread.start()
        kernel.ident, kernel.session = str(uuid.uuid4()), self.session
        kernel.shell_stream = ZMQStream(self.shell_socket)
        kernel.control_stream = ZMQStream(self.control_socket, self.control_thread.io_loop)
        kernel.control_thread, kernel.iopub_thread = self.control_thread, self.iopub_thread
        kernel.iopub_socket, kernel.stdin_socket = self.iopub_socket, self.stdin_socket
        kernel.record_ports({f"{name}_port": port for name, port in self._ports.items()})
        for way_out in (kernel.shell.displayhook, kernel.shell.display_pub):
            way_out.session, way_out.pub_socket = self.session, self.iopub_socket
        kernel.shell.displayhook.topic = kernel._topic("execute_result")
        self.displayhook.get_execution_count = lambda: kernel.execution_count


def prepare() -> None:
    """Make all that forks may share: no socket, no thread, nothing random."""
    IOPubThread._setup_pipe_in = lambda _: None  # type: ignore[method-assign]  # a port for forks of the kernel
    app: Any = ForkedKernelApp.instance()
    BaseIPythonApplication.initialize(app, list(SETTINGS))
    app.init_pdb()
    app.kernel = IPythonKernel.instance(parent=app, log=app.log, profile_dir=app.profile_dir)
    app.init_shell()
    app.init_gui_pylab()
    app.init_extensions()
    app.init_code()


def serve(connection_file: Path) -> None:
    """Be the kernel that `connection_file` describes; returns when it is shut down."""
    app: Any = ForkedKernelApp.instance()
    app.connection_file = str(connection_file)
    app.init_connection_file()
    app.init_sockets()
    app.init_heartbeat()
    app.write_connection_file()
    app.log_connection_info()
    app.init_io()
    app.init_signal()
    app.init_kernel()
    app.init_path()
    app.kernel._stdout, app.kernel._stderr = sys.stdout, sys.stderr
    app.start()
