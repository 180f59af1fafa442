"""How long a heart-rate sensor averages is read from what it sent."""

from pathlib import Path

import numpy as np
import pytest

import squashlib
from squashlib.detectors.averaging import USUAL_S, averaging_s, spectrum

FIT = Path(__file__).parents[3] / "shared/data/fit"


def heart(seed: int, seconds: int = 3000) -> np.ndarray:
    """A heart that follows rallies and rests, wanders and is never rounded; its sensor does not average."""
    rng = np.random.default_rng(seed)
    playing = np.concatenate([np.full(int(length), i % 2) for i, length in enumerate(rng.gamma(4, 3, 600) + 2)])
    bpm, wander, out = 150.0, 0.0, np.empty(seconds)
    for i in range(seconds):
        bpm += (120 + 60 * playing[i] - bpm) / 50
        wander = 0.9 * wander + rng.normal(0, 0.5)
        out[i] = bpm + wander
    return out


@pytest.mark.parametrize("width", [1, 3, 5, 8, 10])
def test_a_running_mean_is_recognised(width: int) -> None:
    found = []
    for seed in range(4):
        sent = np.round(np.convolve(heart(seed), np.ones(width) / width, "valid"))
        found.append(averaging_s(np.arange(len(sent), dtype=float), sent))
    assert np.median(found) == pytest.approx(width, abs=1.2)


def test_seconds_are_seconds_at_half_the_rate() -> None:
    sent = np.convolve(heart(1, 6000), np.ones(8) / 8, "valid")[::2]
    assert averaging_s(2.0 * np.arange(len(sent)), sent) == pytest.approx(8, abs=1.5)


@pytest.mark.parametrize("bpm", [np.full(2000, 120.0), np.full(100, 120.0), np.arange(2000.0)])
def test_what_tells_nothing_gives_the_usual(bpm: np.ndarray) -> None:
    width = averaging_s(np.arange(len(bpm), dtype=float), bpm)
    assert width == USUAL_S or 1 <= width <= 12


def test_spectrum_is_that_of_welch() -> None:
    from scipy.signal import welch

    x = np.random.default_rng(3).normal(size=3000).cumsum()
    hz, power, pieces = spectrum(x, 1.0)
    wanted_hz, wanted = welch(x, 1.0, window=np.hanning(256), noverlap=128, detrend="linear")
    np.testing.assert_allclose(hz, wanted_hz[1:-1])
    np.testing.assert_allclose(power / power.sum(), wanted[1:-1] / wanted[1:-1].sum(), rtol=1e-6)
    assert pieces == 22


@pytest.mark.skipif(not FIT.exists(), reason="the shared real recordings are not here")
@pytest.mark.parametrize("name", ["Edge810-Vector-2013-08-16-15-35-10.fit", "garmin-edge-500-activity.fit"])
def test_chest_straps_average_a_few_beats(name: str) -> None:
    session = squashlib.decode(FIT / name)
    times, bpm = session["hr_time"].values, session["heart_rate"].values.astype(float)
    seen = ~np.isnan(bpm)
    assert 1 <= averaging_s(times[seen], bpm[seen]) < 5
