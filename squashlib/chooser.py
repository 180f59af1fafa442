"""A widget to choose with: a list, a picture to click in, and figures that follow; in dashboards and in JupyterLab."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import anywidget
import ipywidgets
import traitlets

from squashlib.plot.figure import Figure


@dataclass(frozen=True)
class Shown:
    """What belongs to a choice: words as HTML, and figures."""

    html: str = ""
    figures: Sequence[Figure] = ()


class Chooser(anywidget.AnyWidget):
    """The widget's state as the page sees it; made by `chooser`."""

    _esm = files("squashlib").joinpath("page/chooser.js").read_text()
    label = traitlets.Unicode().tag(sync=True)
    choices: Any = traitlets.List().tag(sync=True)
    chosen = traitlets.Unicode().tag(sync=True)
    steps = traitlets.Bool(False).tag(sync=True)
    picture = traitlets.Dict().tag(sync=True)
    figures: Any = traitlets.List().tag(sync=True)
    html = traitlets.Unicode().tag(sync=True)


def chooser(
    label: str,
    choices: Sequence[tuple[str, str]],
    show: Callable[[str], Shown],
    *,
    chosen: str | None = None,
    picture: Figure | None = None,
    steps: bool = False,
) -> Chooser:
    """A list of choices that shows what `show` makes of the chosen one.

    Parameters
    ----------
    choices
        Value and label of each; values outside the list are not shown, whatever a page sends.
    picture
        A figure in which a click chooses, by the x of what was clicked.
    steps
        Whether there are buttons for the one before and the one after.
    """
    ipywidgets.register_comm_target()  # a forked kernel has imported it before it was a kernel
    known = {value for value, _ in choices}
    listed = [{"value": value, "label": text} for value, text in choices]
    first = chosen if chosen is not None else choices[0][0]
    made = Chooser(
        label=label, choices=listed, chosen=first, steps=steps, picture=_wire(picture), **_state(show(first))
    )

    def follow(change: Any) -> None:
        if change["new"] in known:
            with made.hold_sync():
                for name, value in _state(show(change["new"])).items():
                    setattr(made, name, value)

    made.observe(follow, names="chosen")
    return made


def _state(shown: Shown) -> dict[str, Any]:
    return {"html": shown.html, "figures": [_wire(figure) for figure in shown.figures]}


def _wire(figure: Figure | None) -> dict[str, Any]:
    return {} if figure is None else dict(figure)
