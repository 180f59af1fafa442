"""Months of a player: form, load, recovery, opponents, rally lengths and bests, from the figures of their sessions.

Days are those of the player's own time zone; shares of won points carry their 90 % interval.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from squashlib import statistics
from squashlib.confidence import wilson
from squashlib.session import parse_iso
from squashlib.statistics import Played
from squashlib.statistics.load import ACUTE_DAYS, CHRONIC_DAYS, forgetting
from squashlib.statistics.opponents import against
from squashlib.statistics.totals import points, results

#: Periods that a page offers: value, label and days (None is all).
PERIODS = (("30", "last 30 days"), ("90", "last 3 months"), ("365", "last year"), ("all", "all"))
#: Bests: figure, name, unit.
BESTS = (
    ("longest_rally_length", "longest rally", "s"),
    ("number_of_rallies", "most rallies", ""),
    ("shots_detected", "most own strokes", ""),
    ("total_playing_time", "most ball in play", "s"),
    ("hr_recovery_60s", "best recovery in a minute", "bpm"),
    ("training_load", "highest load", ""),
)

RESULTS = {True: "won", False: "lost", None: None}

Row = dict[str, Any]


def load(folder: str | Path) -> Row:
    """A player: `name`, `timezone` and `sessions`, as `store.views` wrote them."""
    return dict(json.loads((Path(folder) / "player.json").read_text()))


def load_all(folder: str | Path) -> list[Row]:
    """The players of a coach."""
    return list(json.loads((Path(folder) / "players.json").read_text()))


def day(session: Mapping[str, Any], zone: str) -> date:
    """The player's day on which a session began."""
    return parse_iso(session["start"]).astimezone(ZoneInfo(zone)).date()


def played(player: Mapping[str, Any]) -> list[Played]:
    """Sessions as `squashlib.statistics` takes them."""
    return [
        Played(
            parse_iso(one["start"]),
            one["games_me"],
            one["games_opponent"],
            one["summary"],
            one["opponent"],
            one["session_id"],
        )
        for one in player["sessions"]
    ]


def within(player: Mapping[str, Any], period: str) -> Row:
    """The player with the sessions of a period that ends with their newest one."""
    if period == "all" or not player["sessions"]:
        return dict(player)
    newest = max(parse_iso(one["start"]) for one in player["sessions"])
    since = newest - timedelta(days=int(period))
    kept = [one for one in player["sessions"] if parse_iso(one["start"]) > since]
    return {**player, "sessions": kept}


def form(player: Mapping[str, Any]) -> list[Row]:
    """Share of points won in each session with points, oldest first."""
    rows = []
    for one in sorted(player["sessions"], key=lambda one: one["start"]):
        (session,) = played({"sessions": [one]})
        won, lost = points([session])
        if won is not None and lost is not None:
            facts = {"day": day(one, player["timezone"]), "opponent": one["opponent"], "result": RESULTS[session.won]}
            rows.append({**facts, **_rate(won, lost)})
    return rows


def _rate(won: int, lost: int) -> Row:
    low, high = wilson(won, won + lost)
    return {"won": won, "lost": lost, "share": won / (won + lost), "low": low, "high": high}


def loads(player: Mapping[str, Any], until: datetime | None = None) -> list[Row]:
    """Load, acute and chronic load of each day, by the means of `squashlib.statistics.load`.

    The ratio is null in the first 28 days: there is no habit yet to compare with.
    """
    by_day: dict[date, float] = defaultdict(float)
    for one in player["sessions"]:
        if (value := one["summary"].get("training_load")) is not None:
            by_day[day(one, player["timezone"])] += value
    if not by_day:
        return []
    first, last = min(by_day), max(by_day)
    last = max(last, until.astimezone(ZoneInfo(player["timezone"])).date()) if until else last
    line = [by_day.get(first + timedelta(days=i), 0.0) for i in range((last - first).days + 1)]
    rows = []
    means = zip(line, forgetting(line, ACUTE_DAYS), forgetting(line, CHRONIC_DAYS), strict=True)
    for i, (now, acute, chronic) in enumerate(means):
        ratio = acute / chronic if chronic > 0 and i >= CHRONIC_DAYS - 1 else None
        rows.append({"day": first + timedelta(days=i), "load": now, "acute": acute, "chronic": chronic, "ratio": ratio})
    return rows


def recoveries(player: Mapping[str, Any]) -> list[Row]:
    """Fall of heart rate in the minute after games, session by session."""
    known = [one for one in player["sessions"] if one["summary"].get("hr_recovery_60s") is not None]
    rows = [{"day": day(one, player["timezone"]), "bpm": one["summary"]["hr_recovery_60s"]} for one in known]
    return sorted(rows, key=lambda row: row["day"])


def by_opponent(player: Mapping[str, Any]) -> list[Row]:
    """Matches and points against each opponent that has a name, most played first, as `squashlib.statistics` counts."""
    return [{"opponent": name, **results(group), **_points_rate(group)} for name, group in against(played(player))]


def _points_rate(group: Sequence[Played]) -> Row:
    won, lost = points(group)
    if won is None or lost is None:
        return {"won": 0, "lost": 0, "share": None, "low": None, "high": None}
    return _rate(won, lost)


def by_length(player: Mapping[str, Any]) -> list[Row]:
    """Points won by rally length, all sessions together."""
    spans: dict[tuple[float, float | None], list[int]] = {}
    for row in _length_rows(player["sessions"]):
        held = spans.setdefault((row["from_s"], row["to_s"]), [0, 0])
        held[0] += round(row["win_percentage"] * row["points"] / 100)
        held[1] += row["points"]
    ordered = sorted(spans.items(), key=lambda item: item[0][0])
    return [{"from_s": low, "to_s": high, **_rate(hits, n - hits)} for (low, high), (hits, n) in ordered]


def _length_rows(sessions: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    return (row for one in sessions for row in one["summary"].get("win_rate_by_rally_length") or [])


def bests(player: Mapping[str, Any]) -> list[Row]:
    """Each figure's best with its day and opponent; nothing of what was never measured."""
    found = statistics.bests(played(player))
    opponents = {one["session_id"]: one["opponent"] for one in player["sessions"]}
    return [
        {
            "name": name,
            "value": best["value"],
            "unit": unit,
            "day": day(best, player["timezone"]),
            "opponent": opponents[best["session_id"]],
        }
        for key, name, unit in BESTS
        if (best := found[key])
    ]
