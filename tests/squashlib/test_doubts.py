"""What speaks against play makes rallies and games unsure, and is told."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import squashlib
from squashlib.detectors.doubts import BELIEVED, doubts
from squashlib.session import build

REAL = Path(__file__).parents[3] / "shared/data/fit/squash_pixel_watch_3.fit"


@pytest.fixture(scope="module")
def match() -> Any:
    return squashlib.simulate(11, rate_hz=25)


@pytest.mark.skipif(not REAL.exists(), reason="the shared recordings are not here")
def test_a_real_match_told_by_the_heart_alone_is_not_doubted() -> None:
    rallies = squashlib.analyse(squashlib.decode(REAL)).rallies
    assert "doubts" not in rallies.attrs
    assert 0 < rallies.attrs["count_low"] <= rallies.sizes["rally"] <= rallies.attrs["count_high"]


def test_a_match_is_not_doubted(match: Any) -> None:
    found = squashlib.analyse(match.session)
    assert "doubts" not in found.groups["rallies"].attrs
    assert np.mean([r["confidence"] for r in found.to_dict()["rallies"]]) > 0.85


@pytest.mark.parametrize("pressed", [False, True])
def test_play_at_the_pulse_of_a_desk_is_doubted_unless_it_was_scored(match: Any, pressed: bool) -> None:
    bpm = match.session["heart_rate"]
    calm = match.session.assign(heart_rate=("hr_time", 60 + 0.15 * bpm.values, bpm.attrs))
    found = squashlib.analyse(calm, points=match.points if pressed else []).to_dict()
    told = [warning for warning in found["quality"]["warnings"] if "no match" in warning]
    assert (found["rally_count"]["low"] == 0, len(told)) == ((False, 0) if pressed else (True, 1))
    sure = np.mean([r["confidence"] for r in found["rallies"]])
    assert sure > 0.85 if pressed else sure < 0.1


def test_a_steady_run_is_no_match() -> None:
    rng = np.random.default_rng(1)
    bpm = 165 + 8 * (1 - np.exp(-np.arange(2400) / 600)) + np.convolve(rng.normal(0, 1.5, 2400), np.ones(5) / 5, "same")
    run = build(
        {"hr_time": (np.arange(2400.0), {"heart_rate": bpm.round()})},
        start_time=datetime(2026, 3, 1, 18, tzinfo=UTC),
        duration_s=2400.0,
    )
    found = squashlib.analyse(run).to_dict()
    sure = [event["confidence"] for event in (*found["rallies"], *found["games"])]
    assert found["rally_count"]["low"] == 0
    assert max(sure, default=0.0) < 0.3


def test_each_figure_has_its_doubt() -> None:
    pulse, struck, strokes, rallies = np.full(40, 150.0), np.full(40, 4.0), np.full(160, 0.95), np.full(40, 0.95)
    nothing = np.full(40, np.nan)
    assert doubts(pulse, struck, strokes, rallies, "playing") == []
    assert doubts(pulse, struck, strokes - 0.24, rallies, "other") == [], "a free arm's strokes may look like that"
    assert doubts(nothing, nothing, np.empty(0), rallies, None) == []
    for doubted, word in (
        (doubts(pulse - 70, struck, strokes, rallies, "playing"), "80 bpm"),
        (doubts(pulse, np.where(np.arange(40) < 16, 0.0, 1.0), strokes, rallies, "playing"), "40%"),
        (doubts(pulse, struck, strokes - 0.24, rallies, "playing"), "strokes"),
        (doubts(pulse, nothing, np.empty(0), rallies - 0.5, None), "rises and falls"),
    ):
        assert [word in doubt.words for doubt in doubted] == [True]
        assert doubted[0].play < BELIEVED
