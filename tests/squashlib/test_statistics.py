"""Figures over time: right sums, honest intervals, the player's own days, and null where nothing is known."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq

from squashlib.statistics import Played, aggregate, bests, by_opponent, load, totals

Z = 1.645
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def wilson_by_roots(hits: int, n: int) -> list[float]:
    """Where the score test just does not reject: what Wilson's interval means, found without his formula."""
    share = hits / n

    def score(p: float) -> float:
        return float((share - p) ** 2 - Z * Z * p * (1 - p) / n)

    return [brentq(score, 1e-9, share), brentq(score, share, 1 - 1e-9)]


def played(day: float, me: int | None = None, other: int | None = None, opponent: str = "", **summary: Any) -> Played:
    return Played(START + timedelta(days=day), me, other, summary, opponent, f"s{day}")


def test_nothing_known_is_null_and_never_nothing() -> None:
    none = totals([played(0, points_won=None, points_lost=None)])
    assert none["sessions"] == 1
    for name in ("points_won", "points_lost", "point_win_rate", "win_rate", "win_rate_interval", "training_load"):
        assert none[name] is None, name
    assert totals([played(0, points_won=0, points_lost=0)])["points_won"] is None, "old summaries said 0"
    lost_all = totals([played(0, points_won=0, points_lost=11)])
    assert (lost_all["points_won"], lost_all["point_win_rate"]) == (0, 0.0)


def test_rates_carry_wilsons_interval() -> None:
    games = [played(i, 3, 1) for i in range(7)] + [played(i, 0, 3) for i in range(3)] + [played(9, 2, 2)]
    found = totals(games)
    assert (found["matches_won"], found["matches_lost"], found["win_rate"]) == (7, 3, 0.7)
    assert found["win_rate_interval"] == pytest.approx(wilson_by_roots(7, 10), abs=2e-4)


def test_weeks_and_months_are_those_of_the_players_zone() -> None:
    late = Played(datetime(2026, 1, 31, 22, 30, tzinfo=UTC), 3, 0, {})
    for zone, month in (("UTC", "2026-01"), ("Europe/Amsterdam", "2026-01"), ("Asia/Tokyo", "2026-02")):
        assert [row["period"] for row in aggregate([late], "monthly", ZoneInfo(zone))] == [month]
    sunday = Played(datetime(2026, 3, 29, 23, 30, tzinfo=UTC), 3, 0, {})
    assert aggregate([sunday], "weekly", ZoneInfo("UTC"))[0]["period"] == "2026-W13"
    assert aggregate([sunday], "weekly", ZoneInfo("Europe/Amsterdam"))[0]["period"] == "2026-W14", "summer time began"


def test_load_is_pandas_ewma() -> None:
    rng = np.random.default_rng(3)
    days = np.where(rng.random(60) < 0.4, rng.uniform(50, 300, 60), 0.0)
    days[0] = 120.0
    sessions = [played(i, training_load={"edwards": float(value)}) for i, value in enumerate(days) if value]
    found = load(sessions, START + timedelta(days=59), ZoneInfo("UTC"))
    line = pd.Series(days)
    acute, chronic = (line.ewm(span=span, adjust=True).mean().iloc[-1] for span in (7, 28))
    assert found["acute"] == pytest.approx(acute, abs=0.01)
    assert found["chronic"] == pytest.approx(chronic, abs=0.01)
    assert found["ratio"] == pytest.approx(acute / chronic, abs=1e-3)


def test_load_says_what_it_does_not_know() -> None:
    empty = load([], START)
    assert (empty["acute"], empty["ratio"], empty["reason"]) == (None, None, "no session with a training load")
    first = load([played(0, training_load=100.0), played(1)], START + timedelta(days=6))
    assert first["acute"] > 0
    assert first["ratio"] is None
    assert "28 are needed" in first["reason"]
    assert first["sessions_without_load"] == 1
    later = load([played(0, training_load=100.0), played(90, training_load=900.0)], START + timedelta(days=30))
    assert later["acute"] < later["chronic"], "what comes after the day does not count"


def test_opponents_are_one_however_their_name_is_typed() -> None:
    games = [played(0, 3, 0, "ben  smith"), played(1, 1, 3, "Ben Smith"), played(2, None, None, "Ann"), played(3, 3, 0)]
    ben, ann = by_opponent(games)
    assert (ben["opponent"], ben["sessions"], ben["matches_won"], ben["win_rate"]) == ("Ben Smith", 2, 1, 0.5)
    assert (ann["opponent"], ann["win_rate"]) == ("Ann", None)


def test_bests_name_their_session() -> None:
    games = [played(0, 3, 0, longest_rally_length=30.0), played(1, 3, 1, longest_rally_length=30.0), played(2, 0, 3)]
    found = bests(games)
    assert found["longest_rally_length"] == {"value": 30.0, "start": "2026-01-01T12:00:00.000Z", "session_id": "s0"}
    assert found["hr_recovery_60s"] is None
    assert found["longest_winning_streak"] == 2
    assert bests([played(0)])["longest_winning_streak"] is None


def test_zones_add_up_over_sessions() -> None:
    one = [{"zone": 4, "points_won": 6, "points_lost": 2}, {"zone": 5, "points_won": 1, "points_lost": 5}]
    rows = totals([played(0, performance_by_zone=one), played(1, performance_by_zone=one), played(2)])
    assert [(row["zone"], row["points_won"], row["win_rate"]) for row in rows["performance_by_zone"]] == [
        (4, 12, 0.75),
        (5, 2, 0.1667),
    ]
