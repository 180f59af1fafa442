"""Label sets: alike in and out, truthful to evaluation, and agreement that means what it says."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squashlib.agreement import agreement, cohens_kappa
from squashlib.evaluate import evaluate
from squashlib.label_truth import truth_of
from squashlib.labels import MOMENTS, SPANS, Label, LabelSet, from_truth

START = "2026-01-05T18:00:00.000Z"


def of(*labels: Label, author: str = "ann", session_id: str = "s") -> LabelSet:
    return LabelSet(session_id, START, author, labels)


@st.composite
def sets(draw: st.DrawFn) -> LabelSet:
    labels = []
    for kind in draw(st.sets(st.sampled_from(SPANS))):
        edges = sorted(draw(st.sets(st.integers(0, 5_000_000), min_size=2, max_size=20)))
        spans = zip(edges[::2], edges[1::2], strict=False)
        labels += [Label(kind, a / 1000, b / 1000, draw(st.none() | st.floats(0, 1))) for a, b in spans]
    for kind in draw(st.sets(st.sampled_from(MOMENTS))):
        labels += [Label(kind, draw(st.floats(0, 5000)), note=draw(st.text(max_size=5)))]
    return of(*labels)


@settings(max_examples=60, deadline=None)
@given(sets())
def test_a_file_gives_the_same_set_and_the_same_bytes(labels: LabelSet) -> None:
    again = LabelSet.from_dict(json.loads(labels.to_json()))
    assert again == labels
    assert again.to_json() == labels.to_json()


def test_write_and_read(tmp_path: Path) -> None:
    labels = of(Label("rally", 1, 2, 0.5, "ünsure"), Label("stroke", 1.5))
    labels.write(tmp_path / "a.json")
    assert LabelSet.read(tmp_path / "a.json") == labels


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Label("rallye", 1, 2), "must be one of rally"),
        (lambda: Label("stroke", 1, 2), "a moment and has no end"),
        (lambda: Label("rally", 1), "needs an end"),
        (lambda: Label("rally", 2, 2), "must end after it starts"),
        (lambda: of(Label("rally", 1, 3), Label("rally", 2, 4)), "overlap"),
        (lambda: of(Label("let", 1, label_id="x"), Label("let", 2, label_id="x")), "one id"),
        (lambda: LabelSet.from_dict({"schema": "squash-labels/2"}), "must be 'squash-labels/1'"),
        (lambda: LabelSet.from_dict({"schema": "squash-labels/1", "labels": [{"x": 1}]}), "not a squash-labels/1"),
    ],
)
def test_what_is_wrong_is_said(make, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()


def analysis_of(labels: LabelSet) -> dict:
    """An analysis that found exactly what was labelled."""
    truth = truth_of(labels)
    found = [{**rally, "confidence": 1.0} for rally in truth["rallies"]]
    strokes = truth.get("strokes", [])
    games = truth["games"] or []
    return {"schema": "squash-analysis/1", "rallies": found, "games": games, "strokes": strokes, "warmup": None}


def test_evaluation_reads_labels() -> None:
    labels = of(
        Label("game", 0, 100), Label("rally", 1, 10), Label("rally", 20, 31.5), Label("let", 32), Label("stroke", 3)
    )
    truth = truth_of(labels)
    assert [(r["game"], r["is_let"]) for r in truth["rallies"]] == [(1, False), (1, True)]
    scores = evaluate(truth, analysis_of(labels))
    assert scores["rallies"]["iou_0.75"]["f1"] == 1.0
    assert scores["games"]["f1"] == 1.0
    assert scores["strokes"]["within_0.15_s"]["f1"] == 1.0


def test_what_was_not_labelled_is_not_scored() -> None:
    labels = of(Label("rally", 1, 10))
    scores = evaluate(truth_of(labels), {**analysis_of(labels), "strokes": [{"time": START, "side": None}]})
    assert scores["strokes"] is None
    assert scores["games"] is None


def test_truth_becomes_labels_and_truth_again() -> None:
    labels = of(
        Label("warmup", 0, 5), Label("game", 6, 100), Label("rally", 7, 10), Label("let", 10), Label("stroke", 8)
    )
    again = from_truth(truth_of(labels), "s")
    assert [(x.kind, x.start_s, x.stop_s) for x in again.labels] == [
        (x.kind, x.start_s, x.stop_s) for x in labels.labels
    ]


def test_kappa_is_what_cohen_says() -> None:
    # Cohen's own kind of table: 25 both yes, 15 both no, 5 and 5 apart
    a = np.repeat([True, True, False, False], [25, 5, 5, 15])
    b = np.repeat([True, False, True, False], [25, 5, 5, 15])
    assert cohens_kappa(a, b) == pytest.approx((0.8 - 0.52) / 0.48)
    assert cohens_kappa(a, a) == 1.0
    assert cohens_kappa(np.ones(4), np.ones(4)) is None
    rng = np.random.default_rng(0)
    assert abs(cohens_kappa(rng.random(20_000) < 0.3, rng.random(20_000) < 0.6)) < 0.02
    with pytest.raises(ValueError, match="same units"):
        cohens_kappa(a, b[1:])


def test_agreement_of_two_annotators() -> None:
    ann = of(Label("rally", 10, 20), Label("rally", 30, 40), Label("stroke", 12), Label("stroke", 15))
    ben = of(Label("rally", 10.4, 21), Label("rally", 60, 70), Label("stroke", 12.1), author="ben")
    found = agreement(ann, ben)
    assert found["f1"] == 0.5
    assert found["count"] == (2, 2)
    assert (found["start_difference_s"], found["end_difference_s"]) == (0.4, 1.0)
    assert found["stroke_f1"] == pytest.approx(2 / 3, abs=1e-3)
    assert 0 < found["kappa"] < 1
    assert agreement(ann, ann)["kappa"] == 1.0
    nothing = agreement(of(), of())
    assert nothing["kappa"] is None
    assert nothing["f1"] is None
    with pytest.raises(ValueError, match="must be of one"):
        agreement(ann, of(session_id="t"))
