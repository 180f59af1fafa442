"""Rallies: how long, how hard, who won them, and one of them from near."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from squashlib.plot.figure import Figure
from squashlib.plot.style import (
    BLUE,
    GREY,
    ORANGE,
    OUTCOMES,
    RED,
    bars,
    blank,
    empty,
    line,
    plain,
    second_axis,
    share,
    told,
)

EDGES_S = (0, 4, 8, 12, 16, 20, 25, 30, 40, 1e9)
SPANS = ("<4", "4–8", "8–12", "12–16", "16–20", "20–25", "25–30", "30–40", ">40")
#: What of the time around a rally is shown with it.
AROUND_S = 12.0


def rallies(groups: Mapping[str, xr.Dataset]) -> Figure:
    """Each rally's length and heart rate; colour and pattern say who won, faintness how unsure it is."""
    held = groups["rallies"]
    figure = blank("Rallies: length and effort", "rally", "seconds", 320)
    if not held.sizes["rally"]:
        return empty(figure, "no rally was found")
    lengths = np.round(held["rally_stop"].values - held["rally_start"].values, 1)
    opacity = np.clip(held["rally_confidence"].values, 0.15, 1).round(2)
    scored = bool(held["rally_winner"].values.any())
    for code in range(3):
        here = held["rally_winner"].values == code
        if here.any():
            figure.add_bar(
                x=(np.flatnonzero(here) + 1).tolist(),
                y=lengths[here].tolist(),
                **bars(code, opacity[here].tolist(), scored=scored),
                customdata=[_peak(beat) for beat in held["rally_hr_peak"].values[here]],
                hovertemplate="rally %{x}: %{y} s%{customdata}<extra></extra>",
            )
    figure.update_layout(barmode="overlay", hovermode="closest")
    return told(figure, f"{len(lengths)} rallies, median {np.median(lengths):.0f} s, longest {lengths.max():.0f} s")


def _peak(bpm: float) -> str:
    return "" if np.isnan(bpm) else f", peak {bpm:.0f} bpm"


def lengths(groups: Mapping[str, xr.Dataset]) -> Figure:
    """How long rallies were, and who won the short and the long ones."""
    held = groups["rallies"]
    figure = blank("How long rallies were", "seconds", "rallies", 300)
    values = held["rally_stop"].values - held["rally_start"].values
    if not len(values):
        return empty(figure, "no rally was found")
    for code in range(3):
        count = np.histogram(values[held["rally_winner"].values == code], EDGES_S)[0]
        if count.any():
            scored = bool(held["rally_winner"].values.any())
            figure.add_bar(x=list(SPANS), y=count.tolist(), **bars(code, scored=scored))
    figure.update_layout(barmode="stack")
    return told(figure, f"half of them were shorter than {np.median(values):.0f} s")


def outcome_by_length(document: Mapping[str, Any]) -> Figure:
    """Share of points won by rally length, each with its 90 % interval."""
    figure = blank("Won by rally length", "rally length", "points won, %", 300)
    rows = document["insights"]["metrics"]["win_rate_by_rally_length"]
    if not rows:
        return empty(figure, "no points were pressed")
    names = [_span(row) for row in rows]
    shown = [row["win_percentage"] for row in rows]
    low, high = ([100 * row["interval"][i] for row in rows] for i in (0, 1))
    error = {
        "type": "data",
        "symmetric": False,
        "array": [round(b - a, 1) for a, b in zip(shown, high, strict=True)],
        "arrayminus": [round(a - b, 1) for a, b in zip(shown, low, strict=True)],
        "thickness": 2,
        "width": 8,
    }
    figure.add_scatter(
        x=names,
        y=shown,
        error_y=error,
        mode="markers",
        marker={"size": 11, "color": BLUE},
        text=[f"{row['points']} points" for row in rows],
        hovertemplate="%{y:.0f} % of %{text}<extra></extra>",
    )
    figure.add_hline(y=50, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.update_yaxes(range=[0, 100])
    figure.update_layout(showlegend=False, hovermode="closest")
    return told(
        figure,
        "; ".join(
            f"{name} {row['win_percentage']:.0f} % of {row['points']}" for name, row in zip(names, rows, strict=True)
        ),
    )


def _span(row: Mapping[str, Any]) -> str:
    return f"over {row['from_s']:.0f} s" if row["to_s"] is None else f"{row['from_s']:.0f}–{row['to_s']:.0f} s"


def rally(session: xr.Dataset, groups: Mapping[str, xr.Dataset], number: int) -> Figure:
    """One rally (from 1): the arm's motion, own strokes and heart rate, with what came before and after."""
    held = groups["rallies"].isel(rally=number - 1)
    start, stop = float(held["rally_start"]), float(held["rally_stop"])
    window = (max(0.0, start - AROUND_S), stop + AROUND_S)
    sure = float(held["rally_confidence"])
    outcome = OUTCOMES[int(held["rally_winner"])][0]
    figure = blank(f"Rally {number}: {stop - start:.0f} s, {outcome}", "seconds into the rally", "motion", 340)
    edge = {"color": ORANGE, "width": 1, "dash": "solid" if sure > 0.7 else "dot"}
    figure.add_vrect(x0=0, x1=stop - start, fillcolor=ORANGE, opacity=0.06 + 0.2 * sure, line=edge, layer="below")
    _motion(figure, session, window, start)
    strokes = _strokes(figure, groups["strokes"], window, start)
    _beats(figure, session, window, start)
    figure.update_xaxes(range=[window[0] - start, window[1] - start])
    count = (
        f"{strokes} own strokes" if "accel_time" in session.sizes or "gyro_time" in session.sizes else "strokes unknown"
    )
    return told(figure, f"{count}, {share(sure, 1)} sure")


def _motion(figure: Figure, session: xr.Dataset, window: tuple[float, float], start: float) -> None:
    from squashlib.detectors.swings import swing_envelope

    dims = [dim for dim in ("accel_time", "gyro_time") if dim in session.sizes]
    cut = session.isel({dim: _within(session[dim].values, window, 3.0) for dim in dims})
    if not dims or not all(cut.sizes[dim] for dim in dims):
        figure.add_annotation(x=0.5, y=0.5, xref="paper", yref="paper", text="no motion was measured", showarrow=False)
        return
    times, envelope = swing_envelope(cut)
    inside = (times >= window[0]) & (times <= window[1])
    x, y = line(times[inside] - start, envelope[inside], 1500)
    seconds = [None if minute is None else round(60 * minute, 2) for minute in x]
    figure.add_scatter(x=seconds, y=y, mode="lines", line={"color": BLUE, "width": 1.2}, name="motion", fill="tozeroy")


def _within(times: Any, window: tuple[float, float], margin_s: float) -> slice:
    low, high = np.searchsorted(times, (window[0] - margin_s, window[1] + margin_s))
    return slice(int(low), int(high))


def _strokes(figure: Figure, strokes: xr.Dataset, window: tuple[float, float], start: float) -> int:
    times, sure = strokes["stroke_time"].values, strokes["stroke_confidence"].values
    here = (times >= window[0]) & (times <= window[1])
    if here.any():
        look = {"symbol": "line-ns-open", "size": 16, "color": "#CC79A7", "line": {"width": 3}}
        look["opacity"] = np.clip(sure[here], 0.2, 1).round(2).tolist()
        text = [f"{value:.0%} sure" for value in sure[here]]
        figure.add_scatter(
            x=plain(times[here] - start, 2), y=[0] * int(here.sum()), mode="markers", marker=look,
            name="own stroke", text=text, hovertemplate="own stroke, %{text}<extra></extra>",
        )  # fmt: skip
    return int(here.sum())


def _beats(figure: Figure, session: xr.Dataset, window: tuple[float, float], start: float) -> None:
    if "heart_rate" not in session:
        return
    cut = session.isel(hr_time=_within(session["hr_time"].values, window, 0.0))
    if not cut.sizes["hr_time"]:
        return
    x, y = line(cut["hr_time"].values - start, cut["heart_rate"].values)
    seconds = [None if minute is None else round(60 * minute, 2) for minute in x]
    look = {"color": RED, "width": 2, "dash": "dash"}
    figure.add_scatter(x=seconds, y=y, mode="lines", line=look, name="heart rate, bpm", yaxis="y2")
    second_axis(figure, "bpm")
