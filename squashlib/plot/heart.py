"""Heart rate: over the match, in zones, how it fell after each game and crept up with tiredness."""

from collections.abc import Iterator, Mapping
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
    ZONE_COLOURS,
    ZONE_NAMES,
    blank,
    empty,
    line,
    minutes,
    plain,
    told,
)

#: A recovery is looked at for this long after a game's last ball.
RECOVERY_S = 120.0
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
SYMBOLS = ("circle", "square", "diamond", "cross", "x")


def heart_rate(session: xr.Dataset, groups: Mapping[str, xr.Dataset]) -> Figure:
    """Heart rate over time with warm-up, games and rallies shaded, points marked; the less sure, the fainter."""
    figure = blank("Heart rate", "minutes", "bpm", 400)
    rallies, games = groups["rallies"], groups["games"]
    _rallies(figure, rallies)
    for g in range(games.sizes["game"]):
        low, high = float(games["game_start"][g]), float(games["game_stop"][g])
        figure.add_shape(**_band(low, high, BLUE, 0.06))
        _caption(figure, low, high, _game_name(games, g))
    for kind, low, high in _edges(groups["segments"]):
        figure.add_shape(**_band(low, high, GREY, 0.25))
        _caption(figure, low, high, kind)
    if "heart_rate" not in session or np.isnan(session["heart_rate"].values).all():
        _marks(figure, rallies, 0.0)
        return (
            empty(figure, "no heart rate was measured") if not rallies.sizes["rally"] else told(figure, _words(groups))
        )
    x, y = line(session["hr_time"].values, session["heart_rate"].values)
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": RED, "width": 1.6}, name="heart rate", connectgaps=False)
    low = min(value for value in y if value is not None)
    _marks(figure, rallies, low - 5)
    peak = max(value for value in y if value is not None)
    return told(figure, f"from {low:.0f} to {peak:.0f} bpm; {_words(groups)}")


def _rallies(figure: Figure, rallies: xr.Dataset) -> None:
    """A band for each rally, as bars of one trace: a shape for each would take longer to make than all the rest."""
    if not rallies.sizes["rally"]:
        return
    starts, stops, sure = (rallies[name].values for name in ("rally_start", "rally_stop", "rally_confidence"))
    words = [
        f"rally {i}, {b - a:.0f} s, {c:.0%} sure"
        for i, (a, b, c) in enumerate(zip(starts, stops, sure, strict=True), 1)
    ]
    opacity = (0.1 + 0.3 * sure.astype(float)).round(2).tolist()
    figure.add_bar(
        x=minutes((starts + stops) / 2).tolist(),
        y=[1] * len(starts),
        width=minutes(stops - starts).tolist(),
        marker={"color": ORANGE, "opacity": opacity, "line": {"width": 0}},
        name="rally",
        text=words,
        textposition="none",
        hovertemplate="%{text}<extra></extra>",
        yaxis="y2",
    )
    figure.update_layout(yaxis2={"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True})


def _words(groups: Mapping[str, xr.Dataset]) -> str:
    return f"{groups['games'].sizes['game']} games and {groups['rallies'].sizes['rally']} rallies are shaded"


def _edges(segments: xr.Dataset) -> Iterator[tuple[str, float, float]]:
    names = str(segments["segment_kind"].attrs["flag_meanings"]).split()
    shown = {"warmup": "warm-up", "cooldown": "cool-down"}
    columns = (segments[name].values for name in ("segment_kind", "segment_start", "segment_stop"))
    for kind, low, high in zip(*columns, strict=True):
        if names[int(kind)] in shown:
            yield shown[names[int(kind)]], float(low), float(high)


def _caption(figure: Figure, low: float, high: float, text: str) -> None:
    look = {"text": text, "showarrow": False, "yanchor": "bottom", "font": {"size": 11}}
    figure.add_annotation(x=(low + high) / 120, y=1.0, yref="paper", **look)


def _marks(figure: Figure, rallies: xr.Dataset, height: float) -> None:
    """Won and lost points at the end of their rallies."""
    for code in (1, 2):
        here = rallies["rally_winner"].values == code
        if here.any():
            name, colour, _, symbol = OUTCOMES[code]
            figure.add_scatter(
                x=minutes(rallies["rally_stop"].values[here]).tolist(),
                y=[height] * int(here.sum()),
                mode="markers",
                marker={"symbol": symbol, "color": colour, "size": 8},
                name=f"point {name}",
                hovertemplate=f"point {name}<extra></extra>",
            )


def _band(start: float, stop: float, colour: str, opacity: float) -> dict[str, Any]:
    place = {"yref": "paper", "x0": round(start / 60, 3), "x1": round(stop / 60, 3), "y0": 0, "y1": 1}
    look = {"fillcolor": colour, "opacity": round(opacity, 3), "line": {"width": 0}, "layer": "below"}
    return {"type": "rect", **place, **look}


def _game_name(games: xr.Dataset, g: int) -> str:
    me, opponent = float(games["game_score_me"][g]), float(games["game_score_opponent"][g])
    return f"{g + 1}" if np.isnan(me) or np.isnan(opponent) else f"{me:.0f}–{opponent:.0f}"


def zones(document: Mapping[str, Any]) -> Figure:
    """Time in each heart-rate zone."""
    metrics = [document["metrics"][f"time_in_zone_{zone}"] for zone in range(1, 6)]
    figure = blank("Time in heart-rate zones", "minutes", "", 300)
    values = [None if metric["value"] is None else round(metric["value"] / 60, 2) for metric in metrics]
    if not any(values):
        return empty(figure, str(metrics[0]["metadata"].get("reason", "no heart rate was measured")))
    figure.add_bar(
        x=values,
        y=list(ZONE_NAMES),
        orientation="h",
        marker={"color": list(ZONE_COLOURS)},
        text=[f"{value or 0:.0f}" for value in values],
        hovertemplate="%{x:.1f} min<extra></extra>",
    )
    figure.update_layout(showlegend=False, hovermode="closest")
    named = zip(ZONE_NAMES, values, strict=True)
    return told(figure, ", ".join(f"{name} {value or 0:.0f} min" for name, value in named))


def recovery(session: xr.Dataset, groups: Mapping[str, xr.Dataset]) -> Figure:
    """How far heart rate fell in the two minutes after each game."""
    figure = blank("Recovery after each game", "seconds after the last ball", "bpm fallen", 300)
    drops = list(_drops(session, groups["games"])) if "heart_rate" in session else []
    for game, after, fall in drops:
        look = {"color": BLUE, "dash": DASHES[game % 5], "width": 2}
        marker = {"symbol": SYMBOLS[game % 5], "size": 6}
        figure.add_scatter(
            x=plain(after, 0), y=plain(fall), mode="lines+markers", line=look, marker=marker, name=f"game {game + 1}"
        )
    if not drops:
        return empty(figure, "no game was followed by a minute of heart rate")
    figure.update_yaxes(autorange="reversed")
    minute = [f"game {game + 1}: {np.interp(60, after, fall):.0f} bpm" for game, after, fall in drops]
    return told(figure, f"fall in the first minute, {', '.join(minute)}")


def _drops(session: xr.Dataset, games: xr.Dataset) -> Iterator[tuple[int, Any, Any]]:
    """Game, seconds since its end and the fall since, every ten seconds while there are samples."""
    seen = ~np.isnan(session["heart_rate"].values)
    times, bpm = session["hr_time"].values[seen], session["heart_rate"].values[seen]
    starts = [*games["game_start"].values[1:], np.inf]
    for game, (stop, following) in enumerate(zip(games["game_stop"].values, starts, strict=False)):
        inside = (times >= stop - 5) & (times <= min(stop + RECOVERY_S, following))
        after = times[inside] - stop
        if len(after) > 5 and after[-1] >= 60 and np.diff(after).max() < 20:
            grid = np.arange(0, after[-1] + 1, 10)
            falls = bpm[inside].max() - np.interp(grid, after, bpm[inside])
            yield game, grid, falls


def fatigue(document: Mapping[str, Any], groups: Mapping[str, xr.Dataset]) -> Figure:
    """Mean heart rate of each rally over the match, and the drift through them if it is told from none."""
    figure = blank("Fatigue: what a rally cost", "minutes", "mean bpm in the rally", 300)
    rallies = groups["rallies"]
    middle, bpm = (rallies["rally_start"].values + rallies["rally_stop"].values) / 2, rallies["rally_hr_mean"].values
    seen = ~np.isnan(bpm)
    if seen.sum() < 3:
        return empty(figure, "too few rallies with heart rate")
    opacity = np.clip(rallies["rally_confidence"].values[seen], 0.15, 1).round(2).tolist()
    look = {"color": RED, "size": 7, "opacity": opacity}
    x = minutes(middle[seen])
    figure.add_scatter(x=x.tolist(), y=plain(bpm[seen]), mode="markers", marker=look, name="a rally")
    drift = document["metrics"]["hr_drift"]
    if drift["value"] is None:
        return told(figure, str(drift["metadata"].get("reason", "the drift is not known")))
    slope, (low, high) = drift["value"] / 60, drift["metadata"]["interval"]
    ends = np.array([x[0], x[-1]])
    level = float(bpm[seen].mean()) + slope * (ends - x.mean())
    sure = low * high > 0
    name = f"drift {drift['value']:+.0f} bpm an hour ({low:+.0f} to {high:+.0f})"
    style = {"color": BLUE, "dash": "solid" if sure else "dot"}
    figure.add_scatter(x=ends.tolist(), y=plain(level), mode="lines", line=style, name=name)
    return told(figure, name + ("" if sure else "; it may be none"))
