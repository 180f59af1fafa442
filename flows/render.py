"""Execute a notebook and make it a page."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from squashlib.errors import SquashError

if TYPE_CHECKING:
    from nbformat import NotebookNode

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
TIME_LIMIT_S = 120


class NotebookFailedError(SquashError):
    """A cell failed; `notebook` is the run so far, the cell marked, as `.ipynb`."""

    def __init__(self, message: str, notebook: bytes, *, kernel_died: bool = False) -> None:
        super().__init__(message)
        self.notebook, self.kernel_died = notebook, kernel_died


def notebook_path(name: str) -> Path:
    """Where a notebook lies; names are our own, never a user's."""
    return NOTEBOOKS / f"{name}.ipynb"


def render(
    name: str,
    parameters: Mapping[str, Any],
    *,
    assets: str | None,
    data: Callable[[Path], object] | None = None,
    time_limit_s: int = TIME_LIMIT_S,
) -> str:
    """Execute a notebook in a warm kernel and return its page.

    Parameters
    ----------
    data
        Writes the folder that the notebook finds as `data`: its kernel sees nothing else that is anybody's.

    Raises
    ------
    ValueError
        If the parameters are not those of the notebook's parameters cell.
    NotebookFailedError
        If a cell fails, takes longer than `time_limit_s` or ends its kernel; the message is that cell's error.
    """
    from squashlib.report import page

    check_parameters(notebook_path(name), parameters)
    try:
        executed = _executed(name, parameters, data, time_limit_s)
    except NotebookFailedError as error:
        if not error.kernel_died:
            raise
        executed = _executed(
            name, parameters, data, time_limit_s
        )  # somebody else may have killed it; twice, it is the cell
    return page(executed, assets)


def _executed(
    name: str, parameters: Mapping[str, Any], data: Callable[[Path], object] | None, time_limit_s: int
) -> "NotebookNode":
    """What `papermill.execute_notebook` does, which would write each run; only a failed one is kept."""
    from nbclient.exceptions import DeadKernelError
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import prepare_notebook_metadata, raise_for_execution_errors
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    path = str(notebook_path(name))
    prepared = parameterize_notebook(load_notebook_node(path), dict(parameters))
    prepared = prepare_notebook_metadata(prepared, path, None)
    limits = {"execution_timeout": time_limit_s, "data": data, "progress_bar": False}
    with TemporaryDirectory(prefix="squash-notebook-") as folder:
        out = Path(folder) / "out.ipynb"
        try:
            executed: NotebookNode = papermill_engines.execute_notebook_with_engine(
                "squash-warm", prepared, prepared.metadata.kernelspec.name, **limits
            )
            raise_for_execution_errors(executed, str(out))
            return executed
        except PapermillExecutionError as error:
            told = f"notebook {name} failed in cell {error.cell_index}: {error.ename}: {error.evalue}"
            died = error.ename == "DeadKernelError"
            raise NotebookFailedError(told, out.read_bytes(), kernel_died=died) from error
        except DeadKernelError as error:  # before its first cell
            told = f"notebook {name} did not begin: {error}"
            raise NotebookFailedError(told, notebook_path(name).read_bytes(), kernel_died=True) from error


def check_parameters(path: Path, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that the notebook does not declare (papermill only warns)."""
    declared = _declared(path, path.stat().st_mtime_ns)
    if unknown := set(parameters) - declared:
        raise ValueError(f"notebook {path.name} has no parameter {sorted(unknown)[0]!r}, must be of {sorted(declared)}")


@cache
def _declared(path: Path, _: int) -> frozenset[str]:
    """A notebook's parameters, read again when it has changed."""
    import papermill

    return frozenset(papermill.inspect_notebook(str(path)))
