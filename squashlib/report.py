"""A session's report: an executed notebook as one page that needs nothing from elsewhere."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from html import escape
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from squashlib.moments import parse_iso

if TYPE_CHECKING:
    import xarray as xr
    from nbformat import NotebookNode

    from squashlib.analysis import Analysis

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "session_report.ipynb"
PLOTLY_JS = "plotly.min.js"
ASSETS = (PLOTLY_JS, "report.js", "report.css", "dashboard.js", "dashboard.css", "chooser.js")
#: Stands for the page itself where it carries its files along.
HERE = "squash:"
PLOTLY = "application/vnd.plotly.v1+json"
_ONE_AT_A_TIME = Lock()  # nbconvert's exporters keep what they are at


def save(folder: Path, session: "xr.Dataset", groups: Mapping[str, "xr.Dataset"], document: Mapping[str, Any]) -> None:
    """Write what a report's notebook reads: `session.zarr` with the events as groups, and `analysis.json`."""
    from squashlib import session as sessions

    folder.mkdir(parents=True, exist_ok=True)
    sessions.write(session, folder / "session.zarr")
    for name, group in groups.items():
        sessions.write(group, folder / "session.zarr", group=name)
    (folder / "analysis.json").write_text(json.dumps(document, allow_nan=False))


class Groups(Mapping[str, "xr.Dataset"]):
    """Groups of events by name, each read when it is first asked for: a page shows half of them."""

    def __init__(self, zarr: Path) -> None:
        from squashlib import session as sessions

        self._read = cache(lambda name: sessions.read(zarr, group=name))
        self._names = sessions.groups(zarr)

    def __getitem__(self, name: str) -> "xr.Dataset":
        if name not in self._names:
            raise KeyError(name)
        return self._read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def load(folder: str | Path) -> tuple["xr.Dataset", Mapping[str, "xr.Dataset"], dict[str, Any]]:
    """Session, groups and document that `save` wrote."""
    from squashlib import session as sessions

    zarr = Path(folder) / "session.zarr"
    return sessions.read(zarr), Groups(zarr), json.loads((Path(folder) / "analysis.json").read_text())


def glance(session: "xr.Dataset", groups: Mapping[str, "xr.Dataset"], document: Mapping[str, Any]) -> str:
    """The games' scores, and heart rate over the rallies as a picture that needs no script, as HTML."""
    import numpy as np

    from squashlib.sparkline import sparkline

    held = groups["rallies"]
    spans = zip(held["rally_start"].values.tolist(), held["rally_stop"].values.tolist(), strict=True)
    beats = session if "hr_time" in session else None
    times, bpm = ([], []) if beats is None else (beats["hr_time"].values, beats["heart_rate"].values)
    drawn = sparkline(
        np.asarray(times, np.float64), np.asarray(bpm, np.float64), spans, document["session"]["duration_s"], 480
    )
    told = f"Heart rate over {held.sizes['rally']} rallies in {_clock(document['session']['duration_s'])}"
    scores = "".join(map(_score, document["games"]))
    listed = f'<ol class="scores" aria-label="Games">{scores}</ol>' if scores else ""
    return f'<section class="glance">{listed}<figure role="img" aria-label="{told}">{drawn}</figure></section>'


def _score(game: Mapping[str, Any]) -> str:
    score = game["score"]
    if score is None:
        return f"<li>game {game['number']}<small>score unknown</small></li>"
    word = "won" if score["me"] > score["opponent"] else "lost"
    return f'<li class="{word}"><b>{score["me"]}–{score["opponent"]}</b><small>{word}</small></li>'


def cards(document: Mapping[str, Any]) -> str:
    """The match at a glance, as HTML."""
    metrics, count = document["metrics"], document["rally_count"]
    items = [("duration", _clock(document["session"]["duration_s"]), "")]
    won = [game["score"] for game in document["games"] if game["score"]]
    if won:
        mine = sum(score["me"] > score["opponent"] for score in won)
        items.append(("games", f"{mine}–{len(won) - mine}", "won–lost"))
    else:
        items.append(("games", str(len(document["games"])), ""))
    items.append(("rallies", str(count["estimate"]), f"{count['low']} to {count['high']}"))
    playing = metrics["total_playing_time"]
    if playing["value"] is not None:
        share = playing["metadata"].get("ball_in_play_share")
        items.append(("ball in play", _clock(playing["value"]), f"{share:.0%} of the games" if share else ""))
    if metrics["shots_detected"]["value"] is not None:
        items.append(("own strokes", str(metrics["shots_detected"]["value"]), ""))
    if metrics["avg_playing_heart_rate"]["value"] is not None:
        items.append(("heart rate in play", f"{metrics['avg_playing_heart_rate']['value']:.0f}", "bpm"))
    if metrics["training_load"]["value"] is not None:
        items.append(("load", f"{metrics['training_load']['value']:.0f}", "Edwards"))
    boxes = [
        f'<div class="card"><b>{escape(value)}</b><span>{escape(name)}</span><small>{escape(hint)}</small></div>'
        for name, value, hint in items
    ]
    return f'<section class="cards" aria-label="The match at a glance">{"".join(boxes)}</section>'


def sentences(document: Mapping[str, Any]) -> str:
    """The insights that matter, with how sure they are, as HTML; and what the data could not tell."""
    found = document["insights"]["recommendations"][:3]
    items = (
        "".join(f"<li>{escape(item['text'])} <small>{item['confidence']:.0%} sure</small></li>" for item in found)
        or "<li>Nothing stood out for sure. More points pressed, or more matches, will tell more.</li>"
    )
    notes = "".join(f"<li>{escape(warning)}</li>" for warning in document["quality"]["warnings"])
    more = f"<details><summary>About the recording</summary><ul>{notes}</ul></details>" if notes else ""
    return f'<section class="insights"><h2>What stands out</h2><ul>{items}</ul>{more}</section>'


def title(document: Mapping[str, Any]) -> str:
    """The heading of a report, as HTML."""
    session = document["session"]
    device = " ".join(str(session["device"].get(name, "")) for name in ("manufacturer", "name")).strip()
    start = parse_iso(session["start"])
    day = f"{start:%A} {start.day} {start:%B %Y, %H:%M} UTC"
    when = f'<time datetime="{session["start"]}">{day}</time>'
    return f"<h1>{escape(session['sport'].title())}</h1><p>{when}{escape(f' · {device}' if device else '')}</p>"


def _clock(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d}" if minutes >= 60 else f"{minutes} min"


def page(notebook: "NotebookNode", assets: str | None = None) -> str:
    """The page of an executed notebook.

    Parameters
    ----------
    assets
        Where `plotly.min.js`, `report.js` and `report.css` are served, for example `/static`; None puts them into the
        page, which then works alone and offline.
    """
    plain, figures = _without_plotly(notebook)
    with _ONE_AT_A_TIME:
        body, _ = _exporter()(plain)
    for i, figure in enumerate(figures):
        body = body.replace(_place(i), figure)
    shell = files("squashlib").joinpath("page/report.html").read_text()
    made = shell.replace("{{head}}", head(assets or HERE)).replace("{{body}}", body)
    return with_assets(made, HERE) if assets is None else made


@cache
def _exporter() -> Any:
    """The exporter of nbconvert: made once, because it compiles its templates when it is made.

    Its own HTML exporter reads each page again, which takes longer than all else, to mark parts that the basic template
    does not have; so the one below it makes the page.
    """
    from nbconvert.exporters import HTMLExporter, TemplateExporter
    from nbconvert.filters import Highlight2HTML
    from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter

    exporter = HTMLExporter(
        template_name="basic", exclude_input=True, exclude_output_prompt=True, optimistic_validation=True
    )
    exporter.register_filter("highlight_code", Highlight2HTML(parent=exporter))
    exporter.register_filter("filter_data_type", WidgetsDataTypeFilter({}, parent=exporter))
    return partial(TemplateExporter.from_notebook_node, exporter)


def _place(i: int) -> str:
    """Stands for a figure while nbconvert parses the page, which would read all its numbers."""
    return f'<figure id="squash-figure-{i}"></figure>'


def _without_plotly(notebook: "NotebookNode") -> tuple["NotebookNode", list[str]]:
    """The notebook with places for its figures, and the figures: JSON that `report.js` draws; nbconvert drops them."""
    from nbformat import NotebookNode

    figures: list[str] = []

    def placed(output: NotebookNode) -> NotebookNode:
        if PLOTLY not in output.get("data", {}):
            return output
        figures.append(drawn(output["data"][PLOTLY]))
        return NotebookNode(output, data=NotebookNode({"text/html": _place(len(figures) - 1)}))

    def without(cell: NotebookNode) -> NotebookNode:
        return NotebookNode(cell, outputs=list(map(placed, cell.outputs))) if "outputs" in cell else cell

    return NotebookNode(notebook, cells=list(map(without, notebook.cells))), figures


def drawn(given: Mapping[str, Any]) -> str:
    """A figure as HTML; one with nothing to show is a line: an empty frame would only push the rest down."""
    figure = {name: given.get(name) for name in ("data", "layout")}
    name = escape(_alt(given["layout"]), quote=True)
    if not figure["data"]:
        return f'<p class="missing">{name}</p>'
    text = json.dumps(figure, separators=(",", ":")).replace("</", "<\\/")
    drawn = f'<script type="application/json">{text}</script>'
    return f'<figure class="plot" role="img" aria-label="{name}">{drawn}</figure>'


def _alt(layout: Mapping[str, Any]) -> str:
    """What a figure shows, in words."""
    return str((layout.get("meta") or {}).get("alt") or layout.get("title", {}).get("text", "figure"))


def head(assets: str, names: Sequence[str] = ("report.css", PLOTLY_JS, "report.js")) -> str:
    """Links to files that pages share, each with a hash of its content: a browser asks for it once."""
    return "".join(_link(f"{assets}/{name}?v={version(name)}", name) for name in names)


def _link(address: str, name: str) -> str:
    if name.endswith(".css"):
        return f'<link rel="stylesheet" href="{address}">'
    named = ' id="plotly"' if name == PLOTLY_JS else ""
    return f'<script src="{address}"{named} async></script>'


def with_assets(html: str, assets: str) -> str:
    """A page that was made with `assets`, as it is made without: it carries the files along."""
    link = re.compile(rf'<(?:link|script) [^>]*(?:href|src)="{re.escape(assets)}/([^"?]+)[^>]*>(?:</script>)?')
    return link.sub(lambda found: _inline(found[1]), html)


def _inline(name: str) -> str:
    text = asset(name).decode()
    if name.endswith(".css"):
        return f"<style>{text}</style>"
    safe = text.replace("</script", "<\\/script")
    return f"<script>{safe}</script>"


@cache
def version(name: str) -> str:
    """A hash of a shared file's content."""
    return hashlib.sha256(asset(name)).hexdigest()[:12]


def asset(name: str) -> bytes:
    """A file that pages share: `plotly.min.js`, `report.js` …; raises `FileNotFoundError` for others.

    Plotly is its `basic` bundle (npm: plotly.js-basic-dist-min): our figures are lines, points and bars.
    """
    if name not in ASSETS:
        raise FileNotFoundError(name)
    return files("squashlib").joinpath(f"page/{'plotly-basic.min.js' if name == PLOTLY_JS else name}").read_bytes()


def render_report(analysis: "Analysis", out: Path) -> None:
    """Execute the report's notebook on an analysis and write the page, without any server."""
    import tempfile

    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    with tempfile.TemporaryDirectory(prefix="squash-report-") as folder:
        save(Path(folder), analysis.session, analysis.groups, analysis.to_dict())
        parameters = next(c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
        parameters.source += f"\nanalysis_path = {folder!r}"
        quiet = ["--IPKernelApp.log_level=40"]  # it warns of what anybody who runs a notebook knows
        resources = {"metadata": {"path": folder}}
        NotebookClient(notebook, timeout=120, resources=resources, extra_arguments=quiet).execute()
        out.write_text(page(notebook))
