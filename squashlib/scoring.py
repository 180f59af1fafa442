"""Points as a player presses them and the laws that they obey: PAR-11, PAR-15, HiHo to 9, best of 3 or 5, lets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from squashlib.session import parse_iso

Winner = Literal["me", "opponent"]


@dataclass(frozen=True)
class Point:
    """One press: when, who won, and the score after it as the device saw it."""

    time_s: float
    winner: Winner | None = None
    score_me: int | None = None
    score_opponent: int | None = None
    game: int | None = None
    is_let: bool = False
    source: str = "watch"


def parse_points(items: Iterable[Mapping[str, Any]], start_time: datetime) -> list[Point]:
    """Points from the wire form of `POST /api/sessions/{id}/points`, in order of time.

    Raises
    ------
    ValueError
        For an item without a time or with a winner that is neither 'me' nor 'opponent'.
    """
    return sorted((_parse_point(item, start_time) for item in items), key=lambda point: point.time_s)


def _parse_point(item: Mapping[str, Any], start_time: datetime) -> Point:
    if not item.get("timestamp"):
        raise ValueError(f"point {dict(item)!r:.200} has no timestamp, must have an ISO 8601 time")
    after = item.get("score_after") or {}
    winner = item.get("winner")
    is_let = str(item.get("is_let", "false")).lower() == "true"
    if winner not in ("me", "opponent", None):
        raise ValueError(f"winner of a point is {winner!r}, must be 'me' or 'opponent'")
    return Point(
        time_s=(parse_iso(str(item["timestamp"])) - start_time).total_seconds(),
        winner=winner,
        score_me=item.get("score_me_after", after.get("me")),
        score_opponent=item.get("score_opponent_after", after.get("opponent")),
        game=item.get("game_number"),
        is_let=is_let,
        source=str(item.get("source", "watch")),
    )
