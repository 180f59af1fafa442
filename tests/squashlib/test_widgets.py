"""The widget's Python side: what it sends, and what it makes of what comes back."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from squashlib.detectors.adjusted import AdjustedRallies
from squashlib.labels import Label, LabelSet
from squashlib.pyramid import Channel
from squashlib.widgets import Labeller, parameters, saving

IOPUB_LIMIT = 1_000_000  # bytes a second that jupyter_server lets through


@pytest.fixture
def labeller() -> Labeller:
    times = np.arange(540_000) / 100
    rng = np.random.default_rng(0)
    channels = [Channel(f"c{i}", "m/s²", times, rng.normal(size=len(times))) for i in range(6)]
    begun = LabelSet("s", "2026-01-05T18:00:00.000Z", "detector", (Label("rally", 1, 2, 0.5),), 1, "detected")
    return Labeller(channels, begun, "ann")


def test_little_is_sent_at_once(labeller: Labeller) -> None:
    assert len(labeller.coarse) < IOPUB_LIMIT / 4


def test_tiles_are_answered(labeller: Labeller, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []
    monkeypatch.setattr(labeller, "send", lambda content, buffers: sent.append((content, buffers)))
    labeller._answer(labeller, {"type": "tiles", "wanted": [[0, 0, 3], [5, 1, 131]]}, None)
    ((content, buffers),) = sent
    assert content["tiles"] == [[0, 0, 3, 1024], [5, 1, 131, 135_000 - 131 * 1024]]
    steps = np.frombuffer(buffers[0], np.int16)
    assert (steps[:2048].reshape(2, 1024) == labeller._series[0].levels[0][:, 3 * 1024 : 4 * 1024]).all()


def test_what_the_page_did_is_a_new_set_by_the_author(labeller: Labeller) -> None:
    added = {"kind": "stroke", "start_s": 7.1234, "stop_s": None, "confidence": None, "note": "", "label_id": "n"}
    labeller.labels = [*labeller.labels, added]
    made = labeller.label_set()
    assert (made.author, made.kind) == ("ann", "labels")
    assert [(x.kind, x.start_s) for x in made.labels] == [("rally", 1.0), ("stroke", 7.123)]
    labeller.show(made)
    assert labeller.label_set().base == {"author": "ann", "version": 1}
    with pytest.raises(ValueError, match="must be of 's'"):
        labeller.show(LabelSet("t", made.start, "ann"))


def test_saving_tells_what_was_kept(labeller: Labeller, tmp_path) -> None:
    row = saving(labeller, lambda made: made, tmp_path / "l.json")
    row.children[0].click()
    assert "1 labels saved as version 1 of ann" in row.children[-1].value
    row.children[1].click()
    assert LabelSet.read(tmp_path / "l.json").labels == labeller.label_set().labels


@dataclass(frozen=True)
class Mine:
    """A detector's fields of each kind; `words` has no screw."""

    half_s: float = 4.0
    most: int = field(default=3, metadata={"low": 1, "high": 9})
    strict: bool = False
    words: str = "kept"


def test_any_detectors_fields_are_screws() -> None:
    seen: list[Mine] = []
    box = parameters(Mine(words="other"), lambda detector: seen.append(detector) or detector)
    half, most, strict = box.children[0].children
    assert (half.min, half.max, most.min, most.max) == (0, 8, 1, 9)
    half.value, most.value, strict.value = 2.5, 7, True
    assert seen[-1] == Mine(2.5, 7, True, "other")
    made = parameters(AdjustedRallies(shortest_s=4.0), lambda detector: detector)
    assert [one.description for one in made.children[0].children][:2] == ["least_confidence", "shortest_s"]
    assert "shortest_s=4.0" in made.children[1].value
