"""What a first notebook, page or upload would wait for, paid beforehand: imports, machine code, the first figures."""

import ast
import ctypes
import gc
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


def pay_imports() -> None:
    """Import what a kernel is made of, and what notebooks read and draw with."""
    # A page needs no debugger, and ipykernel goes without.
    sys.modules["debugpy"] = None  # type: ignore[assignment]
    import ipykernel.debugger
    import ipykernel.kernelapp
    import ipykernel.zmqshell  # noqa: F401

    import squashlib.plot
    import squashlib.report
    import squashlib.session  # noqa: F401


def rehearse() -> None:
    """Do all that forks will do, once, with a simulated match."""
    pay_imports()
    from flows import walls
    from squashlib import dashboard

    dashboard.rehearse()
    _process()
    walls.readable()


def settle() -> None:
    """Give back what is left over; what stays is shared with forks for as long as they do not change it."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    gc.freeze()


def _process() -> None:
    """From a recording to a page. Nothing touches an object store, whose threads outlive no fork."""
    import obstore  # noqa: F401

    import squashlib
    from flows import keys
    from squashlib import report
    from squashlib.decode.merge import merge
    from store.catalog import Catalog

    match = squashlib.simulate(0, rate_hz=10)
    with TemporaryDirectory(prefix="squash-rehearsal-") as folder:
        squashlib.write_fit(match.session, Path(folder) / "m.fit")
        session = merge([squashlib.decode((Path(folder) / "m.fit").read_bytes())], session_id="rehearsal")
        analysis = squashlib.analyse(session, match.points)
        report.save(Path(folder), session, analysis.groups, analysis.to_dict())
        _run_cells({"analysis_path": folder})
        Catalog.open(f"sqlite:///{folder}/catalog.sqlite").close()
    keys.decoder_hash()
    keys.explain_hash()
    keys.detector_prints()


def _run_cells(names: dict[str, Any]) -> None:
    """Run the report's notebook here, and show what its cells show."""
    from flows import process, render

    for cell in json.loads(render.notebook_path(process.NOTEBOOK).read_text())["cells"]:
        if cell["cell_type"] != "code" or "parameters" in cell["metadata"].get("tags", []):
            continue
        tree = ast.parse("".join(cell["source"]))
        last: Any = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "<cell>", "exec"), names)  # noqa: S102 - our own notebook
        shown: Any = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names) if last else None  # noqa: S307
        if hasattr(shown, "_repr_mimebundle_"):
            shown._repr_mimebundle_()
