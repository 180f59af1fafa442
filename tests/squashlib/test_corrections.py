"""Corrections: what the player says holds, wherever detectors put it next time."""

from datetime import UTC, datetime

import pytest

import squashlib
from squashlib.corrections import Correction, corrected_points, parse_corrections
from squashlib.scoring import Point

START = datetime(2026, 1, 1, tzinfo=UTC)


def game(*winners: str) -> list[Point]:
    points, me, opponent = [], 0, 0
    for i, winner in enumerate(winners):
        me, opponent = me + (winner == "me"), opponent + (winner == "opponent")
        points.append(Point(30.0 * (i + 1), winner, me, opponent))  # type: ignore[arg-type]
    return points


def scores(points: tuple[Point, ...]) -> list[tuple[int | None, int | None]]:
    return [(point.score_me, point.score_opponent) for point in points]


def test_a_point_that_went_to_the_other_side_moves_the_scores_after_it() -> None:
    points = [*game("me", "opponent", "me"), Point(200.0, "me", 1, 0)]
    fixed = corrected_points(points, [Correction(45.0, 58.0, "me")])
    assert [point.winner for point in fixed] == ["me", "me", "me", "me"]
    assert scores(fixed) == [(1, 0), (2, 0), (3, 0), (1, 0)], "the next game stays"


def test_a_let_scores_nothing() -> None:
    fixed = corrected_points(game("me", "opponent", "me"), [Correction(45.0, 58.0, "let")])
    assert fixed[1].is_let
    assert scores(fixed) == [(1, 0), (1, 0), (2, 0)]


def test_no_rally_takes_its_press_away() -> None:
    fixed = corrected_points(game("me", "opponent", "me"), [Correction(15.0, 28.0, "no_rally")])
    assert scores(fixed) == [(0, 1), (1, 1)]


def test_a_point_that_was_never_pressed_is_added() -> None:
    fixed = corrected_points(game("me"), [Correction(300.0, 310.0, "opponent")])
    assert [(point.time_s, point.winner) for point in fixed] == [(30.0, "me"), (311.0, "opponent")]


@pytest.mark.parametrize(("what", "end"), [("nonsense", "00:10"), ("let", "00:00")])
def test_what_makes_no_sense_is_refused_by_name(what: str, end: str) -> None:
    item = {"start": "2026-01-01T00:00:05Z", "end": f"2026-01-01T00:{end}Z", "what": what}
    with pytest.raises(ValueError, match=r"what is|end is"):
        parse_corrections([item], START)


def test_the_analysis_respects_them() -> None:
    match = squashlib.simulate(7, rate_hz=10)
    found = squashlib.analyse(match.session, match.points).to_dict()["rallies"]
    first, second = found[3], next(rally for rally in found[8:] if rally["winner"] == "me")
    said = [
        {"start": first["start"], "end": first["end"], "what": "no_rally"},
        {"start": second["start"], "end": second["end"], "what": "opponent"},
    ]
    after = squashlib.analyse(match.session, match.points, corrections=said).to_dict()["rallies"]
    assert first["start"] not in {rally["start"] for rally in after}
    near = min(after, key=lambda rally: abs(_s(rally["start"]) - _s(second["start"])))
    assert near["winner"] == "opponent"


def _s(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()
