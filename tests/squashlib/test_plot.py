"""Figures: peaks stay, gaps stay open, the unsure looks unsure, and each figure says itself in words."""

import json

import numpy as np
import plotly.graph_objects as go
import pytest

import squashlib
from squashlib import plot
from squashlib.analysis import Analysis
from squashlib.plot.figure import Figure
from squashlib.plot.style import OUTCOMES, line
from squashlib.sparkline import sparkline


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    match = squashlib.simulate(7, rate_hz=10)
    return squashlib.analyse(match.session, match.points)


def every(analysis: Analysis) -> list[go.Figure]:
    """Each as plotly's own object, which refuses properties that plotly.js does not know."""
    session, groups, document = analysis.session, analysis.groups, analysis.to_dict()
    figures = [
        plot.heart_rate(session, groups), plot.zones(document), plot.recovery(session, groups),
        plot.fatigue(document, groups), plot.rallies(groups), plot.lengths(groups), plot.outcome_by_length(document),
        plot.games(document, groups), plot.score(document), plot.momentum(document),
        *(plot.rally(session, groups, i + 1) for i in range(min(3, len(analysis.rallies["rally_start"])))),
    ]  # fmt: skip
    return [checked(figure) for figure in figures]


def checked(figure: Figure) -> go.Figure:
    """The figure as plotly's own object, which checks every property and changes none."""
    made = go.Figure(figure)
    plain = {name: {**figure[name]} if name == "layout" else figure[name] for name in figure}
    plain["layout"].pop("template")  # plotly's object has its own idea of an empty one
    written = json.loads(made.to_json())
    written["layout"].pop("template")
    assert written == json.loads(json.dumps(plain, allow_nan=False))
    return made


def test_a_peak_survives_thinning() -> None:
    times = np.arange(50_000.0)
    values = np.full(50_000, 120.0)
    values[31_337] = 199.0
    _, y = line(times, values)
    assert len(y) <= 2100
    assert max(value for value in y if value is not None) == 199.0


def test_nothing_is_drawn_where_nothing_was_measured() -> None:
    times = np.concatenate((np.arange(0.0, 100), np.arange(160.0, 260)))
    x, y = line(times, np.linspace(100, 150, 200))
    assert y.count(None) == 1
    at = y.index(None)
    assert x[at - 1] == round(99 / 60, 3)
    assert x[at + 1] == round(160 / 60, 3)


def test_every_figure_says_itself_in_words_and_holds_no_template(analysis: Analysis) -> None:
    for figure in every(analysis):
        title, alt = figure.layout.title.text, figure.layout.meta["alt"]
        assert alt.startswith(title)
        assert len(alt) > len(title) + 5
        assert len(figure.to_json()) < 60_000


def test_a_session_with_nothing_in_it_gives_reasons_not_errors() -> None:
    session = squashlib.simulate(1, rate_hz=10).session[["heart_rate"]].isel(hr_time=slice(0, 5))
    for figure in every(squashlib.analyse(session, [])):
        assert figure.layout.meta["alt"]


def test_without_points_bars_are_plain_and_frames_of_points_have_nothing_to_draw(analysis: Analysis) -> None:
    bare = squashlib.analyse(analysis.session, [])
    for figure in map(checked, (plot.rallies(bare.groups), plot.lengths(bare.groups))):
        assert [trace.marker.pattern.shape for trace in figure.data] == [None]
    assert not plot.momentum(bare.to_dict()).data
    assert not plot.outcome_by_length(bare.to_dict()).data


def test_outcomes_differ_without_their_colours(analysis: Analysis) -> None:
    shapes = {bar.name: bar.marker.pattern.shape for bar in checked(plot.rallies(analysis.groups)).data}
    assert len(set(shapes.values())) == len(shapes) >= 2
    assert len({symbol for *_, symbol in OUTCOMES}) == 3


def test_warm_up_and_points_are_marked_beside_heart_rate(analysis: Analysis) -> None:
    figure = checked(plot.heart_rate(analysis.session, analysis.groups))
    assert {"point won", "point lost"} <= {trace.name for trace in figure.data}
    assert "warm-up" in {note.text for note in figure.layout.annotations}


def test_the_less_sure_a_rally_the_fainter(analysis: Analysis) -> None:
    figure = checked(plot.heart_rate(analysis.session, analysis.groups))
    bands = next(trace for trace in figure.data if trace.name == "rally")
    sure = analysis.rallies["rally_confidence"].values
    assert np.argmin(bands.marker.opacity) == pytest.approx(np.argmin(sure.round(2)), abs=len(sure))
    assert np.corrcoef(bands.marker.opacity, sure)[0, 1] > 0.99


def test_a_game_without_rallies_has_no_median(analysis: Analysis) -> None:
    document, groups = analysis.to_dict(), dict(analysis.groups)
    groups["rallies"] = groups["rallies"].isel(rally=groups["rallies"]["rally_game"].values != 2)
    figure = checked(plot.games(document, groups))
    assert figure.data[0].y[1] is None
    assert "game 2: no rally" in figure.layout.meta["alt"]


def test_one_rally_from_near(analysis: Analysis) -> None:
    number = int(np.argmax(analysis.rallies["rally_strokes"].values)) + 1
    figure = checked(plot.rally(analysis.session, analysis.groups, number))
    names = {trace.name for trace in figure.data}
    assert {"motion", "own stroke", "heart rate, bpm"} <= names
    strokes = next(trace for trace in figure.data if trace.name == "own stroke")
    assert len(strokes.x) >= analysis.rallies["rally_strokes"].values[number - 1]


def test_a_stamp_leaves_gaps_and_stays_small() -> None:
    times = np.concatenate((np.arange(0.0, 600), np.arange(1800.0, 3600)))
    bpm = 120 + 40 * np.sin(times / 60)
    drawn = sparkline(times, bpm, [(10.0, 30.0), (40.0, 45.0)], 3600.0)
    assert drawn.count("<rect") == 2
    assert drawn.count("M") == 2
    assert len(drawn) < 8000
    assert "<path" not in sparkline(np.empty(0), np.empty(0), [], 3600.0)


def test_pages_draw_with_the_plotly_that_figures_are_made_for() -> None:
    """The bundle is the one that the Python package carries, of fewer kinds of figures."""
    from plotly.offline import get_plotlyjs_version

    from squashlib import report

    assert f"(basic - minified) v{get_plotlyjs_version()}".encode() in report.asset("plotly.min.js")[:200]


def test_a_notebook_tells_a_figure_in_words_and_not_all_its_numbers() -> None:
    from IPython.core.formatters import DisplayFormatter

    shown, _ = DisplayFormatter().format(Figure(meta={"alt": "Score: 11 to 9"}).add_bar(x=list(range(1000))))
    assert shown["text/plain"] == "Score: 11 to 9"
