"""How every figure looks: Okabe and Ito's colours, which colour-blind eyes tell apart, and a pattern beside each."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from squashlib.plot.figure import Figure

BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#8a8f98"
ZONE_COLOURS = ("#9ecae1", "#56B4E9", "#009E73", "#E69F00", "#D55E00")
ZONE_NAMES = ("1 easy", "2 light", "3 steady", "4 hard", "5 maximal")
#: Who won a rally, by the code of `rally_winner`: name, colour, pattern of bars and symbol of points.
OUTCOMES = (
    ("no point known", GREY, ".", "circle-open"),
    ("won", GREEN, "", "triangle-up"),
    ("lost", RED, "/", "triangle-down-open"),
)
#: Pixels above the marks: title, legend, captions.
TOP = 74
GRID = "rgba(128,128,128,0.2)"
MAX_POINTS = 2000
#: A line is broken where samples are further apart than five usual steps, and at least this.
GAP_S = 5.0

Floats = npt.NDArray[np.float64]


def minutes(seconds: Any) -> Any:
    """Seconds as minutes, to a tenth of a second."""
    return np.round(np.asarray(seconds, np.float64) / 60, 3)


def blank(title: str, x: str, y: str, height: int = 320) -> Figure:
    """A figure without marks; the page gives colours for light and dark."""
    axis = {"gridcolor": GRID, "zeroline": False}
    return Figure(
        title={"text": title, "x": 0.01, "y": 1 - 12 / height, "yanchor": "top", "font": {"size": 16}},
        margin={"l": 48, "r": 12, "t": TOP, "b": 44},
        height=height,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 1 - 34 / height, "yref": "container", "yanchor": "top", "x": 0},
        hovermode="x unified",
        font={"family": "system-ui, sans-serif", "size": 13},
        xaxis={"title": {"text": x}, **axis},
        yaxis={"title": {"text": y}, "automargin": True, **axis},
    )


def told(figure: Figure, text: str) -> Figure:
    """The figure with what it shows in words, for those who do not see it."""
    figure.update_layout(meta={"alt": f"{figure.layout['title']['text']}: {text}"})
    return figure


def empty(figure: Figure, reason: str) -> Figure:
    """A figure that has nothing to show says why."""
    note = {"text": reason, "showarrow": False, "font": {"size": 15}}
    figure.add_annotation(x=0.5, y=0.5, xref="paper", yref="paper", **note)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.update_layout(height=160)
    told(figure, reason).update_layout(meta={"empty": reason})  # pages write it, without a figure
    return figure


def bars(code: int, opacity: Any = 1.0, *, scored: bool = True) -> dict[str, Any]:
    """The look of bars of an outcome: colour and pattern; plain where no rally has an outcome."""
    if not scored:
        return {"name": "rallies", "marker": {"color": BLUE, "opacity": opacity}}
    name, colour, shape, _ = OUTCOMES[code]
    pattern = {"shape": shape, "fillmode": "overlay", "fgcolor": "rgba(255,255,255,0.85)", "size": 6, "solidity": 0.3}
    return {"name": name, "marker": {"color": colour, "opacity": opacity, "pattern": pattern}}


def line(times: Floats, values: Floats, most: int = MAX_POINTS) -> tuple[list[float | None], list[float | None]]:
    """A series as a line of about `most` points: peaks are kept, and nothing is drawn where nothing was measured."""
    from tsdownsample import MinMaxLTTBDownsampler

    seen = ~np.isnan(values)
    times, values = np.ascontiguousarray(times[seen], np.float64), np.ascontiguousarray(values[seen], np.float64)
    if not len(times):
        return [], []
    usual = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    piece = np.concatenate(([0], np.cumsum(np.diff(times) > max(GAP_S, 5 * usual))))
    if len(times) > most:
        keep = MinMaxLTTBDownsampler().downsample(times, values, n_out=most)
        times, values, piece = times[keep], values[keep], piece[keep]
    x, y = list[float | None](), list[float | None]()
    for i, (time, value) in enumerate(zip(minutes(times).tolist(), np.round(values, 2).tolist(), strict=True)):
        if i and piece[i] != piece[i - 1]:
            x.append(None)
            y.append(None)
        x.append(time)
        y.append(value)
    return x, y


def second_axis(figure: Figure, title: str) -> None:
    """An axis at the right for what `yaxis="y2"` names."""
    axis = {"overlaying": "y", "side": "right", "title": {"text": title}, "showgrid": False, "tickformat": ".0f"}
    figure.update_layout(yaxis2=axis, margin={"r": 48})


def share(part: float, whole: float) -> str:
    """A share in words, `unknown` of nothing."""
    return f"{part / whole:.0%}" if whole else "unknown"


def plain(values: Sequence[Any] | npt.NDArray[Any], digits: int = 1) -> list[float | None]:
    """Numbers for JSON, NaN as null."""
    return [None if np.isnan(value) else round(float(value), digits) for value in np.asarray(values, np.float64)]
