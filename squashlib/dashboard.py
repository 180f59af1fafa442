"""A session's dashboard: the report's parts, its evidence, one rally from near, and one's own usual beside it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import xarray as xr

from squashlib import plot, report
from squashlib.plot.style import OUTCOMES
from squashlib.session import parse_iso

if TYPE_CHECKING:
    from squashlib.chooser import Chooser, Shown

#: What is compared with one's other sessions: name, unit, digits, factor from the stored unit.
USUAL = (
    ("total_playing_time", "ball in play", "min", 0, 1 / 60),
    ("number_of_rallies", "rallies", "", 0, 1.0),
    ("longest_rally_length", "longest rally", "s", 0, 1.0),
    ("shots_detected", "own strokes", "", 0, 1.0),
    ("avg_playing_heart_rate", "heart rate in play", "bpm", 0, 1.0),
    ("hr_recovery_60s", "recovery in a minute", "bpm", 0, 1.0),
    ("training_load", "load", "", 0, 1.0),
)
LEAST_OTHERS = 3


def load(folder: str | Path) -> tuple[xr.Dataset, Mapping[str, xr.Dataset], dict[str, Any], dict[str, Any]]:
    """Session, groups, document and what is known about the match: all that one page shows."""
    about = json.loads((Path(folder) / "about.json").read_text())
    return (*report.load(folder), about)


def title(document: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """The heading, in the player's time zone, as HTML."""
    session = document["session"]
    start = parse_iso(session["start"]).astimezone(ZoneInfo(about["timezone"]))
    against = f" against {about['opponent']}" if about["opponent"] else ""
    heading = f"{session['sport'].title()}{against}"
    device = " ".join(str(session["device"].get(name, "")) for name in ("manufacturer", "name")).strip()
    facts = [_day(start), about["location"] or "", device]
    return f"<h1>{escape(heading)}</h1><p>{escape(' · '.join(fact for fact in facts if fact))}</p>"


def _day(moment: datetime) -> str:
    return f"{moment:%A} {moment.day} {moment:%B %Y, %H:%M} ({moment.tzname()})"


def insights(document: Mapping[str, Any]) -> str:
    """The three insights that matter, each with its evidence, as HTML."""
    found = document["insights"]["recommendations"][:3]
    items = "".join(
        f"<li>{escape(item['text'])} <small>{item['confidence']:.0%} sure</small>"
        f"<details><summary>Evidence</summary><ul>{_evidence(item['evidence'])}</ul></details></li>"
        for item in found
    )
    missing = "<li>Nothing stood out for sure. More points pressed, or more matches, will tell more.</li>"
    notes = "".join(f"<li>{escape(warning)}</li>" for warning in document["quality"]["warnings"])
    more = f"<details><summary>About the recording</summary><ul>{notes}</ul></details>" if notes else ""
    return f'<section class="insights"><h2>What stands out</h2><ul>{items or missing}</ul>{more}</section>'


def _evidence(evidence: Mapping[str, Any]) -> str:
    rows = ((name.replace("_", " "), _said(value)) for name, value in evidence.items() if value is not None)
    return "".join(f"<li>{escape(name)}: {escape(value)}</li>" for name, value in rows)


def _said(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " to ".join(map(_said, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def usual(document: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """What this session was beside one's other sessions, as an HTML table; silent about what fewer than three tell."""
    rows = [row for entry in USUAL if (row := _row(entry, document, about["others"]))]
    if not rows:
        text = f"After {LEAST_OTHERS} other matches you see here how this one compares with your usual."
        return f'<p class="unsure">{text}</p>'
    head = "<tr><th>figure</th><th>this match</th><th>your usual</th><th>beside it</th></tr>"
    return (
        f'<div class="wide" tabindex="0"><table><caption>Beside your usual</caption>{head}{"".join(rows)}</table></div>'
    )


def _row(entry: tuple[str, str, str, int, float], document: Mapping[str, Any], others: Sequence[Any]) -> str | None:
    key, name, unit, digits, factor = entry
    now = document["metrics"][key]["value"]
    known = [one["summary"][key] * factor for one in others if one["summary"].get(key) is not None]
    if now is None or len(known) < LEAST_OTHERS:
        return None
    cuts = quantiles(known, n=4, method="inclusive")
    value = now * factor
    word = "more than usual" if value > cuts[2] else "less than usual" if value < cuts[0] else "as usual"
    span = f"{median(known):.{digits}f} ({cuts[0]:.{digits}f} to {cuts[2]:.{digits}f})"
    return f"<tr><th>{name}</th><td>{value:.{digits}f} {unit}</td><td>{span}</td><td>{word}</td></tr>"


def explore(session: xr.Dataset, groups: Mapping[str, xr.Dataset]) -> "Chooser | None":
    """Choose a rally by a click, from the list or by keys, and see it from near; None without rallies."""
    from squashlib.chooser import chooser

    held = groups["rallies"]
    if not held.sizes["rally"]:
        return None
    choices = [(str(i + 1), _label(held, i)) for i in range(held.sizes["rally"])]
    longest = int((held["rally_stop"].values - held["rally_start"].values).argmax()) + 1

    def show(value: str) -> "Shown":
        return _near(session, groups, int(value))

    return chooser("Rally", choices, show, chosen=str(longest), picture=plot.rallies(groups), steps=True)


def _label(held: xr.Dataset, i: int) -> str:
    length = float(held["rally_stop"][i] - held["rally_start"][i])
    game, winner = int(held["rally_game"][i]), OUTCOMES[int(held["rally_winner"][i])][0]
    unsure = ", unsure" if float(held["rally_confidence"][i]) < 0.5 else ""
    return f"{i + 1}: game {game}, {length:.0f} s, {winner}{unsure}"


def _near(session: xr.Dataset, groups: Mapping[str, xr.Dataset], number: int) -> "Shown":
    from squashlib.chooser import Shown

    one = groups["rallies"].isel(rally=number - 1)
    facts = [
        f"{float(one['rally_stop'] - one['rally_start']):.1f} s",
        OUTCOMES[int(one["rally_winner"])][0],
        _maybe(float(one["rally_strokes"]), "{:.0f} own strokes"),
        _maybe(float(one["rally_hr_peak"]), "peak {:.0f} bpm"),
        f"{float(one['rally_confidence']):.0%} sure that it was one rally",
    ]
    words = " · ".join(fact for fact in facts if fact)
    return Shown(f"<p>{escape(words)}</p>", (plot.rally(session, groups, number),))


def _maybe(value: float, text: str) -> str:
    return "" if value != value else text.format(value)


def rehearse() -> None:
    """Pay beforehand for what a first page would wait for: imports, machine code, and the first figure."""
    import squashlib

    match = squashlib.simulate(0, rate_hz=10)
    analysis = squashlib.analyse(match.session, match.points)
    with TemporaryDirectory(prefix="squash-rehearsal-") as folder:
        report.save(Path(folder), analysis.session, analysis.groups, analysis.to_dict())
        session, groups, document = report.load(folder)
        plot.heart_rate(session, groups)
        if (made := explore(session, groups)) is not None:
            made.close()
        plot.recovery(session, groups)
        insights(document)
