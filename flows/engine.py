"""A papermill engine of warm, single-use kernels: no kernel sees two athletes' data.

papermill imports this module itself (entry point `squash-warm`); nobody else may, or the two import each other.
"""

from typing import Any

from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager

from flows.warm import POOL, end


class WarmEngine(NBClientEngine):  # type: ignore[misc]
    """Run a notebook in a kernel from the pool, once."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: NotebookExecutionManager, kernel_name: str, *, execution_timeout: int | None = None, **kwargs: Any
    ) -> None:
        """Called by papermill (`engine_name="squash-warm"`)."""
        manager = POOL.take()
        client = PapermillNotebookClient(nb_man, km=manager, timeout=execution_timeout, kernel_name=kernel_name)
        try:
            client.execute()
        finally:
            if client.kc is not None:  # nbclient closes the sockets of its own kernels alone
                client.kc.stop_channels()
            end(manager)
            POOL.fill()
