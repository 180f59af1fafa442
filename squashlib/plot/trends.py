"""Months in figures: form, load, recovery, opponents and rally lengths; of one player or of several side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

from squashlib import trends
from squashlib.plot.figure import Figure
from squashlib.plot.style import BLUE, GREEN, GREY, ORANGE, OUTCOMES, RED, blank, empty, second_axis, told

#: Acute to chronic load between these is called safe (Gabbett 2016, doi:10.1136/bjsports-2015-095788).
SAFE = (0.8, 1.3)
LOOKS = tuple(
    {"color": colour, "dash": dash, "symbol": symbol}
    for colour, dash, symbol in (
        (BLUE, "solid", "circle"),
        (ORANGE, "dash", "square"),
        (GREEN, "dot", "diamond"),
        (RED, "dashdot", "cross"),
        ("#CC79A7", "longdash", "x"),
        (GREY, "solid", "star"),
    )
)


def _interval(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    up = [round(100 * (row["high"] - row["share"]), 1) for row in rows]
    down = [round(100 * (row["share"] - row["low"]), 1) for row in rows]
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "thickness": 1.5, "width": 4}


def _by_day(title: str, y: str, height: int) -> Figure:
    figure = blank(title, "", y, height)
    figure.update_xaxes(type="date", tickformat="%d %b %y", nticks=6, hoverformat="%a %d %b %Y")
    return figure


def form(player: Mapping[str, Any]) -> Figure:
    """Points won in each match with the 90 % interval; the mark says who won the match."""
    figure = _by_day("Form", "points won, %", 320)
    rows = trends.form(player)
    if not rows:
        return empty(figure, "no points were pressed in this period")
    for code, result in ((1, "won"), (2, "lost"), (0, None)):
        here = [row for row in rows if row["result"] == result]
        if here:
            name, colour, _, symbol = OUTCOMES[code]
            figure.add_scatter(
                x=[row["day"].isoformat() for row in here],
                y=[round(100 * row["share"], 1) for row in here],
                error_y=_interval(here),
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 10},
                name="match " + (name if result else "without a result"),
                text=[row["opponent"] or "unknown opponent" for row in here],
                hovertemplate="%{text}: %{y:.0f} %<extra></extra>",
            )
    figure.add_hline(y=50, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.update_layout(hovermode="closest")
    won, lost = (sum(row[key] for row in rows) for key in ("won", "lost"))
    return told(figure, f"{len(rows)} matches with points, {won} points won and {lost} lost")


def load(player: Mapping[str, Any]) -> Figure:
    """Acute load over chronic load, each a mean that forgets, and their ratio with its safe band."""
    figure = _by_day("Load", "load a day", 340)
    rows = trends.loads(player)
    if not rows:
        return empty(figure, "no heart rate was measured, so load is not known")
    days = [row["day"].isoformat() for row in rows]
    for key, name, colour, dash in (
        ("acute", "acute (7 days)", ORANGE, "solid"),
        ("chronic", "chronic (28 days)", BLUE, "dash"),
    ):
        look = {"color": colour, "dash": dash, "width": 2}
        values = [round(row[key], 1) for row in rows]
        mode = "lines" if len(days) > 2 else "lines+markers"
        figure.add_scatter(x=days, y=values, mode=mode, line=look, name=name)
    ratios = [None if row["ratio"] is None else round(row["ratio"], 2) for row in rows]
    known = [ratio for ratio in ratios if ratio is not None]
    if not known:
        return told(figure, "the ratio is not told in the first four weeks")
    look = {"color": GREY, "dash": "dot", "width": 1.5}
    figure.add_scatter(x=days, y=ratios, mode="lines", line=look, name="acute to chronic", yaxis="y2")
    second_axis(figure, "ratio")
    figure.update_layout(yaxis2={"tickformat": ".1f", "range": [0, max(2.0, 1.1 * max(known))]})
    band = {"yref": "y2", "y0": SAFE[0], "y1": SAFE[1], "x0": days[0], "x1": days[-1], "line": {"width": 0}}
    figure.add_shape(type="rect", fillcolor=GREY, opacity=0.12, layer="below", **band)
    word = "above" if known[-1] > SAFE[1] else "below" if known[-1] < SAFE[0] else "within"
    return told(figure, f"the ratio is {known[-1]:.2f} now, {word} {SAFE[0]} to {SAFE[1]}")


def recovery(player: Mapping[str, Any]) -> Figure:
    """Fall of heart rate in the minute after games."""
    figure = _by_day("Recovery", "bpm in the first minute", 280)
    rows = trends.recoveries(player)
    if not rows:
        return empty(figure, "no minute of heart rate after a game in this period")
    values = [round(row["bpm"], 1) for row in rows]
    look = {"color": GREEN, "size": 9, "symbol": "diamond"}
    days = [row["day"].isoformat() for row in rows]
    figure.add_scatter(x=days, y=values, mode="markers+lines", line={"color": GREEN, "width": 1}, marker=look)
    figure.update_layout(showlegend=False)
    return told(figure, f"{values[0]:.0f} bpm at first, {values[-1]:.0f} bpm at last")


def _shares(title: str, names: Sequence[str], rows: Sequence[Mapping[str, Any]], reason: str) -> Figure:
    figure = blank(title, "points won, %", "", 120 + 44 * max(2, len(rows)))
    if not rows:
        return empty(figure, reason)
    error = {"error_x": _interval(rows)}
    shown = [round(100 * row["share"], 1) for row in rows]
    text = [f"{row['won']} of {row['won'] + row['lost']} points" for row in rows]
    figure.add_scatter(
        x=shown, y=list(names), mode="markers", marker={"size": 11, "color": BLUE}, text=text,
        hovertemplate="%{y}: %{text}<extra></extra>", **error,
    )  # fmt: skip
    figure.add_vline(x=50, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.update_xaxes(range=[0, 100])
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_layout(showlegend=False, hovermode="closest")
    return told(
        figure, "; ".join(f"{name} {part:.0f} % ({said})" for name, part, said in zip(names, shown, text, strict=True))
    )


def opponents(player: Mapping[str, Any], most: int = 8) -> Figure:
    """Points won against each opponent, with matches won and lost."""
    rows = [row for row in trends.by_opponent(player) if row["share"] is not None][:most]
    names = [f"{row['opponent']} ({row['matches_won']}–{row['matches_lost']})" for row in rows]
    return _shares("By opponent (matches won–lost)", names, rows, "no opponent with points in this period")


def lengths(player: Mapping[str, Any]) -> Figure:
    """Points won by rally length, all matches of the period together."""
    rows = trends.by_length(player)
    names = [
        f"over {row['from_s']:.0f} s" if row["to_s"] is None else f"{row['from_s']:.0f}–{row['to_s']:.0f} s"
        for row in rows
    ]
    return _shares("By rally length", names, rows, "no points were pressed in this period")


def side_by_side(players: Sequence[Mapping[str, Any]], key: str, title: str, unit: str, factor: float = 1.0) -> Figure:
    """A figure of each session, a line for each player."""
    figure = _by_day(title, unit, 300)
    for player, look in zip(players, LOOKS * (len(players) // len(LOOKS) + 1), strict=False):
        known = [one for one in player["sessions"] if one["summary"].get(key) is not None]
        if known:
            figure.add_scatter(
                x=[trends.day(one, player["timezone"]).isoformat() for one in known],
                y=[round(one["summary"][key] * factor, 1) for one in known],
                mode="lines+markers",
                line={"color": look["color"], "dash": look["dash"], "width": 1.5},
                marker={"symbol": look["symbol"], "size": 8},
                name=player["name"],
            )
    if not figure.data:
        return empty(figure, "no session has it")
    return told(figure, f"{len(figure.data)} players")
