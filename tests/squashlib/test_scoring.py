"""The laws of the game against a slow, obvious umpire."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squashlib.scoring import LAWS, Point, is_over, law_of, parse_points, referee

WINNERS = st.lists(st.sampled_from(["me", "opponent"]), max_size=140)


def umpire(winners: list[str], target: int) -> list[tuple[int, int]]:
    """Scores of the games of point-a-rally scoring, counted by hand."""
    games, me, opponent = [], 0, 0
    for winner in winners:
        if winner == "me":
            me += 1
        else:
            opponent += 1
        if (me >= target or opponent >= target) and abs(me - opponent) >= 2:
            games.append((me, opponent))
            me = opponent = 0
    return games + ([(me, opponent)] if me or opponent else [])


@given(WINNERS, st.sampled_from(["PAR-11", "PAR-15"]))
def test_point_a_rally_scores_as_the_umpire_does(winners: list[str], system: str) -> None:
    points = [Point(10.0 * i, winner) for i, winner in enumerate(winners)]  # type: ignore[arg-type]
    board = referee(points, system)
    assert [(g.score_me, g.score_opponent) for g in board.games] == umpire(winners, LAWS[system].target)
    assert not any(ruling.flags for ruling in board.rulings)


@given(WINNERS)
def test_stated_scores_that_follow_are_not_flagged(winners: list[str]) -> None:
    counted = referee([Point(10.0 * i, w) for i, w in enumerate(winners)])  # type: ignore[arg-type]
    stated = [Point(r.point.time_s, r.point.winner, r.score_me, r.score_opponent, r.game) for r in counted.rulings]
    assert referee(stated).games == counted.games
    assert not any(ruling.flags for ruling in referee(stated).rulings)


def test_only_the_server_scores_in_hand_in_hand_out() -> None:
    board = referee([Point(i * 10.0, w) for i, w in enumerate(["me", "opponent", "opponent", "me", "me"])], "english")
    assert [(r.score_me, r.score_opponent) for r in board.rulings] == [(1, 0), (1, 0), (1, 1), (1, 1), (2, 1)]
    law = law_of("english")
    assert is_over(law, 9, 8)
    assert is_over(law, 10, 8)
    assert is_over(law, 10, 9)
    assert not is_over(law, 8, 8)


def test_oddities_are_flagged_never_refused() -> None:
    board = referee(
        [
            Point(0, "me", 1, 0, 1),
            Point(10, "me", 3, 0, 1),
            Point(11, "me", 4, 0, 1),
            Point(20, "opponent", 15, 1, 1),
            Point(30, "me", 1, 0, 2),
            Point(40, "me", 2, 0, 1),
        ]
    )
    flags = [ruling.flags for ruling in board.rulings]
    assert flags[0] == ()
    assert "score_does_not_follow" in flags[1]
    assert "pressed_twice" in flags[2]
    assert "score_is_impossible" in flags[3]
    assert "game_not_finished" in flags[4]
    assert "game_number_goes_back" in flags[5]


def test_lets_change_no_score_and_three_games_win_a_match_of_five() -> None:
    points = [Point(i * 10.0, "me", is_let=i % 2 == 1) for i in range(66)]
    board = referee(points)
    assert board.match_winner == "me"
    assert board.games_won == (3, 0)


@pytest.mark.parametrize(
    ("name", "law"), [("american", "PAR-11"), ("PAR-15", "PAR-15"), ("english", "HiHo-9"), (None, "PAR-11")]
)
def test_names_of_deployed_clients(name: str | None, law: str) -> None:
    assert law_of(name).name == law


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"timestamp": "noon"}, "timestamp of a point is 'noon'"),
        ({"score_me_after": "x"}, "score_me_after of a point is 'x'"),
        ({"score_opponent_after": -1}, "score_opponent_after of a point is -1"),
        ({"score_me_after": float("nan")}, "score_me_after of a point is nan"),
        ({"score_me_after": 1.5}, "1.5"),
        ({"game_number": -3}, "game_number of a point is -3"),
        ({"game_number": True}, "game_number of a point is True"),
        ({"score_after": [1, 2]}, "score_after of a point is [1, 2]"),
    ],
)
def test_a_point_that_is_none_is_named(wrong: dict[str, object], says: str) -> None:
    good = {"winner": "me", "timestamp": "2026-01-01T10:00:00Z", "score_me_after": 1, "game_number": 1}
    with pytest.raises(ValueError, match=re.escape(says)):
        parse_points([good, good | wrong], datetime(2026, 1, 1, tzinfo=UTC))
