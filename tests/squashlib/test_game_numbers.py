"""Games bounded by the laws of scoring, when no device numbered them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import squashlib
from squashlib.game_numbers import numbered
from squashlib.scoring import Point, law_of
from squashlib.session import parse_iso


def match(rng: np.random.Generator, system: str, games: int) -> list[Point]:
    """Presses of a match by its law, each with the score after it and its true game."""
    law, points, time_s = law_of(system), list[Point](), 0.0
    for game in range(1, games + 1):
        me = opponent = 0
        server = "me"
        while not (max(me, opponent) >= law.target and abs(me - opponent) >= law.win_by):
            winner = "me" if rng.random() < 0.5 else "opponent"
            counts = not law.server_scores_only or winner == server
            me, opponent = me + (counts and winner == "me"), opponent + (counts and winner == "opponent")
            server, time_s = winner, time_s + 25.0
            points.append(Point(time_s, winner, me, opponent, game))  # type: ignore[arg-type]
            if law.server_scores_only and max(me, opponent) == 9:
                break
        time_s += 90.0
    return points


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from(["PAR-11", "PAR-15", "HiHo-9"]), st.integers(2, 5))
def test_scores_alone_give_back_the_games(seed: int, system: str, games: int) -> None:
    true = match(np.random.default_rng(seed), system, games)
    found = numbered([replace(point, game=None) for point in true])
    assert [point.game for point in found] == [point.game for point in true]


def test_what_a_device_numbered_stays() -> None:
    points = [Point(10.0, "me", 1, 0, 7), Point(30.0, "me", 2, 0, 7)]
    assert numbered(points) == tuple(points)


def test_winners_alone_are_not_counted_out() -> None:
    points = [Point(25.0 * i, "me") for i in range(1, 30)]
    assert all(point.game is None for point in numbered(points))


@pytest.mark.parametrize("seed", [21, 22])
def test_games_without_numbers_are_found_as_with_them(seed: int) -> None:
    made = squashlib.simulate(seed, rate_hz=10, sensors=("heart_rate",))
    bare = [{name: value for name, value in point.items() if name != "game_number"} for point in made.points]
    for points in (made.points, bare):
        games = squashlib.analyse(made.session, points).games
        assert games.sizes["game"] == len(made.truth["games"])


def test_final_scores_name_games_and_say_nothing_of_single_rallies() -> None:
    made = squashlib.simulate(5, rate_hz=10, sensors=("heart_rate",))
    start = parse_iso(made.truth["start"])
    finals = [
        Point((parse_iso(g["end"]) - start).total_seconds() + 5, None, *g["score"].values(), g["number"])
        for g in made.truth["games"]
    ]
    finals.append(replace(finals[-1], time_s=finals[-1].time_s + 300, game=len(finals) + 1))
    plain, named = (squashlib.analyse(made.session, points).to_dict() for points in ([], finals))
    assert [r["start"] for r in named["rallies"]] == [r["start"] for r in plain["rallies"]]
    assert named["insights"]["metrics"]["sample_size"] == {"won": 0, "lost": 0}
    scores = [game["score"] for game in named["games"] if game["score"]]
    assert scores
    assert [score for score in scores if score not in [g["score"] for g in made.truth["games"]]] == []
