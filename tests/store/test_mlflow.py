"""Leaderboard rows as runs of a real MLflow, which the platform does not need: `pip install mlflow-skinny`."""

from pathlib import Path

import pytest

from squashlib import lab
from squashlib.detectors.adjusted import AdjustedRallies
from store import leaderboard

mlflow = pytest.importorskip("mlflow", reason="mlflow is an option that is not installed; mlflow-skinny is enough")
pytestmark = pytest.mark.filterwarnings("ignore")  # those of a library that is not ours to choose


def test_a_row_comes_back_as_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    trial = lab.run(lab.simulated_cases(range(1)), lab.with_detector(AdjustedRallies(shortest_s=2.5)))
    row = {**lab.to_row(trial, "two"), "id": "row-1"}
    assert leaderboard.to_mlflow([row], tmp_path.as_uri()) == 1
    (run,) = mlflow.search_runs(experiment_names=["squash"], output_format="list")
    assert run.info.run_name == "row-1"
    assert run.data.tags["algorithm"] == row["algorithm"]
    assert "2.5" in run.data.params.values()
    known = {key: figure["value"] for key, figure in row["scores"].items() if isinstance(figure, dict)}
    assert run.data.metrics == pytest.approx(known)
    kept = mlflow.artifacts.load_dict(f"{run.info.artifact_uri}/row.json")
    assert kept["id"] == "row-1"
