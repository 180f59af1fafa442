"""A report's page: its heading as people write dates, a frame for every figure that shows something."""

import nbformat

from squashlib import report
from squashlib.plot.figure import Figure
from squashlib.plot.style import blank, empty, told


def shown(*figures: Figure) -> str:
    """The page of a notebook that shows figures, its shared scripts left where they are served."""
    cells = [
        nbformat.v4.new_code_cell(
            "figure", outputs=[nbformat.v4.new_output("display_data", data={report.PLOTLY: dict(figure)})]
        )
        for figure in figures
    ]
    return report.page(nbformat.v4.new_notebook(cells=cells), "/static")


def test_a_figure_with_nothing_to_show_is_one_line() -> None:
    full = told(blank("Zones", "minutes", "zone").add_bar(x=[1], y=[2]), "two minutes")
    page = shown(full, empty(blank("Momentum", "rally", "points"), "no <points> were pressed"))
    assert page.count('<figure class="plot"') == 1
    assert 'aria-label="Zones: two minutes"' in page
    assert '<p class="missing">Momentum: no &lt;points&gt; were pressed</p>' in page


def test_the_heading_names_day_and_watch() -> None:
    session = {"sport": "squash", "start": "2025-10-02T18:01:09.500Z", "device": {"manufacturer": "Google", "name": 3}}
    when = '<time datetime="2025-10-02T18:01:09.500Z">Thursday 2 October 2025, 18:01 UTC</time>'
    assert report.title({"session": session}) == f"<h1>Squash</h1><p>{when} · Google 3</p>"
