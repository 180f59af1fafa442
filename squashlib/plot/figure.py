"""A figure as plotly.js draws it: plain JSON, made twenty times faster than by plotly's Python objects.

They check every property that is set; for our own figures the tests do, once. `plotly.graph_objects.Figure(figure)` is
the same figure as such an object, to go on with in a notebook; methods have the names that they have there.
"""

from typing import Any, Self

from squashlib.report import PLOTLY


class Figure(dict[str, Any]):
    """`data`, a list of traces, and `layout`; notebooks and pages draw it."""

    def __init__(self, **layout: Any) -> None:
        super().__init__(data=[], layout={"template": {}, **layout})

    @property
    def data(self) -> list[dict[str, Any]]:
        """The traces."""
        traces: list[dict[str, Any]] = self["data"]
        return traces

    @property
    def layout(self) -> dict[str, Any]:
        """All but the traces."""
        layout: dict[str, Any] = self["layout"]
        return layout

    def add_scatter(self, **trace: Any) -> Self:
        """Add points or lines."""
        self.data.append({"type": "scatter", **trace})
        return self

    def add_bar(self, **trace: Any) -> Self:
        """Add bars."""
        self.data.append({"type": "bar", **trace})
        return self

    def add_shape(self, **shape: Any) -> Self:
        """Add a rectangle or line."""
        self.layout.setdefault("shapes", []).append(shape)
        return self

    def add_annotation(self, **note: Any) -> Self:
        """Add words."""
        self.layout.setdefault("annotations", []).append(note)
        return self

    def add_hline(self, y: float, **look: Any) -> Self:
        """Add a line from edge to edge."""
        return self.add_shape(type="line", xref="x domain", yref="y", x0=0, x1=1, y0=y, y1=y, **look)

    def add_vline(self, x: float, **look: Any) -> Self:
        """Add a line from bottom to top."""
        return self.add_shape(type="line", xref="x", yref="y domain", y0=0, y1=1, x0=x, x1=x, **look)

    def add_vrect(self, x0: float, x1: float, **look: Any) -> Self:
        """Add a band from bottom to top."""
        return self.add_shape(type="rect", xref="x", yref="y domain", y0=0, y1=1, x0=x0, x1=x1, **look)

    def update_layout(self, **layout: Any) -> Self:
        """Set parts of the layout; parts of parts are kept."""
        _merge(self.layout, layout)
        return self

    def update_xaxes(self, **axis: Any) -> Self:
        """Set parts of the horizontal axis."""
        return self.update_layout(xaxis=axis)

    def update_yaxes(self, **axis: Any) -> Self:
        """Set parts of the left axis."""
        return self.update_layout(yaxis=axis)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {PLOTLY: {"data": self.data, "layout": self.layout}, "text/plain": self._words()}

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self._words())  # not all its numbers, as IPython writes a dict: that took longer than the figure

    def _words(self) -> str:
        return str(self.layout.get("meta", {}).get("alt", "a figure"))


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value
