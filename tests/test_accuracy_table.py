"""`make accuracy` measures with real labels, and a missed target shows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import accuracy
from benchmarks.labelled_videos import LABELS, LEAD_S, PRESENT, enacted, labelled_script
from benchmarks.tennis_wrist import labelled_runs, matched, repeated

needs_labels = pytest.mark.skipif(not PRESENT, reason="the labelled matches are not there")


@needs_labels
def test_labelled_videos_keep_their_timing() -> None:
    segments = pd.read_csv(LABELS / "segments.csv")
    rallies = segments[(segments.state == "rally") & (segments.censored == 0)]
    scripts = [labelled_script(video, 1) for video in range(1, 6)]
    starts = np.concatenate([[r.start_s - LEAD_S for r in script.rallies] for script in scripts])
    assert len(starts) == len(rallies)
    assert np.allclose(starts, rallies.sort_values(["video", "start_s"]).start_s)
    for script in scripts:
        for rally in script.rallies:
            times = [t for t, _ in rally.contacts]
            assert times == sorted(times)
            assert rally.start_s <= times[0]
            assert times[-1] <= rally.stop_s


@needs_labels
def test_both_players_see_one_video() -> None:
    one, two = (enacted(view, ("heart_rate",), "playing", 50.0).truth for view in (0, 1))
    assert [r["start"] for r in one["rallies"]] == [r["start"] for r in two["rallies"]]
    assert not {s["time"] for s in one["strokes"]} & {s["time"] for s in two["strokes"]}
    assert one["games"] is None


def test_runs_and_strokes_are_paired_once() -> None:
    times = np.arange(0, 10, 0.01)
    shot = np.zeros(len(times), int)
    shot[100:150], shot[150:200], shot[500:510], shot[600:700] = 1, 2, 1, 3
    runs = labelled_runs(times, shot)
    assert np.allclose(runs, [[1.0, 1.49], [1.5, 1.99], [6.0, 6.99]])
    assert matched(runs, np.array([1.2, 1.6, 6.5, 6.6, 9.0])) == 3
    assert matched(runs, np.array([1.2, 1.25, 1.3])) == 2
    assert matched(runs, np.array([])) == 0


def test_more_strokes_in_a_long_run_count_neither_way() -> None:
    runs = np.array([[1.0, 2.5], [10.0, 14.0], [20.0, 23.0]])
    assert repeated(runs, np.array([1.1, 2.2, 10.5, 12.5, 13.9, 21.0, 30.0])) == 2
    assert repeated(runs, np.array([])) == 0


def test_ceiling_knows_more_with_the_server() -> None:
    scripts = [accuracy.held_out(number) for number in range(4)]
    known, unknown = accuracy.ceiling(scripts, True), accuracy.ceiling(scripts, False)
    assert 1 > known["rally_f1_iou_0.75"]["value"] > unknown["rally_f1_iou_0.75"]["value"] > 0.6


def test_a_missed_target_shows() -> None:
    row = {"rally_f1_iou_0.5": {"value": 0.9, "low": 0.8, "high": 1.0}}
    row["boundary_error_s"] = {"value": 0.9, "low": 0.8, "high": 1.0}
    line = accuracy.shown("x", row, accuracy.targets(0.95, 0.9, 0.8, 0.99, None))
    assert "<0.95" in line
    assert ">0.8" in line
    assert "<" not in accuracy.shown("x", row, {"rally_f1_iou_0.5": 0.9})


def test_saved_tables_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from squashlib.lab_figures import table
    from store import Store, leaderboard

    monkeypatch.setenv("SQUASH_HOME", str(tmp_path))
    figure = {"value": 0.9, "low": 0.8, "high": 1.0}
    for matches in (1, 2):
        each = {f"match {i}": {"rally_f1_iou_0.5": 0.9} for i in range(matches)}
        line = {"sessions": matches, "rally_f1_iou_0.5": figure, "each": each}
        (kept,) = accuracy.save({"ceiling": {"sessions": 1}, "heart rate alone": line}, matches)
        assert leaderboard.row(Store.open().blobs, kept)["sessions"] == each
    rows = leaderboard.rows(Store.open().blobs)
    assert sorted(row["data_set"]["sessions"] for row in rows) == [1, 2]
    assert all("+" in row["algorithm_version"] and row["fingerprints"] for row in rows)
    assert table(rows)["F1@0.5"].tolist() == ["0.900 [0.80 1.00]"] * 2
