"""Detectors, what they find, and the order in which they run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, Protocol, runtime_checkable

import xarray as xr

from squashlib.athlete import Athlete
from squashlib.detectors.alive import alive
from squashlib.scoring import Point


@dataclass(frozen=True)
class MetricResult:
    """One figure: `value` None means that the data cannot tell, and `metadata["reason"]` says why."""

    value: float | int | list[float] | list[int] | None
    unit: str
    confidence: float
    metadata: Mapping[str, Any] = field(default_factory=dict)
    algorithm_version: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The metric as the JSON of `squash analyse` writes it."""
        return {
            "value": self.value,
            "unit": self.unit,
            "confidence": round(float(self.confidence), 4),
            "metadata": dict(self.metadata),
            "algorithm_version": self.algorithm_version,
        }


@dataclass(frozen=True)
class Context:
    """All that a detector may look at: the session, presses, the athlete, and what earlier detectors found."""

    session: xr.Dataset
    points: tuple[Point, ...]
    athlete: Athlete
    groups: Mapping[str, xr.Dataset]


@dataclass(frozen=True)
class Findings:
    """What a detector found: datasets by group name and metrics by name; `seconds` is how long it took."""

    groups: Mapping[str, xr.Dataset] = field(default_factory=dict)
    metrics: Mapping[str, MetricResult] = field(default_factory=dict)
    seconds: float | None = field(default=None, compare=False)


@runtime_checkable
class Detector(Protocol):
    """A frozen dataclass whose fields are the detector's parameters."""

    @property
    def name(self) -> str:
        """What it is called, unique in a framework."""

    @property
    def version(self) -> str:
        """Changes when its meaning does."""

    @property
    def requires(self) -> tuple[str, ...]:
        """Groups that must have been found before."""

    @property
    def provides(self) -> tuple[str, ...]:
        """Groups that it finds."""

    def detect(self, context: Context) -> Findings:
        """Look at the session."""


class MetricsFramework:
    """Registered detectors, run in the order that `requires` and `provides` demand."""

    def __init__(self) -> None:
        self._detectors: dict[str, Detector] = {}

    def register_detector(self, detector: Detector) -> None:
        """Add a detector; one of the same name is replaced."""
        self._detectors[detector.name] = detector

    def ordered(self) -> list[Detector]:
        """All detectors, each after those whose groups it requires.

        Raises
        ------
        ValueError
            If a required group is provided by none, or requirements run in a circle.
        """
        waiting, done, order = dict(self._detectors), set[str](), list[Detector]()
        offered = {group for detector in waiting.values() for group in detector.provides}
        while waiting:
            ready = [d for d in waiting.values() if all(g in done or g not in offered for g in d.requires)]
            if not ready:
                raise ValueError(f"detectors {', '.join(sorted(waiting))} require each other in a circle")
            for detector in ready:
                if missing := [g for g in detector.requires if g not in offered]:
                    raise ValueError(f"detector '{detector.name}' requires '{missing[0]}', which no detector provides")
                order.append(waiting.pop(detector.name))
                done.update(detector.provides)
        return order

    def run(
        self,
        session: xr.Dataset,
        points: Sequence[Point] = (),
        athlete: Athlete | None = None,
        known: Mapping[str, Findings] | None = None,
    ) -> dict[str, Findings]:
        """Findings by detector name; those in `known` are taken as they are and not computed again."""
        session, _ = alive(session)
        groups: dict[str, xr.Dataset] = {}
        findings: dict[str, Findings] = {}
        for detector in self.ordered():
            context = Context(session, tuple(points), athlete or Athlete(), dict(groups))
            began = perf_counter()
            found = (known or {}).get(detector.name) or replace(
                detector.detect(context), seconds=round(perf_counter() - began, 4)
            )
            findings[detector.name] = found
            groups.update(found.groups)
        return findings

    def detect_all_metrics(
        self, session: xr.Dataset, points: Sequence[Point] = (), athlete: Athlete | None = None
    ) -> dict[str, MetricResult]:
        """Every metric of every registered detector by name."""
        found = self.run(session, points, athlete)
        return {name: metric for findings in found.values() for name, metric in findings.metrics.items()}
