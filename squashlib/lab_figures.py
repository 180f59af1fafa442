"""Figures of the lab: each second's features and posteriors, where two detectors differ, and the leaderboard."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import xarray as xr
from plotly.subplots import make_subplots

from squashlib.detectors.features import features
from squashlib.detectors.framework import Detector
from squashlib.evaluate.matching import iou
from squashlib.lab import Case, Trial, differences, run, with_detector
from squashlib.plot import BLUE, GREEN, GREY, ORANGE, RED
from squashlib.session import parse_iso

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

STATE_COLOURS = {
    "warmup": "#CC79A7",
    "rally": ORANGE,
    "rest": "#56B4E9",
    "game_break": GREY,
    "idle": "#d0d4da",
    "cooldown": "#b39ddb",
}
SCORES = (
    ("F1@0.5", "rally_f1_iou_0.5"),
    ("F1@0.75", "rally_f1_iou_0.75"),
    ("edge s", "boundary_error_s"),
    ("games@0.8", "games_f1_iou_0.8"),
    ("strokes", "stroke_f1_within_0.25_s"),
    ("calibration", "calibration_error"),
)


def seconds(session: xr.Dataset, groups: Mapping[str, xr.Dataset], truth: Mapping[str, Any] | None = None) -> go.Figure:
    """What the model sees and thinks, second by second: features above, probabilities below, true rallies as bars."""
    seen = features(session, groups["swings"], groups["motion"])
    lines = {spec.name: getattr(seen, spec.name) for spec in fields(seen)}
    lines = {name: line for name, line in lines.items() if line is not None and line.shape == (len(seen),)}
    posterior = groups["posterior"]
    figure = make_subplots(len(lines) + 1, 1, shared_xaxes=True, vertical_spacing=0.03)
    for row, (name, line) in enumerate(lines.items(), 1):
        x, y = (np.arange(len(line)) + 0.5) / 60, np.round(line, 3)
        figure.add_scatter(x=x, y=y, name=name, line={"color": BLUE, "width": 1}, showlegend=False, row=row, col=1)
        figure.update_yaxes(title=name, row=row, col=1)
    last = len(lines) + 1
    names = str(posterior["probability"].attrs.get("states", "")).split()
    for s, name in enumerate(names):
        look = {"width": 0, "color": STATE_COLOURS.get(name, GREY)}
        x, y = posterior["posterior_time"].values / 60, np.round(posterior["probability"].values[:, s], 3)
        figure.add_scatter(x=x, y=y, name=name.replace("_", " "), stackgroup="p", line=look, row=last, col=1)
    figure.update_yaxes(title="probability", range=[0, 1], row=last, col=1)
    for start, stop in true_spans(truth) if truth else ():
        bar = {"x0": start / 60, "x1": stop / 60, "y0": 1.0, "y1": 1.02, "yref": "paper"}
        figure.add_shape(type="rect", fillcolor=GREEN, line_width=0, **bar)
    figure.update_xaxes(title="minutes", row=last, col=1)
    return _dressed(figure, 160 * (len(lines) + 1) + 80)


def true_spans(truth: Mapping[str, Any]) -> np.ndarray:
    """True rallies in seconds since the truth's start, (n, 2)."""
    zero = parse_iso(truth["start"])
    ends = [[(parse_iso(r[edge]) - zero).total_seconds() for edge in ("start", "end")] for r in truth["rallies"]]
    return np.array(ends, np.float64).reshape(-1, 2)


def side_by_side(trials: Sequence[Trial], case: int) -> go.Figure:
    """Rallies of one session, true and as each trial found them; what matches no true rally at IoU 0.5 is red."""
    truth = true_spans(trials[0].cases[case].truth)
    figure = go.Figure()
    _bars(figure, "truth", truth, np.full(len(truth), GREEN, object))
    for trial in trials:
        found = trial.analyses[case].rallies
        spans = np.column_stack((found["rally_start"].values, found["rally_stop"].values))
        right = (iou(truth, spans) >= 0.5).any(axis=0) if len(truth) else np.zeros(len(spans), bool)
        _bars(figure, trial.algorithm, spans, np.where(right, BLUE, RED))
    figure.update_layout(barmode="overlay", showlegend=False)
    figure.update_xaxes(title="minutes")
    figure.update_yaxes(autorange="reversed")
    return _dressed(figure, 90 + 60 * (len(trials) + 1))


def _bars(figure: go.Figure, name: str, spans: np.ndarray, colours: np.ndarray) -> None:
    lengths = spans[:, 1] - spans[:, 0]
    figure.add_bar(
        y=[name] * len(spans),
        x=lengths / 60,
        base=spans[:, 0] / 60,
        orientation="h",
        marker={"color": colours.tolist()},
        customdata=np.round(lengths, 1),
        hovertemplate="%{base:.2f} min, %{customdata} s<extra></extra>",
    )


def tried(case: Case, detector: Detector) -> go.Figure:
    """One session with another detector beside the default one; the title says what it scores."""
    trials = [run([case]), run([case], with_detector(detector))]
    figure = side_by_side(trials, 0)
    scores = [trial.each[case.name] for trial in trials]
    both = [(title, scores[0].get(key), scores[1].get(key)) for title, key in SCORES]
    told = ", ".join(f"{title} {a:.3f} → {b:.3f}" for title, a, b in both if a is not None and b is not None)
    figure.update_layout(title={"text": told, "font": {"size": 11}})
    return figure


def history(study: Any) -> go.Figure:
    """What a sweep tried, in order, and the best so far."""
    values = [trial.value for trial in study.trials if trial.value is not None]
    figure = go.Figure()
    x = list(range(1, len(values) + 1))
    figure.add_scatter(x=x, y=values, mode="markers", name="trial", marker={"color": BLUE})
    line = {"color": ORANGE, "shape": "hv"}
    figure.add_scatter(
        x=x, y=np.maximum.accumulate(values) if values else [], mode="lines", name="best so far", line=line
    )
    figure.update_xaxes(title="trial", dtick=max(1, len(values) // 10))
    figure.update_yaxes(title="mean F1")
    return _dressed(figure, 300)


def reliability(trials: Sequence[Trial]) -> go.Figure:
    """Whether confidence is what it says: on the diagonal a confidence of 0.8 is right eight times in ten."""
    figure = go.Figure()
    line = {"color": GREY, "dash": "dot"}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=line, name="perfect", showlegend=False)
    for trial, colour in zip(trials, (BLUE, ORANGE, GREEN, RED), strict=False):
        bins = trial.scores["reliability"]
        x, y = ([row[key] for row in bins] for key in ("confidence", "right"))
        figure.add_scatter(x=x, y=y, mode="lines+markers", name=trial.algorithm, line={"color": colour})
    figure.update_xaxes(title="confidence", range=[0, 1])
    figure.update_yaxes(title="share right", range=[0, 1.02])
    return _dressed(figure, 340)


def board(rows: Sequence[Mapping[str, Any]]) -> "Styler":
    """`table` as it is looked at: scores on one line, parameters whole."""
    shown = table(rows)
    return shown.style.set_table_styles([{"selector": "td, th", "props": "text-align: left; white-space: nowrap"}])


def table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Leaderboard rows as a table, each score with its 95 % interval, the best rallies first."""
    shown = [
        {
            "algorithm": row["algorithm"],
            "fingerprint": row["algorithm_version"].split("+")[-1],
            "parameters": ", ".join(f"{k}={v:g}" for held in row["parameters"].values() for k, v in held.items())
            or "–",
            "data set": f"{row['data_set']['name']} ({row['data_set']['sessions']})",
            "labels": ", ".join(row["label_set"]["by"]),
            **{title: _score(row["scores"].get(key)) for title, key in SCORES},
            "time": row["time"][:16].replace("T", " "),
            "order": (row["scores"].get("rally_f1_iou_0.75") or {}).get("value", 0.0),
            "row": row.get("id", "not kept"),
        }
        for row in rows
    ]
    columns = list(shown[0]) if shown else ["algorithm", "order", "row"]
    ordered = pd.DataFrame(shown, columns=columns).sort_values("order", ascending=False, kind="stable")
    return ordered.drop(columns="order").set_index("row")


def _parameters(held: Mapping[str, Mapping[str, Any]]) -> str:
    return ", ".join(f"{name}={value:g}" for values in held.values() for name, value in values.items()) or "–"


def _score(figure: Mapping[str, float] | None) -> str:
    return "–" if figure is None else f"{figure['value']:.3f} [{figure['low']:.2f} {figure['high']:.2f}]"


def contrast(one: Mapping[str, Any], two: Mapping[str, Any]) -> go.Figure | str:
    """Sessions where two leaderboard rows differ; in words if they share none."""
    try:
        return differing(differences(one, two), (f"{one['algorithm']}, first", f"{two['algorithm']}, second"))
    except ValueError as error:
        return str(error)


def differing(table: pd.DataFrame, names: tuple[str, str]) -> go.Figure:
    """Sessions where two rows differ, as `squashlib.lab.differences` tells them."""
    figure = go.Figure()
    for column, name, colour in (("first", names[0], BLUE), ("second", names[1], ORANGE)):
        figure.add_scatter(
            x=table[column], y=table.index, mode="markers", name=name, marker={"color": colour, "size": 10}
        )
    for session, row in table.iterrows():
        line = {"color": GREEN if row["difference"] > 0 else RED, "width": 2}
        figure.add_shape(type="line", x0=row["first"], x1=row["second"], y0=session, y1=session, line=line)
    figure.update_yaxes(autorange="reversed", type="category")
    return _dressed(figure, 120 + 28 * len(table))


def _dressed(figure: go.Figure, height: int) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 60, "r": 12, "t": 36, "b": 44},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 1.06, "x": 1, "xanchor": "right", "yanchor": "bottom"},
        font={"family": "system-ui, sans-serif", "size": 13},
    )
    figure.update_xaxes(gridcolor="rgba(128,128,128,0.2)", zeroline=False)
    figure.update_yaxes(gridcolor="rgba(128,128,128,0.2)", zeroline=False, automargin=True)
    return figure
