"""Figures of a match: pictures before words. Colours are Okabe and Ito's, safe for colour-blind eyes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr

BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#8a8f98"
ZONE_COLOURS = ("#9ecae1", "#56B4E9", "#009E73", "#E69F00", "#D55E00")
MAX_POINTS = 2000
WINNER_COLOURS = (GREY, GREEN, RED)


def _minutes(seconds: Any) -> Any:
    return np.round(np.asarray(seconds, np.float64) / 60, 3)


def _figure(title: str, x: str, y: str, height: int = 320) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        title={"text": title, "x": 0.01, "font": {"size": 16}},
        margin={"l": 48, "r": 12, "t": 44, "b": 44},
        height=height,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 1.12, "x": 1, "xanchor": "right"},
        hovermode="x unified",
        font={"family": "system-ui, sans-serif", "size": 13},
    )
    figure.update_xaxes(title=x, gridcolor="rgba(128,128,128,0.2)", zeroline=False)
    figure.update_yaxes(title=y, automargin=True, gridcolor="rgba(128,128,128,0.2)", zeroline=False)
    return figure


def heart_rate(session: xr.Dataset, groups: Mapping[str, xr.Dataset]) -> go.Figure:
    """Heart rate over time with games and rallies shaded; the less sure a rally, the fainter."""
    figure = _figure("Heart rate", "minutes", "bpm", 380)
    if session.sizes.get("hr_time", 0):
        step = max(1, session.sizes["hr_time"] // MAX_POINTS)
        times, bpm = session["hr_time"].values[::step], session["heart_rate"].values[::step]
        shown = [None if np.isnan(beat) else round(float(beat), 1) for beat in bpm]
        figure.add_scatter(
            x=_minutes(times), y=shown, mode="lines", line={"color": RED, "width": 1.6}, name="heart rate"
        )
    rallies, games = groups["rallies"], groups["games"]
    columns = (rallies[name].values for name in ("rally_start", "rally_stop", "rally_confidence"))
    shapes = [_band(a, b, ORANGE, 0.08 + 0.3 * float(sure)) for a, b, sure in zip(*columns, strict=True)]
    for g in range(games.sizes["game"]):
        low, high = float(games["game_start"][g]), float(games["game_stop"][g])
        shapes.append(_band(low, high, BLUE, 0.06))
        label = {"text": _game_name(games, g), "showarrow": False, "yanchor": "bottom"}
        figure.add_annotation(x=(low + high) / 120, y=1.0, yref="paper", **label)
    figure.update_layout(shapes=shapes)
    return figure


def _band(start: float, stop: float, colour: str, opacity: float) -> dict[str, Any]:
    place = {"yref": "paper", "x0": round(start / 60, 3), "x1": round(stop / 60, 3), "y0": 0, "y1": 1}
    look = {"fillcolor": colour, "opacity": round(opacity, 3), "line": {"width": 0}, "layer": "below"}
    return {"type": "rect", **place, **look}


def _game_name(games: xr.Dataset, g: int) -> str:
    me, opponent = float(games["game_score_me"][g]), float(games["game_score_opponent"][g])
    return f"{g + 1}" if np.isnan(me) or np.isnan(opponent) else f"{me:.0f}–{opponent:.0f}"


def zones(document: Mapping[str, Any]) -> go.Figure:
    """Time in each heart-rate zone."""
    metrics = [document["metrics"][f"time_in_zone_{zone}"] for zone in range(1, 6)]
    figure = _figure("Time in heart-rate zones", "minutes", "", 260)
    values = [None if metric["value"] is None else round(metric["value"] / 60, 2) for metric in metrics]
    names = ["1 easy", "2 light", "3 steady", "4 hard", "5 maximal"]
    figure.add_bar(
        x=values,
        y=names,
        orientation="h",
        marker={"color": list(ZONE_COLOURS)},
        hovertemplate="%{x:.1f} min<extra></extra>",
    )
    figure.update_layout(showlegend=False)
    return figure


def rallies(groups: Mapping[str, xr.Dataset]) -> go.Figure:
    """Each rally's length and heart rate; colour says who won, faintness how unsure it is."""
    held = groups["rallies"]
    figure = _figure("Rallies: length and effort", "rally", "seconds", 320)
    lengths = np.round(held["rally_stop"].values - held["rally_start"].values, 1)
    opacity = np.clip(held["rally_confidence"].values, 0.15, 1)
    for code, name in enumerate(("no point known", "won", "lost")):
        here = held["rally_winner"].values == code
        if here.any():
            figure.add_bar(
                x=(np.flatnonzero(here) + 1).tolist(),
                y=lengths[here].tolist(),
                name=name,
                marker={"color": WINNER_COLOURS[code], "opacity": opacity[here].tolist()},
                customdata=[_peak(beat) for beat in held["rally_hr_peak"].values[here]],
                hovertemplate="rally %{x}: %{y} s%{customdata}<extra></extra>",
            )
    figure.update_layout(barmode="overlay", hovermode="closest")
    return figure


def _peak(bpm: float) -> str:
    return "" if np.isnan(bpm) else f", peak {bpm:.0f} bpm"


def lengths(groups: Mapping[str, xr.Dataset]) -> go.Figure:
    """How long rallies were, and who won the short and the long ones."""
    held = groups["rallies"]
    figure = _figure("How long rallies were", "seconds", "rallies", 280)
    values = held["rally_stop"].values - held["rally_start"].values
    edges = [0, 4, 8, 12, 16, 20, 25, 30, 40, 1e9]
    names = ["<4", "4–8", "8–12", "12–16", "16–20", "20–25", "25–30", "30–40", ">40"]
    for code, name in enumerate(("no point known", "won", "lost")):
        count = np.histogram(values[held["rally_winner"].values == code], edges)[0]
        if count.any():
            figure.add_bar(x=names, y=count.tolist(), name=name, marker={"color": WINNER_COLOURS[code]})
    figure.update_layout(barmode="stack")
    return figure


def games(document: Mapping[str, Any], groups: Mapping[str, xr.Dataset]) -> go.Figure:
    """Games side by side: rallies' median length, and heart rate in play."""
    figure = _figure("Game by game", "game", "median rally, s", 300)
    held, rows = groups["rallies"], document["insights"]["metrics"]["performance_by_game"]
    values = held["rally_stop"].values - held["rally_start"].values
    medians = [round(float(np.median(values[held["rally_game"].values == row["game_number"]])), 1) for row in rows]
    names = [str(row["game_number"]) for row in rows]
    figure.add_bar(x=names, y=medians, name="median rally, s", marker={"color": BLUE})
    heart = [row["avg_hr"] for row in rows]
    line = {"color": RED}
    figure.add_scatter(x=names, y=heart, name="heart rate in play, bpm", yaxis="y2", line=line, mode="lines+markers")
    second = {"overlaying": "y", "side": "right", "title": "bpm", "showgrid": False}
    figure.update_layout(yaxis2=second, margin={"r": 48})
    figure.update_xaxes(type="category")
    return figure


def momentum(document: Mapping[str, Any]) -> go.Figure:
    """Points won minus points lost, rally by rally, broken at each game."""
    figure = _figure("Momentum", "rally", "points ahead in the game", 300)
    x: list[int | None] = []
    y: list[int | None] = []
    game, ahead = None, 0
    for rally in document["rallies"]:
        if rally["winner"] is None:
            continue
        if rally["game"] != game:
            x, y, game, ahead = [*x, None], [*y, None], rally["game"], 0
        ahead += 1 if rally["winner"] == "me" else -1
        x.append(rally["number"])
        y.append(ahead)
    line = {"color": BLUE, "shape": "hv"}
    figure.add_scatter(x=x, y=y, mode="lines+markers", line=line, marker={"size": 5}, name="ahead")
    if not x:
        text = {"text": "no points were pressed", "showarrow": False, "font": {"size": 15}}
        figure.add_annotation(x=0.5, y=0.5, xref="paper", yref="paper", **text)
        figure.update_xaxes(visible=False)
        figure.update_yaxes(visible=False)
        return figure
    figure.add_hline(y=0, line={"color": GREY, "width": 1})
    figure.update_layout(showlegend=False)
    return figure
