"""A papermill engine of warm, single-use kernels: no kernel sees two athletes' data.

papermill imports this module itself (entry point `squash-warm`); nobody else may, or the two import each other.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_core.utils import run_sync
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat.v4 import new_output
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager

from flows import warm
from flows.heard import heard


class WarmEngine(NBClientEngine):  # type: ignore[misc]
    """Run a notebook in a kernel from the pool, once."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        execution_timeout: int | None = None,
        data: Callable[[Path], object] | None = None,
        **kwargs: Any,
    ) -> None:
        """Called by papermill (`engine_name="squash-warm"`); `data` writes into the folder of the kernel alone."""
        pool = warm.POOL
        manager = pool.take()
        client = WarmClient(nb_man, km=manager, timeout=execution_timeout, kernel_name=kernel_name)
        try:
            if data is not None:
                data(Path(manager.ip).parent / "data")
            client.execute()
        finally:
            if client.kc is not None:  # nbclient closes the sockets of its own kernels alone
                client.kc.stop_channels()
            pool.end(manager)


class WarmClient(PapermillNotebookClient):  # type: ignore[misc]
    """Papermill's client, which does not wait for silence, and marks a cell that ended its kernel."""

    def execute(self, **kwargs: Any) -> Any:
        """Run all cells; nothing is asked of the kernel afterwards, which may be dead by then."""
        self.reset_execution_trackers()
        with self.setup_kernel(**kwargs):
            self.papermill_execute_cells()
        self.set_widgets_metadata()
        return self.nb

    def execute_cell(self, cell: Any, cell_index: int, **kwargs: Any) -> Any:
        """Run a cell; one that takes too long or ends its kernel fails as one that raises does."""
        try:
            return super().execute_cell(cell, cell_index, **kwargs)
        except (CellTimeoutError, DeadKernelError) as error:
            name, text = type(error).__name__, str(error)
            cell.outputs.append(new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"]))
            raise CellExecutionError(text, name, text) from error

    async def async_start_new_kernel_client(self) -> Any:
        """A client that has heard from its kernel on both channels."""
        self.kc = self.km.client()
        self.kc.start_channels(stdin=False, hb=False)  # its process is asked whether it lives
        await heard(self.kc, self.km.is_alive, warm.READY_S)
        self.kc.allow_stdin = False
        return self.kc

    start_new_kernel_client = run_sync(async_start_new_kernel_client)
