"""The page that tells a player what a new analysis of a session changed, and why."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from squashlib.changes import counts
from squashlib.moments import parse_iso
from squashlib.plot.changes import timeline
from squashlib.report import drawn, head, title

#: Figures that a player knows by another name than ours, in the order in which they matter.
NAMES = {
    "number_of_rallies": "rallies",
    "rallies_interval": "rallies, likely range",
    "number_of_games": "games",
    "scores": "scores",
    "points_won": "points won",
    "points_lost": "points lost",
    "total_playing_time": "ball in play",
    "total_rest_time": "rest between rallies",
    "warm_up_length": "warm-up",
    "longest_rally_length": "longest rally",
    "shots_detected": "own strokes",
    "avg_playing_heart_rate": "heart rate in play",
    "training_load": "training load",
}
UNITS = {"min-1": "per min", "min-1 h-1": "bpm per hour", "1": ""}
#: More are shown when asked for, and still more are told by the picture.
FEW, MOST = 8, 100


def changes_page(found: Mapping[str, Any], document: Mapping[str, Any], assets: str, others: Sequence[str] = ()) -> str:
    """A page of what changed.

    Parameters
    ----------
    found
        As `store.changes.changes` gives it.
    document
        The newer analysis.
    assets
        Where the files that pages share are served.
    others
        Links, as HTML, to comparisons with other analyses of the session.
    """
    parts = (
        _summary(found),
        _why(found),
        drawn(timeline(found["rallies"])),
        _rows(found),
        _sentences(found),
        _rallies(found),
        _more(others),
    )
    body = title(document) + "\n".join(parts)
    old, new = (escape(found[side]["algorithm_version"]) for side in ("from", "to"))
    versions = f"<p><small>{old} → {new}</small></p>"
    shell = files("squashlib").joinpath("page/report.html").read_text().replace("Squash report", "What changed")
    return shell.replace("{{head}}", head(assets)).replace("{{body}}", f"{body}\n{versions}")


def _more(others: Sequence[str]) -> str:
    listed = f"<details><summary>Compare with an older analysis</summary><ul>{_items(others)}</ul></details>"
    return listed if others else ""


def _items(texts: Iterable[str]) -> str:
    return "".join(f"<li>{text}</li>" for text in texts)


def _summary(found: Mapping[str, Any]) -> str:
    told = counts(found["rallies"])
    boxes = "".join(
        f'<div class="card"><b>{told[kind]}</b><span>{name}</span></div>'
        for kind, name in (("stayed", "rallies as before"), ("moved", "moved"), ("new", "new"), ("gone", "gone"))
    )
    days = (parse_iso(found[side]["made_at"]).strftime("%d %B %Y") for side in ("to", "from"))
    when = "The analysis of {} is compared with the one made on {}.".format(*(f"<b>{day}</b>" for day in days))
    return f'<p>{when} What you recorded is untouched.</p><section class="cards" aria-label="Rallies">{boxes}</section>'


def _why(found: Mapping[str, Any]) -> str:
    reasons = [escape(reason[0].upper() + reason[1:]) for reason in found["why"]]
    items = _items(reasons or ["Nothing that it rests on differs; it was only made again."])
    return f'<section class="insights"><h2>Why</h2><ul>{items}</ul></section>'


def _rallies(found: Mapping[str, Any]) -> str:
    told = [_rally(one) for one in found["rallies"] if one["kind"] != "stayed"]
    if not told:
        return ""
    rest = [f"and {len(told) - MOST} more"] if len(told) > MOST else []
    listed = f"<ul>{_items([*told[:MOST], *rest])}</ul>"
    if len(told) > FEW:
        listed = f"<details><summary>{len(told)} rallies</summary>{listed}</details>"
    return f'<section class="insights"><h2>Rally by rally</h2>{listed}</section>'


def _rally(one: Mapping[str, Any]) -> str:
    before, after = one["before"], one["after"]
    if one["kind"] == "new":
        return f"Rally {after['number']} at {_clock(after['start_s'])} is new, {_length(after)}"
    if one["kind"] == "gone":
        return (
            f"What was rally {before['number']} at {_clock(before['start_s'])} is no rally any more, {_length(before)}"
        )
    moved = ", ".join(
        f"{word} {abs(after[end] - before[end]):.1f} s {'later' if after[end] > before[end] else 'sooner'}"
        for word, end in (("starts", "start_s"), ("ends", "end_s"))
        if abs(after[end] - before[end]) >= 0.05
    )
    return f"Rally {after['number']} at {_clock(after['start_s'])} {moved}"


def _length(place: Mapping[str, Any]) -> str:
    return f"{place['end_s'] - place['start_s']:.0f} s long"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _rows(found: Mapping[str, Any]) -> str:
    """Figures that differ: first those that everybody knows."""
    differ = {name: one for name, one in found["figures"].items() if name != "sentences"}
    ordered = [*(name for name in NAMES if name in differ), *(name for name in differ if name not in NAMES)]
    rows = "".join(_row(name, differ[name]) for name in ordered)
    if not rows:
        return "<p>No figure changed by as much as is shown.</p>"
    head = "<thead><tr><th>figure</th><th>before</th><th>now</th></tr></thead>"
    return f'<div class="insights"><h2>Figures</h2><table>{head}<tbody>{rows}</tbody></table></div>'


def _row(name: str, one: Mapping[str, Any]) -> str:
    """A figure before and now; nothing where both read the same."""
    unit = "bpm" if "heart_rate" in name else one["unit"]
    before, now = (escape(_said(one[side], unit)) for side in ("before", "after"))
    shown = escape(NAMES.get(name, name.replace("_", " ")))
    return "" if before == now else f"<tr><th>{shown}</th><td>{before}</td><td>{now}</td></tr>"


def _sentences(found: Mapping[str, Any]) -> str:
    """What stood out before and does not now, and the other way round."""
    differ = found["figures"].get("sentences") or {"before": [], "after": []}
    old, new = (differ[side] or [] for side in ("before", "after"))
    told = [f"New: {escape(text)}" for text in new if text not in old]
    told += [f"No longer said: {escape(text)}" for text in old if text not in new]
    return f'<section class="insights"><h2>What stands out</h2><ul>{_items(told)}</ul></section>' if told else ""


def _said(value: Any, unit: str) -> str:
    if value is None or value == "":
        return "not known"
    if isinstance(value, list):
        return ", ".join(_said(one, "") for one in value)
    text = f"{value:,.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
    return f"{text} {UNITS.get(unit, unit)}".strip()
