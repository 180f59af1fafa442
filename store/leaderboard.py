"""The leaderboard: one blob per row, written once and never changed, so that it works on every store."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from squashlib.errors import NotFoundError
from squashlib.fingerprint import content_hash
from store.blobs import Blobs

FOLDER = "leaderboard"


def add(blobs: Blobs, row: Mapping[str, Any]) -> str:
    """Keep a row (`squashlib.lab.to_row`); the same row is kept once. Returns its id."""
    row_id = f"{row['time'][:19].replace(':', '').replace('-', '')}-{content_hash(dict(row))[:8]}"
    blobs.put(f"{FOLDER}/{row_id}.json", json.dumps(dict(row), allow_nan=False).encode())
    return row_id


def rows(blobs: Blobs) -> list[dict[str, Any]]:
    """All rows with their ids, oldest first."""
    return [row(blobs, name.removeprefix(f"{FOLDER}/").removesuffix(".json")) for name in sorted(blobs.list(FOLDER))]


def row(blobs: Blobs, row_id: str) -> dict[str, Any]:
    """One row; raises `NotFoundError`."""
    try:
        content = blobs.get(f"{FOLDER}/{row_id}.json")
    except NotFoundError as error:
        raise NotFoundError(f"row '{row_id}' is not on the leaderboard; see store.leaderboard.rows") from error
    held: dict[str, Any] = json.loads(content)
    return {**held, "id": row_id}


def to_mlflow(kept: Sequence[Mapping[str, Any]], tracking_uri: str, experiment: str = "squash") -> int:
    """Export rows as MLflow runs: parameters, scores, and the row itself; how many (none without a `tracking_uri`).

    Raises
    ------
    ModuleNotFoundError
        If mlflow, which the platform does not need, is not installed.
    """
    if not tracking_uri:
        return 0
    import mlflow  # type: ignore[import-not-found]

    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_experiment(experiment)
    for each in kept:
        with mlflow.start_run(run_name=each["id"]):
            mlflow.set_tags({"algorithm": each["algorithm"], "algorithm_version": each["algorithm_version"]})
            for name, values in each["parameters"].items():
                mlflow.log_params({f"{name}.{key}": value for key, value in values.items()})
            scores = {key: figure for key, figure in each["scores"].items() if isinstance(figure, dict)}
            mlflow.log_metrics({key: figure["value"] for key, figure in scores.items()})
            mlflow.log_dict(dict(each), "row.json")
    return len(kept)
