"""The match: game by game, the score as it went, and who was ahead."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from squashlib.plot.figure import Figure
from squashlib.plot.style import BLUE, GREY, ORANGE, RED, blank, empty, second_axis, told

NO_POINTS = "no points were pressed"


def games(document: Mapping[str, Any], groups: Mapping[str, xr.Dataset]) -> Figure:
    """Games side by side: rallies' median length, and heart rate in play."""
    figure = blank("Game by game", "game", "median rally, s", 300)
    held, rows = groups["rallies"], document["insights"]["metrics"]["performance_by_game"]
    if not rows:
        return empty(figure, "no game was found")
    values = held["rally_stop"].values - held["rally_start"].values
    medians = [_median(values[held["rally_game"].values == row["game_number"]]) for row in rows]
    names = [str(row["game_number"]) for row in rows]
    figure.add_bar(x=names, y=medians, name="median rally, s", marker={"color": BLUE})
    heart = [row["avg_hr"] for row in rows]
    if any(beat is not None for beat in heart):
        look = {"color": RED, "dash": "dot"}
        figure.add_scatter(x=names, y=heart, name="heart rate, bpm", yaxis="y2", line=look, mode="lines+markers")
        second_axis(figure, "bpm")
    figure.update_xaxes(type="category")
    shown = [
        f"game {name}: {'no rally' if value is None else f'{value:.0f} s'}"
        for name, value in zip(names, medians, strict=True)
    ]
    return told(figure, "; ".join(shown))


def _median(values: Any) -> float | None:
    return round(float(np.median(values)), 1) if len(values) else None


def score(document: Mapping[str, Any]) -> Figure:
    """Both scores, point by point, game by game."""
    figure = blank("Score", "rally", "points in the game", 300)
    mine, theirs, x = list[int | None](), list[int | None](), list[int | None]()
    game, me, opponent = None, 0, 0
    for rally in _decided(document):
        if rally["game"] != game:
            x, mine, theirs = [*x, None], [*mine, None], [*theirs, None]
            game, me, opponent = rally["game"], 0, 0
        me, opponent = me + (rally["winner"] == "me"), opponent + (rally["winner"] == "opponent")
        x.append(rally["number"])
        mine.append(me)
        theirs.append(opponent)
    if not x:
        return empty(figure, NO_POINTS)
    for name, values, colour, dash, symbol in (
        ("you", mine, BLUE, "solid", "circle"),
        ("opponent", theirs, ORANGE, "dot", "square-open"),
    ):
        look = {"color": colour, "shape": "hv", "dash": dash}
        marker = {"size": 5, "symbol": symbol}
        figure.add_scatter(x=x, y=values, mode="lines+markers", line=look, marker=marker, name=name)
    ends = [f"{game['score']['me']}–{game['score']['opponent']}" for game in document["games"] if game["score"]]
    return told(figure, f"games {', '.join(ends)}" if ends else "the games' scores are not known")


def _decided(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [rally for rally in document["rallies"] if rally["winner"] is not None]


def momentum(document: Mapping[str, Any]) -> Figure:
    """Points won minus points lost, rally by rally, broken at each game."""
    figure = blank("Momentum", "rally", "points ahead in the game", 300)
    x, y = list[int | None](), list[int | None]()
    game, ahead = None, 0
    for rally in _decided(document):
        if rally["game"] != game:
            x, y, game, ahead = [*x, None], [*y, None], rally["game"], 0
        ahead += 1 if rally["winner"] == "me" else -1
        x.append(rally["number"])
        y.append(ahead)
    if not x:
        return empty(figure, NO_POINTS)
    look = {"color": BLUE, "shape": "hv"}
    figure.add_scatter(x=x, y=y, mode="lines+markers", line=look, marker={"size": 5}, name="ahead")
    figure.add_hline(y=0, line={"color": GREY, "width": 1})
    figure.update_layout(showlegend=False)
    known = [value for value in y if value is not None]
    return told(figure, f"at most {max(known)} ahead, at worst {-min(min(known), 0)} behind")
