"""A sweep that is stopped goes on where it was, and its best is on the leaderboard."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.sweep import run_sweep
from flows.up import PREFECT
from squashlib import lab, sweep
from squashlib.detectors.adjusted import AdjustedRallies
from squashlib.detectors.swings import SwingDetector
from squashlib.errors import SquashError
from store import Settings, Store, leaderboard, research

DETECTOR = "squashlib.detectors.adjusted:AdjustedRallies"


@pytest.fixture(scope="module")
def cases() -> tuple[lab.Case, ...]:
    return lab.simulated_cases([3], sensors=("heart_rate",))


def test_goes_on_where_it_was(cases: tuple[lab.Case, ...], tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    def stop_after_two(done: int, of: int, _best: float) -> None:
        told.append((done, of))
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep.sweep(sweep.study(tmp_path, "x"), AdjustedRallies, cases, 5, stop_after_two)
    best = sweep.sweep(sweep.study(tmp_path, "x"), AdjustedRallies, cases, 5, stop_after_two)
    assert told == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    held = sweep.study(tmp_path, "x")
    assert held.trials[0].params == lab.parameters_of(lab.with_detector(AdjustedRallies()))["rallies"]
    assert len({tuple(trial.params.items()) for trial in held.trials}) == 5, "what goes on does not repeat"
    assert lab.parameters_of(best.framework)["rallies"] == held.best_params
    scores = best.scores
    assert held.best_value == pytest.approx(sum(scores[name]["value"] for name in sweep.FIGURES) / 2, abs=1e-3)


def test_without_bounds_there_is_nothing_to_sweep(cases: tuple[lab.Case, ...], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no parameter with bounds"):
        sweep.sweep(sweep.study(tmp_path, "x"), SwingDetector, cases, 1)


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    store = Store.open(Settings(home=tmp_path))
    for detector, said in (("squashlib.nothing:X", "cannot be imported"), (DETECTOR, "no labelled session")):
        with pytest.raises(SquashError, match=said):
            run_sweep(store, detector, "x", 1, lambda *_: None)


FLOW = """
import sys
from datetime import UTC, datetime
from prefect.testing.utilities import prefect_test_harness
from flows.sweep import shown_sweep
with prefect_test_harness(server_startup_timeout=600):
    print("row", shown_sweep(sys.argv[1], "flow", 2))
"""


@pytest.mark.slow
def test_as_a_flow_run(tmp_path: Path) -> None:
    from store import example

    store = Store.open(Settings(home=tmp_path))
    example.fill(store, 1)
    env = {**os.environ, **PREFECT, "SQUASH_HOME": str(tmp_path), "PREFECT_HOME": str(tmp_path / "prefect")}
    command = [sys.executable, "-c", FLOW, DETECTOR]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=3600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (row,) = leaderboard.rows(store.blobs)
    assert f"row {row['id']}" in done.stdout
    assert row["sweep"] == {"name": "flow", "trials": 2}
    assert row["sessions"].keys() == {case.name for case in research.cases(store)}
