"""Two analyses of a session beside each other in time."""

from collections.abc import Mapping, Sequence
from typing import Any

from squashlib.changes import counts
from squashlib.plot.figure import Figure
from squashlib.plot.style import BLUE, GREEN, ORANGE, RED, blank, empty, minutes, told

#: Colour and pattern of each kind of change.
LOOKS = {"stayed": (BLUE, ""), "moved": (ORANGE, "x"), "new": (GREEN, "/"), "gone": (RED, "\\")}


def timeline(rallies: Sequence[Mapping[str, Any]]) -> Figure:
    """Rallies before and after, one line each; `rallies` as `squashlib.changes.rallies` gives them."""
    figure = blank("Rallies before and after", "minutes", "", 260)
    if not rallies:
        return empty(figure, "no rally was found, before or after")
    for kind, (colour, shape) in LOOKS.items():
        rows = [
            (side, one[side]) for one in rallies if one["kind"] == kind for side in ("before", "after") if one[side]
        ]
        if rows:
            pattern = {"shape": shape, "fillmode": "overlay", "fgcolor": "rgba(255,255,255,0.85)", "size": 6}
            figure.add_bar(
                orientation="h",
                y=[side for side, _ in rows],
                base=minutes([place["start_s"] for _, place in rows]).tolist(),
                x=minutes([place["end_s"] - place["start_s"] for _, place in rows]).tolist(),
                name=kind,
                marker={"color": colour, "pattern": pattern},
                customdata=[[place["number"], round(place["end_s"] - place["start_s"], 1)] for _, place in rows],
                hovertemplate="rally %{customdata[0]}: %{customdata[1]} s<extra></extra>",
            )
    figure.update_layout(barmode="overlay", hovermode="closest", bargap=0.3)
    figure.update_yaxes(categoryorder="array", categoryarray=["after", "before"])
    return told(figure, ", ".join(f"{count} {kind}" for kind, count in counts(rallies).items()))
