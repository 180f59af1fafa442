"""A sensor that hangs, is dead or was never there costs its own data and nothing else."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

import squashlib
from squashlib.detectors.alive import alive
from squashlib.session import build, parse_iso
from squashlib.simulate.match import Match

START = parse_iso("2026-01-05T18:00:00Z")
Change = Callable[[xr.Dataset], xr.Dataset]


@pytest.fixture(scope="module")
def match() -> Match:
    return squashlib.simulate(seed=4, rate_hz=25.0)


def changed(name: str, value: float, axis: int | slice = slice(None)) -> Change:
    def change(session: xr.Dataset) -> xr.Dataset:
        values = session[name].values.copy()
        values[..., axis] = value
        return session.assign({name: (session[name].dims, values, session[name].attrs)})

    return change


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (changed("acceleration", 1.0), "acceleration never changes"),
        (changed("acceleration", np.nan), "acceleration has 0 values"),
        (changed("angular_velocity", 0.0), "rotation never changes"),
        (changed("angular_velocity", np.nan, 1), "rotation has no value on axis y"),
        (changed("heart_rate", 120.0), "heart rate stays the same for"),
        (changed("heart_rate", np.nan), "heart rate dropped out for 100%"),
    ],
)
def test_a_dead_sensor_costs_nothing_else(match: Match, change: Change, warning: str) -> None:
    whole = squashlib.analyse(match.session)
    found = squashlib.analyse(change(match.session.load()))
    assert any(said.startswith(warning) for said in found.to_dict()["quality"]["warnings"])
    assert found.rallies.sizes["rally"] == pytest.approx(whole.rallies.sizes["rally"], rel=0.1)
    assert found.games.sizes == whole.games.sizes


def test_without_motion_the_heart_is_left(match: Match) -> None:
    session = changed("acceleration", 0.0)(changed("angular_velocity", 0.0)(match.session.load()))
    found = squashlib.analyse(session)
    assert found.rallies.sizes["rally"] > 10
    assert found.to_dict()["metrics"]["shots_detected"]["value"] is None


def test_what_lives_is_not_touched(match: Match) -> None:
    session, warnings = alive(match.session)
    assert session is match.session
    assert not warnings


@pytest.mark.parametrize("samples", [0, 1, 2, 40])
@pytest.mark.parametrize("step_s", [1.0, 60.0])
def test_hardly_any_heart_rate_gives_a_document(samples: int, step_s: float) -> None:
    times = np.arange(samples) * step_s
    streams = {"hr_time": (times, {"heart_rate": 100.0 + times % 7})}
    found = squashlib.analyse(build(streams, start_time=START, duration_s=2400.0)).to_dict()
    assert found["rallies"] == []


@pytest.mark.parametrize(
    ("sport", "told"), [("running", True), ("cycling", True), ("squash", False), ("training", False)]
)
def test_another_sport_is_named(match: Match, sport: str, told: bool) -> None:
    found = squashlib.analyse(match.session.assign_attrs(sport=sport)).to_dict()
    assert any(f"recorded as {sport}" in said for said in found["quality"]["warnings"]) == told
