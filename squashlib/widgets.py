"""Labelling half a million samples of many channels, in JupyterLab and Voilà; sliders for a detector."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import numpy as np
import plotly.graph_objects as go
import traitlets
import xarray as xr
from IPython.display import display

from squashlib.labels import KINDS, MOMENTS, Label, LabelSet
from squashlib.plot.figure import Figure
from squashlib.pyramid import Channel

FILES = Path(__file__).parent / "widget"
#: Okabe and Ito's, safe for colour-blind eyes.
COLOURS = {
    "rally": "#E69F00",
    "rest": "#56B4E9",
    "game": "#0072B2",
    "warmup": "#CC79A7",
    "game_break": "#8a8f98",
    "cooldown": "#b39ddb",
    "other": "#b0a060",
    "stroke": "#D55E00",
    "let": "#009E73",
    "point": "#222222",
}
#: In the order of the keys 1, 2, 3 …: what is labelled most comes first.
ORDER = ("rally", "stroke", "let", "game", "rest", "point", "warmup", "game_break", "cooldown", "other")


def _module() -> str:
    return "\n".join((FILES / name).read_text(encoding="utf-8") for name in ("tiles.js", "labeller.js"))


class Labeller(anywidget.AnyWidget):
    """Signals with a label set on them; `label_set()` is what the person made of it.

    Python keeps the samples: the page gets a coarse picture at the start, and finer tiles of what it looks at.

    Parameters
    ----------
    channels
        What to draw, from top to bottom.
    labels
        The set to begin with.
    author
        Who labels.
    """

    _esm = _module()
    _css = FILES / "labeller.css"
    channels = traitlets.List(traitlets.Dict()).tag(sync=True)
    coarse = traitlets.Bytes().tag(sync=True)
    kinds = traitlets.List(traitlets.Dict()).tag(sync=True)
    labels = traitlets.List(traitlets.Dict()).tag(sync=True)
    view = traitlets.List(traitlets.Float()).tag(sync=True)
    duration_s = traitlets.Float().tag(sync=True)
    author = traitlets.Unicode().tag(sync=True)
    lane_height = traitlets.Int(64).tag(sync=True)

    def __init__(self, channels: Sequence[Channel], labels: LabelSet, author: str, *, lane_height: int = 64) -> None:
        if not channels:
            raise ValueError("there is no channel to show, must be at least one; see squashlib.widgets.channels_of")
        self._series = tuple(channels)
        self._base = labels
        coarse = [level for channel in channels for level in channel.levels[channel.coarse_from :]]
        super().__init__(
            channels=[_described(channel) for channel in channels],
            coarse=b"".join(level.tobytes() for level in coarse),
            kinds=[{"name": kind, "moment": kind in MOMENTS, "colour": COLOURS[kind]} for kind in ORDER],
            labels=labels.to_dict()["labels"],
            duration_s=float(max(channel.times[-1] for channel in channels if len(channel.times))),
            author=author,
            lane_height=lane_height,
        )
        self.on_msg(self._answer)

    def _answer(self, _widget: Any, message: Mapping[str, Any], _buffers: Any) -> None:
        if message.get("type") != "tiles":
            return
        found = [(c, level, n, self._series[c].tile(level, n)) for c, level, n in message["wanted"]]
        sent = {"type": "tiles", "tiles": [[c, level, n, tile.shape[1]] for c, level, n, tile in found]}
        self.send(sent, buffers=[b"".join(tile.tobytes() for *_, tile in found)])

    def label_set(self) -> LabelSet:
        """What is on the screen, as a set by this author made from the one that it began with."""
        return self._base.succeeded((Label(**label) for label in self.labels), self.author)

    def show(self, labels: LabelSet) -> None:
        """Put another set of the same session on the screen; undo brings the one before back."""
        if labels.session_id != self._base.session_id:
            raise ValueError(f"labels are of session '{labels.session_id}', must be of '{self._base.session_id}'")
        self._base = labels
        self.labels = labels.to_dict()["labels"]

    def look_at(self, start_s: float, stop_s: float) -> None:
        """Zoom to a span."""
        self.view = [float(start_s), float(stop_s)]


def _described(channel: Channel) -> dict[str, Any]:
    low, high = channel.range
    seen = channel.values[np.isfinite(channel.values)]
    return {
        "name": channel.name,
        "units": channel.units,
        "low": low,
        "high": high,
        "rest": float(np.median(seen)) if len(seen) else low,
        "step_s": channel.step_s,
        "bins": [level.shape[1] for level in channel.levels],
        "coarse_from": channel.coarse_from,
    }


def channels_of(session: xr.Dataset, groups: Mapping[str, xr.Dataset] | None = None) -> list[Channel]:
    """What one labels by: acceleration, rotation, heart rate; and, with `groups`, the rally's probability."""
    found = []
    for name, title, units, dim in (
        ("acceleration", "accel", "m/s²", "accel_time"),
        ("angular_velocity", "gyro", "rad/s", "gyro_time"),
    ):
        if session.sizes.get(dim, 0) > 1:
            values = session[name].values
            found += [
                Channel(f"{title} {axis}", units, session[dim].values, values[:, i]) for i, axis in enumerate("xyz")
            ]
    if session.sizes.get("hr_time", 0) > 1:
        found.append(Channel("heart rate", "bpm", session["hr_time"].values, session["heart_rate"].values))
    posterior = (groups or {}).get("posterior")
    if posterior is not None and posterior.sizes.get("posterior_time", 0) > 1:
        at = str(posterior["probability"].attrs["states"]).split().index("rally")
        found.append(
            Channel("P(rally)", "", posterior["posterior_time"].values, posterior["probability"].values[:, at])
        )
    return found


def saving(labeller: Labeller, save: Callable[[LabelSet], LabelSet], path: str | Path | None = None) -> ipywidgets.HBox:
    """A row of buttons: save to the store by `save`, which numbers the version, and as a file at `path`."""
    said = ipywidgets.HTML()
    to_store = ipywidgets.Button(description="Save in the store", icon="save", button_style="primary")

    def stored(_button: Any) -> None:
        kept = save(labeller.label_set())
        said.value = f"{len(kept.labels)} labels saved as version {kept.version} of {kept.author}"

    to_store.on_click(stored)
    row = [to_store]
    if path is not None:
        to_file = ipywidgets.Button(description="Save as a file", icon="download")

        def written(_button: Any) -> None:
            labeller.label_set().write(path)
            said.value = f"{len(labeller.labels)} labels written to {path}"

        to_file.on_click(written)
        row.append(to_file)
    return ipywidgets.HBox([*row, said])


def parameters(detector: Any, changed: Callable[[Any], Any]) -> ipywidgets.VBox:
    """A slider for each number and a box for each yes or no among the fields of any detector.

    Bounds are those of a field's `metadata` (`low`, `high`, `step`, `meaning`); without them up to twice the value.
    `changed` is called with a new detector at each change; what it returns is shown below.
    """
    given = {spec.name: (spec, getattr(detector, spec.name)) for spec in fields(detector) if spec.init}
    sliders = {
        name: _screw(spec, value) for name, (spec, value) in given.items() if isinstance(value, (bool, int, float))
    }

    def adjusted(*values: float) -> Any:
        return changed(replace(detector, **dict(zip(sliders, values, strict=True))))

    return _answering(list(sliders.values()), adjusted)


def _screw(spec: Field[Any], value: float) -> Any:
    """What turns one field."""
    look = {
        "description": spec.name,
        "tooltip": spec.metadata.get("meaning", ""),
        "style": {"description_width": "120px"},
        "layout": {"width": "480px"},
    }
    if isinstance(value, bool):
        return ipywidgets.Checkbox(value=value, **look)
    kind, step = (ipywidgets.IntSlider, 1) if isinstance(value, int) else (ipywidgets.FloatSlider, 0.05)
    low, high = spec.metadata.get("low", min(0, 2 * value)), spec.metadata.get("high", max(1, 2 * value))
    step = spec.metadata.get("step", step)
    return kind(value=value, min=low, max=high, step=step, continuous_update=False, **look)


def _answering(asked: Sequence[Any], changed: Callable[..., Any]) -> ipywidgets.VBox:
    """Inputs with what `changed` makes of their values below.

    No Output widget: nbclient may then miss the end of a cell (a reply that comes while it sends is not noticed).
    """
    inputs = ipywidgets.HBox(list(asked), layout={"flex_flow": "row wrap"})
    box = ipywidgets.VBox([inputs])

    def show(_change: Any = None) -> None:
        before = box.children[1:]
        box.children = (inputs, _shown(changed(*(each.value for each in asked))))
        for old in before:
            old.close()

    for each in asked:
        each.observe(show, "value")
    show()
    return box


def _shown(answer: Any) -> Any:
    """A figure as a widget, anything else as text."""
    if not isinstance(answer, go.Figure | Figure):
        return ipywidgets.Label(str(answer))
    return go.FigureWidget(answer).update_layout(autosize=True)


def progress(what: str) -> Callable[..., None]:
    """A bar that is displayed at once, and what tells it how many of how many are done (and the best value so far)."""
    bar = ipywidgets.IntProgress(description=what, style={"description_width": "initial"})
    said = ipywidgets.Label()
    display(ipywidgets.HBox([bar, said]))

    def tell(done: int, of: int, best: float | None = None) -> None:
        bar.max, bar.value = of, done
        said.value = f"{done} of {of}" + ("" if best is None else f", best {best:.4f}")

    return tell


def pick_two(rows: Sequence[Mapping[str, Any]], changed: Callable[[Any, Any], Any]) -> ipywidgets.VBox:
    """Two lists of leaderboard rows; `changed` is called with the two that are picked, what it returns is shown."""
    names = [f"{row['algorithm']} {row['algorithm_version'].split('+')[-1][:8]} · {row['id']}" for row in rows]
    options = [(name, i) for i, name in enumerate(names)]
    begin = (("first", 0), ("second", len(rows) - 1))
    picks = [ipywidgets.Dropdown(options=options, value=value, description=name) for name, value in begin]
    return _answering(picks, lambda first, second: changed(rows[first], rows[second]))


assert set(ORDER) == set(KINDS) == set(COLOURS), "every kind has a colour and a key"
