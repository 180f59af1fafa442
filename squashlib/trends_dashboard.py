"""The pages of months: a player's own, and a coach's players side by side."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from squashlib import trends
from squashlib.plot import trends as figures
from squashlib.session import parse_iso
from squashlib.statistics import totals

if TYPE_CHECKING:
    from squashlib.chooser import Chooser


def title(player: Mapping[str, Any]) -> str:
    """The heading, as HTML."""
    count = len(player["sessions"])
    facts = f"{count} session{'s' * (count != 1)} · days of {player['timezone']}"
    return f"<h1>Trends of {escape(player['name'])}</h1><p>{escape(facts)}</p>"


def explore(player: Mapping[str, Any]) -> "Chooser":
    """Form, recovery, opponents and rally lengths of a period that one chooses."""
    from squashlib.chooser import Shown, chooser

    def show(period: str) -> Shown:
        held = trends.within(player, period)
        if not held["sessions"]:
            return Shown('<p class="unsure">Your months stand here after your first session.</p>')
        drawn = (figures.form(held), figures.recovery(held), figures.opponents(held), figures.lengths(held))
        return Shown(cards(held), drawn)

    choices = [(value, label) for value, label in trends.PERIODS]
    return chooser("Period", choices, show, chosen="90")


def cards(player: Mapping[str, Any]) -> str:
    """Sums of a period, as HTML."""
    found = totals(trends.played(player))
    items = [
        ("sessions", str(found["sessions"])),
        ("matches won–lost", f"{found['matches_won']}–{found['matches_lost']}"),
    ]
    if found["point_win_rate"] is not None:
        items.append(("points won", f"{found['point_win_rate']:.0%}"))
    if found["total_playing_time_s"] is not None:
        items.append(("ball in play", f"{found['total_playing_time_s'] / 60:.0f} min"))
    if found["training_load"] is not None:
        items.append(("load", f"{found['training_load']:.0f}"))
    boxes = "".join(f'<div class="card"><b>{escape(value)}</b><span>{name}</span></div>' for name, value in items)
    return f'<section class="cards" aria-label="The period at a glance">{boxes}</section>'


def bests(player: Mapping[str, Any]) -> str:
    """Personal bests, as an HTML table."""
    rows = "".join(
        f"<tr><th>{row['name']}</th><td>{_number(row['value'], row['unit'])}</td><td>{row['day']:%d %b %Y}</td>"
        f"<td>{escape(row['opponent'] or '')}</td></tr>"
        for row in trends.bests(player)
    )
    if not rows:
        return '<p class="unsure">Your bests stand here after your first session.</p>'
    head = "<tr><th>figure</th><th>best</th><th>day</th><th>against</th></tr>"
    return f'<div class="wide" tabindex="0"><table><caption>Personal bests</caption>{head}{rows}</table></div>'


def _number(value: float, unit: str) -> str:
    if unit == "s" and value >= 120:
        return f"{value / 60:.0f} min"
    return f"{value:.0f} {unit}".strip()


def compare(players: Sequence[Mapping[str, Any]]) -> "Chooser":
    """Players side by side in a period that one chooses."""
    from squashlib.chooser import Shown, chooser

    def show(period: str) -> Shown:
        held = [trends.within(player, period) for player in players]
        if not held:
            return Shown(table(held))
        drawn = (
            figures.side_by_side(held, "training_load", "Load of each session", "load"),
            figures.side_by_side(held, "total_playing_time", "Ball in play", "minutes", 1 / 60),
            figures.side_by_side(held, "hr_recovery_60s", "Recovery", "bpm in the first minute"),
            figures.side_by_side(held, "avg_playing_heart_rate", "Heart rate in play", "bpm"),
        )
        return Shown(table(held), drawn)

    return chooser("Period", [(value, label) for value, label in trends.PERIODS], show, chosen="90")


def table(players: Sequence[Mapping[str, Any]]) -> str:
    """A row for each player, as HTML."""
    rows = "".join(f"<tr><th>{escape(player['name'])}</th>{_cells(player)}</tr>" for player in players)
    if not rows:
        return (
            '<p class="unsure">No player lets you look yet: they enter your e-mail under “Coaches” on their page.</p>'
        )
    head = "".join(
        f"<th>{name}</th>"
        for name in ("player", "sessions", "won–lost", "points won", "load", "acute : chronic", "recovery", "last")
    )
    return f'<div class="wide" tabindex="0"><table><caption>Side by side</caption><tr>{head}</tr>{rows}</table></div>'


def _cells(player: Mapping[str, Any]) -> str:
    found, loads = totals(trends.played(player)), trends.loads(player)
    ratio = loads[-1]["ratio"] if loads else None
    last = max((one["start"] for one in player["sessions"]), default=None)
    share, recovery = found["point_win_rate"], found["hr_recovery_60s"]
    values = (
        str(found["sessions"]),
        f"{found['matches_won']}–{found['matches_lost']}",
        "" if share is None else f"{share:.0%}",
        "" if found["training_load"] is None else f"{found['training_load']:.0f}",
        "not yet" if ratio is None else f"{ratio:.2f}",
        "" if recovery is None else f"{recovery:.0f} bpm",
        "" if last is None else f"{parse_iso(last).astimezone(ZoneInfo(player['timezone'])):%d %b %Y}",
    )
    return "".join(f"<td>{escape(value)}</td>" for value in values)
