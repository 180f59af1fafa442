"""Trials: detectors on labelled sessions, scored, kept as leaderboard rows, and compared session by session."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import UTC, datetime
from typing import Any, cast

import numpy as np
import pandas as pd
import xarray as xr

from squashlib.analysis import Analysis, analyse, default_framework, version_of
from squashlib.athlete import Athlete
from squashlib.detectors.framework import Detector, MetricsFramework
from squashlib.evaluate import Comparison, compare, summarise
from squashlib.fingerprint import content_hash, detector_fingerprint
from squashlib.scoring import Point
from squashlib.session import iso

SCHEMA = "squash-leaderboard/1"
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Case:
    """A labelled session: `truth` is `squash-truth/1`; `labelled_by` names the label set and its version."""

    name: str
    session: xr.Dataset
    truth: Mapping[str, Any]
    points: tuple[Point, ...] = ()
    athlete: Athlete = field(default_factory=Athlete)
    labelled_by: str = "simulator v1"


@dataclass(frozen=True)
class Trial:
    """One algorithm on one data set."""

    algorithm: str
    framework: MetricsFramework
    cases: tuple[Case, ...]
    analyses: tuple[Analysis, ...]
    comparisons: tuple[Comparison, ...]

    @property
    def scores(self) -> dict[str, Any]:
        """Every figure with its interval by bootstrap over sessions, of `squashlib.evaluate.summarise`."""
        return summarise(self.comparisons)

    @property
    def each(self) -> dict[str, dict[str, float | None]]:
        """A few figures of every session."""
        return {case.name: session_scores(c) for case, c in zip(self.cases, self.comparisons, strict=True)}


def with_detector(*detectors: Detector) -> MetricsFramework:
    """The default detectors, with these registered: one of the same name takes the old one's place."""
    framework = default_framework()
    for detector in detectors:
        framework.register_detector(detector)
    return framework


def simulated_cases(seeds: Iterable[int], **arguments: Any) -> tuple[Case, ...]:
    """Simulated matches as labelled sessions; arguments as for `squashlib.simulate`."""
    from squashlib.simulate import simulate

    matches = [(seed, simulate(seed, **arguments)) for seed in seeds]
    return tuple(Case(f"simulated {seed}", match.session, match.truth) for seed, match in matches)


def run(
    cases: Sequence[Case], framework: MetricsFramework | None = None, name: str = "", tell: Tell | None = None
) -> Trial:
    """Analyse every case and score it; `tell` hears how many of how many are done.

    Raises
    ------
    ValueError
        If there is no case.
    """
    if not cases:
        raise ValueError("there is no labelled session, must be at least one; label some in label_rallies.ipynb")
    used = framework or default_framework()
    analyses, comparisons = [], []
    for i, case in enumerate(cases, 1):
        analysis = analyse(case.session, case.points, case.athlete, framework=framework)
        analyses.append(analysis)
        comparisons.append(compare(case.truth, analysis.to_dict()))
        if tell:
            tell(i, len(cases))
    return Trial(name or algorithm_of(used), used, tuple(cases), tuple(analyses), tuple(comparisons))


def algorithm_of(framework: MetricsFramework) -> str:
    """What finds the rallies, by the name of its class."""
    return next(type(d).__name__ for d in framework.ordered() if "rallies" in d.provides)


def parameters_of(framework: MetricsFramework) -> dict[str, dict[str, Any]]:
    """Parameters of each detector that has any."""
    held = {d.name: asdict(cast("Any", d)) for d in framework.ordered() if is_dataclass(d)}
    return {name: values for name, values in held.items() if values}


def session_scores(c: Comparison) -> dict[str, float | None]:
    """Figures of one session; null where it cannot tell."""
    edge = c.boundary_error_s
    values = {
        "rally_f1_iou_0.5": c.rallies[0.5].f1,
        "rally_f1_iou_0.75": c.rallies[0.75].f1,
        "boundary_error_s": float(np.median(edge)) if len(edge) else np.nan,
        "count_error": c.count[1] - c.count[0],
        "games_f1_iou_0.8": c.games.f1 if c.games else np.nan,
        "stroke_f1_within_0.25_s": c.strokes[0.25].f1 if c.strokes else np.nan,
    }
    return {name: round(float(value), 4) if np.isfinite(value) else None for name, value in values.items()}


def to_row(trial: Trial, data_set: str) -> dict[str, Any]:
    """The trial as a leaderboard row, `squash-leaderboard/1`: all that is needed to make it again and to doubt it."""
    return {
        "schema": SCHEMA,
        "time": iso(datetime.now(UTC)),
        "algorithm": trial.algorithm,
        "algorithm_version": version_of(trial.framework),
        "fingerprints": {d.name: detector_fingerprint(d) for d in trial.framework.ordered()},
        "parameters": parameters_of(trial.framework),
        "data_set": {"name": data_set, "hash": data_hash(trial.cases)[:16], "sessions": len(trial.cases)},
        "label_set": {"by": sorted({case.labelled_by for case in trial.cases}), "hash": label_hash(trial.cases)[:16]},
        "scores": trial.scores,
        "sessions": trial.each,
    }


def data_hash(cases: Sequence[Case]) -> str:
    """Hash of what was measured in every case."""
    return content_hash([(case.name, _measured(case.session)) for case in cases])


def _measured(session: xr.Dataset) -> dict[str, str]:
    return {
        str(name): content_hash(session[name].values.tobytes().hex()) for name in sorted(map(str, session.variables))
    }


def label_hash(cases: Sequence[Case]) -> str:
    """Hash of what is held to be true of every case."""
    return content_hash([(case.name, case.truth) for case in cases])


def differences(one: Mapping[str, Any], two: Mapping[str, Any], figure: str = "rally_f1_iou_0.75") -> pd.DataFrame:
    """Sessions of two leaderboard rows side by side, those that differ most first.

    Raises
    ------
    ValueError
        If the rows share no session.
    """
    shared = one["sessions"].keys() & two["sessions"].keys()
    if not shared:
        raise ValueError(f"'{one['algorithm']}' and '{two['algorithm']}' share no session; run both on one data set")
    rows = [(name, one["sessions"][name][figure], two["sessions"][name][figure]) for name in sorted(shared)]
    table = pd.DataFrame(rows, columns=["session", "first", "second"]).set_index("session").astype(float)
    table["difference"] = table["second"] - table["first"]
    return table.sort_values("difference", key=lambda x: -x.abs())
