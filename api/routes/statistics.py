"""A player's figures over weeks, months and years, and where they are heading."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import Query
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.access import Asker, Caller
from api.answers_statistics import StatisticsShown, TrendsShown
from api.problems import ANSWERS, Problem
from api.subject import Subject
from api.wire import Day, in_zone, iso
from squashlib.statistics import Played, aggregate, bests, by_opponent, load, totals, trend
from store.tables import AnalysisRow, SessionRow, User, now

router = Subject("statistics", "/api/users/{user_id}", ANSWERS)

FITNESS = ("hr_recovery_60s", "avg_playing_heart_rate", "training_load")
PERFORMANCE = ("points_won", "number_of_rallies", "longest_rally_length", "total_playing_time")
Start = Annotated[Day | None, Query(examples=["2025-01-01"], description="A day begins where the player lives")]


@router.get("/statistics", response_model=StatisticsShown)
def statistics(
    user_id: uuid.UUID,
    caller: Asker,
    period: Literal["weekly", "monthly", "yearly", "all_time"] = "monthly",
    start_date: Start = None,
    end_date: Start = None,
) -> dict[str, Any]:
    """Wins, load, recovery, zones, opponents and bests, all in all and by period, in the player's own time zone."""
    name, played = _played(caller, user_id, start_date, end_date)
    zone = ZoneInfo(name)
    return {
        "user_id": str(user_id),
        "period": period,
        "timezone": name,
        "totals": totals(played),
        "load": load(played, in_zone(end_date, name) if end_date else now(), zone),
        "periods": aggregate(played, period, zone),
        "opponents": by_opponent(played),
        "personal_bests": bests(played),
    }


@router.get("/trends", response_model=TrendsShown)
def trends(user_id: uuid.UUID, caller: Asker, start_date: Start = None, end_date: Start = None) -> dict[str, Any]:
    """How performance and fitness change, session by session and as a slope with its interval."""
    zone, played = _played(caller, user_id, start_date, end_date)
    played.sort(key=lambda one: one.start)
    answer: dict[str, Any] = {"user_id": str(user_id), "timezone": zone}
    for name, figures in (("performance", PERFORMANCE), ("fitness", FITNESS)):
        answer[name] = [_dated(one, ZoneInfo(zone), figures) for one in played]
        answer[f"{name}_trend"] = {figure: trend(played, figure) for figure in figures}
    return answer


def _dated(one: Played, zone: ZoneInfo, figures: tuple[str, ...]) -> dict[str, Any]:
    day = f"{one.start.astimezone(zone):%Y-%m-%d}"
    return {"date": iso(one.start), "day": day, **{figure: one.figure(figure) for figure in figures}}


def _played(
    caller: Caller, user_id: uuid.UUID, since: datetime | None, until: datetime | None
) -> tuple[str, list[Played]]:
    with caller.look() as tx:
        user = tx.get(User, str(user_id))
        own = str(user_id) == caller.user_id
        if user is None or not (own or caller.role == "admin" or caller.coaches(tx, str(user_id))):
            raise Problem(404, f"There is no user {user_id} whose statistics you may see.")
        zone = user.timezone or "UTC"
        edges = (in_zone(edge, zone) if edge else None for edge in (since, until))
        return zone, _rows(tx, str(user_id), *edges)


def _rows(tx: Session, user_id: str, since: datetime | None, until: datetime | None) -> list[Played]:
    same = (AnalysisRow.session_id == SessionRow.session_id) & (AnalysisRow.analysis_key == SessionRow.analysis_key)
    query = select(SessionRow, AnalysisRow.summary).outerjoin(AnalysisRow, same)
    query = query.where(SessionRow.user_id == user_id, SessionRow.deleted_at.is_(None), SessionRow.linked_to.is_(None))
    query = query.where(SessionRow.start_time >= since) if since else query
    query = query.where(SessionRow.start_time < until) if until else query
    rows = tx.execute(query)
    return [
        Played(
            row.start_time, row.final_score_me, row.final_score_opponent, found or {}, row.opponent_name, row.session_id
        )
        for row, found in rows
    ]
