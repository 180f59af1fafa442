"""Detect and explain: from a session, presses and the athlete to events, figures and insights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from squashlib import session as sessions
from squashlib.athlete import Athlete
from squashlib.corrections import Corrected, Correction, corrected_points, parse_corrections
from squashlib.detectors.framework import Findings, MetricResult, MetricsFramework
from squashlib.detectors.heart import HeartDetector
from squashlib.detectors.match import MatchDetector, kind_spans
from squashlib.detectors.quality import assess
from squashlib.detectors.rallies import RallyDetector
from squashlib.detectors.strokes import StrokeDetector
from squashlib.detectors.swings import SwingDetector
from squashlib.dual_scoring import settle
from squashlib.fingerprint import algorithm_fingerprint
from squashlib.game_numbers import numbered
from squashlib.insights import explain
from squashlib.schema import WINNERS
from squashlib.scoring import Point, parse_points

SCHEMA = "squash-analysis/1"
RELEASE = "2026.1"


def default_framework() -> MetricsFramework:
    """The detectors of a squash session."""
    framework = MetricsFramework()
    for detector in (SwingDetector(), RallyDetector(), StrokeDetector(), MatchDetector(), HeartDetector()):
        framework.register_detector(detector)
    return framework


@cache
def algorithm_version() -> str:
    """Release and the first digits of the fingerprint of all code behind a result."""
    return version_of(default_framework())


def version_of(framework: MetricsFramework) -> str:
    """The same of any detectors."""
    return f"{RELEASE}+{algorithm_fingerprint(framework)[:12]}"


@dataclass(frozen=True)
class Analysis:
    """What was found in a session; `findings` by detector, everything else read from them."""

    session: xr.Dataset
    points: tuple[Point, ...]
    athlete: Athlete
    findings: Mapping[str, Findings]
    insights: Mapping[str, Any]
    quality: Mapping[str, Any]
    algorithm_version: str

    @property
    def groups(self) -> dict[str, xr.Dataset]:
        """Events by group name."""
        return {name: group for found in self.findings.values() for name, group in found.groups.items()}

    @property
    def metrics(self) -> dict[str, MetricResult]:
        """Figures by name."""
        return {name: metric for found in self.findings.values() for name, metric in found.metrics.items()}

    @property
    def rallies(self) -> xr.Dataset:
        """Rallies, dim `rally`."""
        return self.groups["rallies"]

    @property
    def games(self) -> xr.Dataset:
        """Games, dim `game`."""
        return self.groups["games"]

    @property
    def strokes(self) -> xr.Dataset:
        """Own strokes, dim `stroke`."""
        return self.groups["strokes"]

    def to_dict(self) -> dict[str, Any]:
        """The document `squash-analysis/1`."""
        return to_document(self)

    def write(self, target: str | Path) -> None:
        """Write the session with its events as groups beside, one Zarr."""
        sessions.write(self.session, target)
        for name, group in self.groups.items():
            sessions.write(group, target, group=name)


def analyse(
    session: xr.Dataset,
    points: Sequence[Mapping[str, Any]] | Sequence[Point] | None = None,
    athlete: Athlete | None = None,
    known: Mapping[str, Findings] | None = None,
    framework: MetricsFramework | None = None,
    corrections: Sequence[Mapping[str, Any]] | Sequence[Correction] = (),
) -> Analysis:
    """Detect and explain.

    Parameters
    ----------
    session
        As `squashlib.decode` gives it.
    points
        Presses: `Point`s, or items of the wire form of `POST /api/sessions/{id}/points`. None takes those that the
        recording itself holds.
    athlete
        Settings as they were on the day; None is an athlete of whom nothing is known.
    known
        Findings by detector that are still valid; they are read, not computed again.
    framework
        Other detectors than the default ones, to be tried out.
    corrections
        What the player says was otherwise: `Correction`s, or items with `start`, `end` and `what`.

    Raises
    ------
    ValueError
        If a point has no time or an impossible winner.
    """
    said = _said(session, corrections)
    presses = corrected_points(numbered(_presses(session, points)), said)
    person = athlete or Athlete()
    findings = _framework(framework or default_framework(), said).run(session, presses, person, known)
    version = version_of(framework) if framework else algorithm_version()
    findings = {name: _stamped(found, version) for name, found in findings.items()}
    groups = {name: group for found in findings.values() for name, group in found.groups.items()}
    metrics = {name: metric for found in findings.values() for name, metric in found.metrics.items()}
    insights = explain(session, groups, metrics, presses, person) | {"algorithm_version": version}
    quality = assess(session, groups["rallies"].attrs.get("doubts", ()))
    return Analysis(session, presses, person, findings, insights, quality, version)


def _framework(framework: MetricsFramework, said: tuple[Correction, ...]) -> MetricsFramework:
    """The same detectors, that of rallies corrected."""
    if not said:
        return framework
    corrected = MetricsFramework()
    for detector in framework.ordered():
        corrected.register_detector(Corrected(detector, said) if "rallies" in detector.provides else detector)
    return corrected


def _said(session: xr.Dataset, corrections: Sequence[Any]) -> tuple[Correction, ...]:
    if all(isinstance(one, Correction) for one in corrections):
        return tuple(corrections)
    return parse_corrections(corrections, sessions.start_of(session))


def _stamped(found: Findings, version: str) -> Findings:
    metrics = {name: replace(metric, algorithm_version=version) for name, metric in found.metrics.items()}
    return replace(found, metrics=metrics)


def _presses(session: xr.Dataset, points: Sequence[Any] | None) -> tuple[Point, ...]:
    if points is None:
        return recorded_points(session)
    if all(isinstance(point, Point) for point in points):
        return tuple(sorted(points, key=lambda point: point.time_s))
    counting = [press for press, verdict in zip(points, settle(points), strict=True) if verdict.counts]
    return tuple(parse_points(counting, sessions.start_of(session)))


def recorded_points(session: xr.Dataset) -> tuple[Point, ...]:
    """The presses that a recording itself holds."""
    if "point" not in session.sizes:
        return ()
    found = []
    for i in range(session.sizes["point"]):
        row = session.isel(point=i)
        winner = WINNERS[int(row["point_winner"])]
        found.append(
            Point(
                float(row["point_time"]),
                None if winner == "unknown" else winner,  # type: ignore[arg-type]
                _whole(row["point_score_me"]),
                _whole(row["point_score_opponent"]),
                _whole(row["point_game"]),
                bool(row["point_is_let"]),
                "recording",
            )
        )
    return tuple(found)


def _whole(value: Any) -> int | None:
    number = float(value)
    return None if np.isnan(number) else round(number)


def _number(value: Any, digits: int = 3) -> float | None:
    number = float(value)
    return None if np.isnan(number) else round(number, digits)


def to_document(analysis: Analysis) -> dict[str, Any]:
    """`squash-analysis/1` of an analysis: times ISO 8601, what is not known null."""
    session, groups = analysis.session, analysis.groups
    described = sessions.describe(session)
    segments, rallies = groups["segments"], groups["rallies"]
    count = rallies.sizes["rally"]
    return {
        "schema": SCHEMA,
        "algorithm_version": analysis.algorithm_version,
        "session": {name: described[name] for name in ("start", "end", "duration_s", "sport", "device", "streams")},
        "quality": dict(analysis.quality),
        "warmup": _edge(session, segments, "warmup"),
        "cooldown": _edge(session, segments, "cooldown"),
        "games": [_game(session, groups["games"], i) for i in range(groups["games"].sizes["game"])],
        "rallies": _rallies(session, rallies),
        "rally_count": {
            "estimate": count,
            "low": int(rallies.attrs.get("count_low", count)),
            "high": int(rallies.attrs.get("count_high", count)),
            "level": rallies.attrs.get("count_level", 0.9),
        },
        "strokes": _strokes(session, groups["strokes"]),
        "metrics": {name: metric.to_dict() for name, metric in sorted(analysis.metrics.items())},
        "insights": dict(analysis.insights),
    }


def _edge(session: xr.Dataset, segments: xr.Dataset, kind: str) -> dict[str, Any] | None:
    spans = kind_spans(segments, kind)
    if not spans:
        return None
    start, stop, sure = max(spans, key=lambda span: span[1] - span[0])
    return {"start": sessions.at(session, start), "end": sessions.at(session, stop), "confidence": round(sure, 3)}


def _game(session: xr.Dataset, games: xr.Dataset, i: int) -> dict[str, Any]:
    me, opponent = _whole(games["game_score_me"][i]), _whole(games["game_score_opponent"][i])
    return {
        "number": i + 1,
        "start": sessions.at(session, float(games["game_start"][i])),
        "end": sessions.at(session, float(games["game_stop"][i])),
        "confidence": _number(games["game_confidence"][i]),
        "score": None if me is None or opponent is None else {"me": me, "opponent": opponent},
    }


def _rallies(session: xr.Dataset, rallies: xr.Dataset) -> list[dict[str, Any]]:
    columns = {str(name): values.values for name, values in rallies.data_vars.items()}
    return [
        _rally(session, {name: column[i] for name, column in columns.items()}, i + 1)
        for i in range(rallies.sizes["rally"])
    ]


def _rally(session: xr.Dataset, values: Mapping[str, Any], number: int) -> dict[str, Any]:
    winner = WINNERS[int(values["rally_winner"])]
    return {
        "number": number,
        "game": int(values["rally_game"]),
        "start": sessions.at(session, values["rally_start"]),
        "end": sessions.at(session, values["rally_stop"]),
        "confidence": _number(values["rally_confidence"]),
        "strokes": _whole(values["rally_strokes"]),
        "hr_mean": _number(values["rally_hr_mean"], 1),
        "hr_peak": _number(values["rally_hr_peak"], 1),
        "winner": None if winner == "unknown" else winner,
    }


def _strokes(session: xr.Dataset, strokes: xr.Dataset) -> list[dict[str, Any]]:
    sides = (None, "forehand", "backhand")
    times = sessions.times_at(session, strokes["stroke_time"].values)
    columns = (strokes[name].values for name in ("stroke_confidence", "stroke_side"))
    return [
        {"time": time, "confidence": _number(sure), "side": sides[int(side)]}
        for time, sure, side in zip(times, *columns, strict=True)
    ]
