"""`squash sweep`: parameters of a detector tried on the labelled sessions, as a flow run where Prefect is there.

What was tried lies in a journal under `SQUASH_HOME/sweeps`: a sweep that was stopped or killed goes on where it was.
"""

import os
import sys
from collections.abc import Callable
from pkgutil import resolve_name
from typing import Any

from squashlib.errors import SquashError
from store import Store, leaderboard, research

Tell = Callable[[int, int, float], None]
DATA_SET = "consented, labelled sessions"


def run_sweep(store: Store, detector: str, name: str, trials: int, tell: Tell) -> str:
    """Bring the sweep `name` to `trials` trials, keep its best one on the leaderboard; the row's id.

    Parameters
    ----------
    detector
        `package.module:Class`; the class is a frozen dataclass whose fields have bounds.

    Raises
    ------
    SquashError
        If there is no such class, it has no bounds, or no session is labelled.
    """
    from squashlib import lab
    from squashlib.sweep import study, sweep

    try:
        held = study(store.settings.home / "sweeps", name)
        best = sweep(held, resolve_name(detector), research.cases(store), trials, tell)
    except (ImportError, AttributeError) as error:
        raise SquashError(
            f"detector '{detector}' cannot be imported ({error}), must be package.module:Class"
        ) from error
    except ValueError as error:
        raise SquashError(str(error)) from error
    row = lab.to_row(best, DATA_SET) | {"sweep": {"name": name, "trials": trials}}
    return leaderboard.add(store.blobs, row)


def shown_sweep(detector: str, name: str, trials: int) -> str:
    """The same as a flow run, whose page shows how far it is."""
    from prefect import flow
    from prefect.artifacts import create_progress_artifact, update_progress_artifact

    @flow(name="sweep", flow_run_name=f"sweep {name}")
    def sweep_flow(detector: str, name: str, trials: int) -> str:
        bar: Any = create_progress_artifact(0.0, key="sweep", description=f"{detector}, {trials} trials")

        def tell(done: int, of: int, best: float) -> None:
            update_progress_artifact(bar, 100.0 * done / of, description=f"{done} of {of}, best {best:.4f}")
            on_terminal(done, of, best)

        return run_sweep(Store.open(), detector, name, trials, tell)

    return sweep_flow(detector, name, trials)


def on_terminal(done: int, of: int, best: float) -> None:
    """A line that is written over."""
    if sys.stderr.isatty():
        print(
            f"\r\033[K{done}/{of} trials, best {best:.4f}", end="\n" if done == of else "", file=sys.stderr, flush=True
        )


def command(*, detector: str, called: str | None, trials: int) -> int:
    """`squash sweep`; returns the exit status."""
    called = called or detector.rpartition(":")[2]
    if os.environ.get("PREFECT_API_URL"):
        row_id = shown_sweep(detector, called, trials)
    else:
        row_id = run_sweep(Store.open(), detector, called, trials, on_terminal)
    row = leaderboard.row(Store.open().blobs, row_id)
    best = {key: value for values in row["parameters"].values() for key, value in values.items()}
    print(f"{row_id}: " + ", ".join(f"{key}={value:g}" for key, value in best.items()))
    return 0
