"""A rally that watch and referee both recorded is one rally, and the referee's press is believed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squashlib.dual_scoring import Verdict, settle
from squashlib.moments import iso, parse_iso
from squashlib.scoring import parse_points, referee

START = datetime(2026, 1, 15, 10, tzinfo=UTC)


def press(source: str, second: float, winner: str = "me", **more: Any) -> dict[str, Any]:
    return {"source": source, "timestamp": iso(START + timedelta(seconds=second)), "winner": winner, **more}


def score(me: int, opponent: int, game: int = 1) -> dict[str, int]:
    return {"score_me_after": me, "score_opponent_after": opponent, "game_number": game}


def counting(presses: list[dict[str, Any]], system: str | None = None) -> list[dict[str, Any]]:
    return [one for one, verdict in zip(presses, settle(presses, system), strict=True) if verdict.counts]


@pytest.mark.parametrize("source", [None, "watch", "phone", "anything"])
def test_one_source_alone_always_counts(source: str | None) -> None:
    presses = [press(source, second) for second in (0, 1, 2, 300)] if source else [{"timestamp": iso(START)}] * 2
    assert settle(presses) == [Verdict()] * len(presses)


def test_a_referee_counts_before_a_phone_and_a_phone_before_a_watch() -> None:
    presses = [press("watch", 0), press("phone", 1, "opponent"), press("referee", 2)]
    verdicts = settle(presses)
    assert [verdict.beaten_by for verdict in verdicts] == [2, 2, None]
    assert verdicts[2].disputed, "the phone saw another winner"


def test_the_same_score_is_the_same_rally_however_late_it_came() -> None:
    """A deployed watch sends no time: the server's clock marks when its queue was emptied, two hours later."""
    presses = [press("referee", 30 * i, **score(i, 0)) for i in range(1, 6)]
    presses += [press("watch", 7200 + i, **score(i, 0)) for i in range(1, 6)]
    assert counting(presses) == presses[:5]


def test_the_same_score_in_another_game_is_another_rally() -> None:
    presses = [press("referee", 30, **score(1, 0)), press("watch", 900, **score(1, 0, game=2))]
    assert counting(presses) == presses


def test_what_the_referee_missed_is_filled_by_the_watch() -> None:
    presses = [
        press("referee", 30, **score(1, 0)),
        press("watch", 60, **score(2, 0)),
        press("referee", 90, **score(3, 0)),
    ]
    assert counting(presses) == presses


def test_what_the_referees_scores_leave_no_room_for_does_not_count() -> None:
    presses = [press("referee", 30, **score(1, 0)), press("watch", 60), press("referee", 90, **score(2, 0))]
    assert counting(presses) == [presses[0], presses[2]]
    assert settle(presses)[1] == Verdict(counts=False, beaten_by=0)
    assert counting(presses, "english") == presses, "who receives may win a rally that changes no score"


@given(
    offsets=st.tuples(st.floats(-4, 4), st.floats(-4, 4)),
    gaps=st.lists(st.floats(17, 60), min_size=1, max_size=60),
    missed=st.sets(st.integers(0, 59)),
    lost=st.sets(st.integers(0, 59)),
    order=st.randoms(use_true_random=False),
)
def test_a_match_on_two_devices_is_the_match(
    offsets: tuple[float, float], gaps: list[float], missed: set[int], lost: set[int], order: Any
) -> None:
    """However far the clocks are off, whichever device missed a rally, in whatever order all of it came in."""
    moments, now = [], 0.0
    for gap in gaps:
        now += gap
        moments.append(now)
    theirs = {
        source: [press(source, moment + offset, rally=i) for i, moment in enumerate(moments) if i not in absent]
        for source, offset, absent in (("referee", offsets[0], missed), ("watch", offsets[1], lost))
    }
    presses = theirs["referee"] + theirs["watch"]
    order.shuffle(presses)
    held = sorted(counting(presses), key=lambda one: parse_iso(one["timestamp"]))
    rallies = [i for i in range(len(moments)) if i not in missed & lost]
    assert [one["rally"] for one in held] == rallies
    assert {one["rally"] for one in held if one["source"] == "referee"} == set(rallies) - missed
    assert len(referee(parse_points(held, START)).rulings) == len(rallies)
