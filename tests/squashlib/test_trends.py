"""Months: days of the player's zone, intervals around shares, loads by the calendar, bests with their day."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from squashlib import trends, trends_dashboard
from squashlib.plot import trends as figures
from squashlib.statistics import load


def session(day: int, **given: Any) -> dict[str, Any]:
    start = datetime(2026, 1, 1, 23, 30, tzinfo=UTC) + timedelta(days=day)
    summary = {"points_won": 33, "points_lost": 30, "training_load": 100.0, "hr_recovery_60s": 30.0 + day}
    summary["win_rate_by_rally_length"] = [{"from_s": 0, "to_s": 6, "points": 10, "win_percentage": 40.0}]
    head = {"session_id": str(day), "start": start.isoformat(), "opponent": "Sam", "games_me": 3, "games_opponent": 1}
    return {**head, **{k: v for k, v in given.items() if k in head}, "summary": {**summary, **given.get("summary", {})}}


def player(*sessions: dict[str, Any], zone: str = "Asia/Tokyo") -> dict[str, Any]:
    return {"name": "Ann <b>", "timezone": zone, "sessions": list(sessions)}


def test_days_are_the_players_own() -> None:
    assert trends.form(player(session(0)))[0]["day"].isoformat() == "2026-01-02"
    assert trends.form(player(session(0), zone="UTC"))[0]["day"].isoformat() == "2026-01-01"


def test_a_period_ends_with_the_newest_session() -> None:
    held = trends.within(player(*(session(day) for day in (0, 70, 95, 99))), "30")
    assert [one["session_id"] for one in held["sessions"]] == ["70", "95", "99"]
    assert len(trends.within(held, "all")["sessions"]) == 3


def test_load_agrees_with_statistics_and_has_no_ratio_in_the_first_weeks() -> None:
    ann = player(*(session(day) for day in range(0, 60, 3)), zone="UTC")
    rows = trends.loads(ann)
    assert all(row["ratio"] is None for row in rows[:27])
    until = datetime(2026, 1, 1, 23, 59, tzinfo=UTC) + timedelta(days=57)
    same = load(trends.played(ann), until)
    assert rows[-1]["acute"] == pytest.approx(same["acute"], abs=0.01)
    assert rows[-1]["chronic"] == pytest.approx(same["chronic"], abs=0.01)


def test_opponents_with_matches_points_and_an_interval() -> None:
    rows = trends.by_opponent(player(session(0), session(1, games_me=1, games_opponent=3), session(2, opponent="Kim")))
    assert [(row["opponent"], row["matches_won"], row["matches_lost"]) for row in rows] == [
        ("Sam", 1, 1),
        ("Kim", 1, 0),
    ]
    assert rows[0]["low"] < rows[0]["share"] < rows[0]["high"]
    assert rows[0]["high"] - rows[0]["low"] < rows[1]["high"] - rows[1]["low"], "more points, narrower"


def test_lengths_are_pooled() -> None:
    row = trends.by_length(player(session(0), session(1)))[0]
    assert (row["won"], row["lost"]) == (8, 12)


def test_bests_say_when_and_against_whom() -> None:
    best = {row["name"]: row for row in trends.bests(player(session(0), session(5, opponent="Kim")))}
    assert best["best recovery in a minute"]["value"] == 35.0
    assert best["best recovery in a minute"]["opponent"] == "Kim"
    assert "longest rally" not in best, "what was never measured has no best"


def test_pages_of_nobody_and_of_odd_names() -> None:
    nobody = player()
    for figure in (figures.load(nobody), figures.form(nobody), figures.opponents(nobody), figures.lengths(nobody)):
        assert figure.layout["meta"]["alt"]
    assert "<b>" not in trends_dashboard.title(player(session(0)))
    assert "<b>" not in trends_dashboard.table([player(session(0))])
    chosen = trends_dashboard.explore(player(session(0), session(50)))
    assert len(chosen.figures) == 4
    chosen.chosen = "30"
    assert ">1<" in chosen.html
    chosen.chosen = "../../etc"
    assert ">1<" in chosen.html, "a value that was not offered changes nothing"
    assert len(trends_dashboard.compare([player(session(0)), player(session(1))]).figures) == 4


def test_a_session_whose_points_nobody_knows_is_no_lost_one() -> None:
    unknown = session(0, summary={"points_won": None, "points_lost": None})
    assert trends.form(player(unknown)) == []
    assert len(trends.form(player(unknown, session(1)))) == 1
    assert "Trends" in trends_dashboard.title(player(unknown))
    figures.load(player(unknown))
