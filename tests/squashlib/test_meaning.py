"""Meaning against independent references: scipy's intervals, hand-counted matches, chance."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy import stats

from squashlib.confidence import T90, difference_interval, wilson
from squashlib.insights import _difference
from squashlib.scoring import Point, referee
from squashlib.sentences import _length_sentences
from squashlib.statistics import Played, trend


def two_games(press: Point) -> list[Point]:
    """Two games of 11-0, the first ending at 200 s, and one press more."""
    points = [Point(20.0 * i, "me", i % 11 + 1, 0, i // 11 + 1) for i in range(22)]
    return sorted([*points, press], key=lambda point: point.time_s)


@pytest.mark.parametrize(
    "press",
    [
        Point(201, "me", 11, 0, 1),
        Point(201, "me", 11, 0),
        Point(201, "me", game=1),
        Point(205, None, 11, 0, 1, is_let=True),
        Point(205, None, game=1, is_let=True),
    ],
)
def test_a_press_after_the_game_ball_makes_no_game(press: Point) -> None:
    board = referee(two_games(press))
    assert [(g.number, g.score_me, g.score_opponent) for g in board.games] == [(1, 11, 0), (2, 11, 0)]
    assert board.match_winner is None
    assert not any(ruling.flags for ruling in board.rulings[12:])


def test_hand_out_played_on_to_ten() -> None:
    scores = [(k, 0) for k in range(1, 9)] + [(8, k) for k in range(9)] + [(8, 8), (9, 8), (10, 8)]
    sides = ["me"] * 8 + ["opponent"] * 9 + ["me"] * 3
    points = [Point(20.0 * i, w, *s, 1) for i, (w, s) in enumerate(zip(sides, scores, strict=True))]  # type: ignore[arg-type]
    board = referee([*points, Point(500.0, "me", 1, 0, 2)], "english")
    assert [(g.number, g.score_me, g.score_opponent, g.winner) for g in board.games] == [
        (1, 10, 8, "me"),
        (2, 1, 0, None),
    ]
    assert not any(ruling.flags for ruling in board.rulings)


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (3, 10), (7, 7), (40, 81)])
def test_proportion_interval_is_scipys(hits: int, n: int) -> None:
    theirs = stats.binomtest(hits, n).proportion_ci(0.9, "wilson")
    assert wilson(hits, n) == pytest.approx([theirs.low, theirs.high], abs=2e-4)


def test_difference_interval_is_newcombes_example() -> None:
    assert difference_interval((56, 70), (48, 80), 1.96) == pytest.approx([0.0524, 0.3339], abs=2e-4)


def test_heart_rate_interval_is_welchs() -> None:
    rng = np.random.default_rng(0)
    beats, won = rng.normal(160, 8, 20), np.arange(20) < 7
    theirs = stats.ttest_ind(beats[won], beats[~won], equal_var=False).confidence_interval(0.9)
    assert _difference(beats, won)["hr_difference_interval"] == pytest.approx([theirs.low, theirs.high], abs=0.15)


@pytest.mark.parametrize("skill", [0.5, 0.3])
def test_chance_alone_seldom_makes_a_sentence(skill: float) -> None:
    rng, told = np.random.default_rng(5), 0
    for _ in range(1000):
        rows = []
        for n in rng.multinomial(70, (0.3, 0.35, 0.2, 0.15)):
            hits = int(rng.binomial(n, skill))
            rows.append({"from_s": 0, "to_s": 6, "points": int(n), "win_percentage": 100 * hits / n, "interval": []})
        told += bool(_length_sentences(rows))
    assert told / 1000 < 0.13


def test_slope_interval_is_scipys() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    y = np.random.default_rng(2).normal(30, 4, 14)
    played = [Played(start + timedelta(days=3 * i), None, None, {"hr": float(v)}) for i, v in enumerate(y)]
    fit = stats.linregress(3.0 * np.arange(14), y)
    half = stats.t.ppf(0.95, 12) * fit.stderr
    assert trend(played, "hr")["interval"] == pytest.approx(
        [30 * (fit.slope - half), 30 * (fit.slope + half)], abs=0.01
    )


def test_student_quantiles_are_scipys() -> None:
    assert pytest.approx([stats.t.ppf(0.95, n) for n in range(1, 31)], abs=6e-4) == list(T90)
