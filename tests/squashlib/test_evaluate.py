"""The ruler itself: what is right scores one, what is wrong by a known amount scores that amount."""

import copy
import itertools
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squashlib.evaluate import compare, evaluate, match_spans, match_times, summarise
from squashlib.evaluate.calibration import calibration_error, reliability
from squashlib.evaluate.matching import iou, merges, splits
from squashlib.simulate import simulate

MATCH = simulate(3, rate_hz=10, sensors=("heart_rate",))


def perfect(truth: dict[str, Any]) -> dict[str, Any]:
    """The analysis document that says exactly what happened."""
    count = len(truth["rallies"])
    return {
        "schema": "squash-analysis/1",
        "session": {"streams": {"acceleration": {}}},
        "warmup": truth["warmup"],
        "games": truth["games"],
        "rallies": [{**r, "confidence": 1.0} for r in truth["rallies"]],
        "rally_count": {"estimate": count, "low": count - 2, "high": count + 2, "level": 0.9},
        "strokes": truth["strokes"],
    }


def moved(iso: str, seconds: float) -> str:
    return (datetime.fromisoformat(iso) + timedelta(seconds=seconds)).isoformat()


def test_the_truth_itself_scores_one() -> None:
    result = evaluate(MATCH.truth, perfect(MATCH.truth))
    assert result["rallies"]["iou_0.75"]["f1"] == 1.0
    assert result["rallies"]["boundary_error_s"] == {"median": 0.0, "p90": 0.0}
    assert result["rallies"]["last_contact_error_s"]["median"] > 0.5
    assert result["games"]["f1"] == result["strokes"]["within_0.15_s"]["f1"] == result["warmup_iou"] == 1.0
    assert result["game_scores"]["f1"] == 1.0
    assert result["strokes"]["side_right"] == result["strokes"]["side_told"] > 50
    assert result["rally_count"]["inside"]
    assert (result["rallies"]["merges"], result["rallies"]["splits"], result["rallies"]["brier"]) == (0, 0, 0.0)


def test_known_faults_are_measured_as_such() -> None:
    found = perfect(copy.deepcopy(MATCH.truth))
    rallies = found["rallies"]
    for rally in rallies:
        rally["start"] = moved(rally["start"], 0.4)
    rallies[2]["end"] = rallies[3]["end"]  # two rallies as one
    del rallies[3]
    del rallies[-1]
    found["rally_count"] = {"estimate": len(rallies), "low": len(rallies) - 1, "high": len(rallies) + 1}
    found["strokes"] = [{**s, "time": moved(s["time"], 0.2)} for s in found["strokes"]]
    result = evaluate(MATCH.truth, found)
    assert result["rallies"]["onset_error_s"]["median"] == pytest.approx(0.4)
    assert result["rallies"]["end_error_s"]["median"] == 0.0
    assert result["rallies"]["merges"] == 1
    assert result["rally_count"]["error"] == -2
    assert not result["rally_count"]["inside"]
    assert result["strokes"]["within_0.15_s"]["f1"] < 0.2
    assert result["strokes"]["within_0.25_s"]["f1"] == 1.0
    assert 0.9 < result["rallies"]["iou_0.5"]["f1"] < 1.0


def test_nothing_found_scores_zero_and_nothing_there_scores_one() -> None:
    nothing = perfect(MATCH.truth) | {"games": [], "rallies": [], "strokes": [], "warmup": None}
    nothing["rally_count"] = {"estimate": 0, "low": 0, "high": 0}
    result = evaluate(MATCH.truth, nothing)
    assert result["rallies"]["iou_0.5"]["f1"] == result["games"]["f1"] == result["warmup_iou"] == 0.0
    assert result["rallies"]["boundary_error_s"]["median"] is None
    empty = MATCH.truth | {"games": [], "rallies": [], "strokes": [], "warmup": None}
    assert evaluate(empty, nothing)["rallies"]["iou_0.5"]["f1"] == 1.0
    assert evaluate(empty, perfect(MATCH.truth))["rallies"]["iou_0.5"]["f1"] == 0.0


def test_no_motion_says_nothing_of_strokes() -> None:
    heart_only = perfect(MATCH.truth) | {"strokes": [], "session": {"streams": {"heart_rate": {}}}}
    assert evaluate(MATCH.truth, heart_only)["strokes"] is None
    assert summarise([compare(MATCH.truth, heart_only)])["stroke_f1_within_0.25_s"] is None


def test_swapped_documents_are_refused() -> None:
    with pytest.raises(ValueError, match="squash-truth/1"):
        evaluate(perfect(MATCH.truth), MATCH.truth)


times = st.lists(st.integers(0, 60), max_size=6, unique=True).map(lambda xs: np.sort(np.array(xs, float)) / 4)


def most_pairs(allowed: np.ndarray) -> int:
    """Largest matching by trying every assignment."""
    small, large = sorted(allowed.shape)
    table = allowed if allowed.shape[0] == small else allowed.T
    return max(sum(table[i, p] for i, p in enumerate(order)) for order in itertools.permutations(range(large), small))


@settings(max_examples=80, deadline=None)
@given(times, times)
def test_times_are_matched_as_often_as_possible(truth: np.ndarray, found: np.ndarray) -> None:
    pairs = match_times(truth, found, 0.5)
    allowed = np.abs(truth[:, None] - found[None, :]) <= 0.5
    assert len(pairs) == (most_pairs(allowed) if allowed.size else 0)
    assert all(allowed[i, j] for i, j in pairs)
    assert len(set(pairs[:, 0])) == len(set(pairs[:, 1])) == len(pairs)


spans = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12)), max_size=5).map(
    lambda xs: np.array([(a, a + b) for a, b in sorted(xs)], float).reshape(-1, 2)
)


@settings(max_examples=80, deadline=None)
@given(spans, spans, st.sampled_from([0.2, 0.5, 0.75]))
def test_spans_are_matched_as_often_as_possible(truth: np.ndarray, found: np.ndarray, at_least: float) -> None:
    pairs = match_spans(truth, found, at_least)
    overlap = iou(truth, found)
    assert len(pairs) == (most_pairs(overlap >= at_least) if overlap.size else 0)
    assert all(overlap[i, j] >= at_least for i, j in pairs)


def test_overlap_by_hand() -> None:
    assert iou(np.array([[0.0, 10.0]]), np.array([[5.0, 15.0], [20.0, 21.0], [0.0, 10.0]])).tolist() == [[1 / 3, 0, 1]]
    two, one = np.array([[0.0, 4.0], [6.0, 9.0]]), np.array([[0.0, 9.0]])
    assert (merges(two, one), splits(two, one)) == (1, 0)
    assert (merges(one, two), splits(one, two)) == (0, 1)


def test_calibration_of_a_known_forecaster() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 40_000)
    assert calibration_error(confidence, rng.random(40_000) < confidence) < 0.01
    assert calibration_error(confidence, rng.random(40_000) < confidence - 0.2) == pytest.approx(0.2, abs=0.01)
    assert [row["low"] for row in reliability(confidence, confidence > 0.7)] == [0.5, 0.6, 0.7, 0.8, 0.9]


def test_summary_is_pooled_and_its_interval_holds_it() -> None:
    whole = compare(MATCH.truth, perfect(MATCH.truth))
    half = perfect(copy.deepcopy(MATCH.truth))
    half["rallies"] = half["rallies"][::2]
    row = summarise([whole, compare(MATCH.truth, half)])
    n, kept = len(MATCH.truth["rallies"]), len(half["rallies"])
    figure = row["rally_f1_iou_0.5"]
    assert figure["value"] == pytest.approx(2 * (n + kept) / (3 * n + kept), abs=1e-4)
    assert figure["low"] < figure["value"] < figure["high"] == 1.0
    assert row["count_interval_coverage"]["value"] == 1.0
    assert summarise([whole])["rally_f1_iou_0.5"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    with pytest.raises(ValueError, match="no sessions"):
        summarise([])
