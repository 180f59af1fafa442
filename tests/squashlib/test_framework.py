"""Detectors run after what they require, and what is known is not computed again."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import xarray as xr

from squashlib.detectors.framework import Context, Findings, MetricResult, MetricsFramework
from squashlib.session import build

SESSION = build({}, start_time=datetime(2026, 1, 1, tzinfo=UTC), duration_s=10)


@dataclass(frozen=True)
class Made:
    name: str
    requires: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    version: str = "1"

    def detect(self, context: Context) -> Findings:
        seen = sorted(context.groups)
        group = xr.Dataset(attrs={"seen": seen})
        return Findings(dict.fromkeys(self.provides, group), {self.name: MetricResult(len(seen), "1", 1.0)})


def framework(*detectors: Made) -> MetricsFramework:
    made = MetricsFramework()
    for detector in detectors:
        made.register_detector(detector)
    return made


def test_order_follows_requirements_whatever_the_order_of_registration() -> None:
    made = framework(Made("c", ("b", "a")), Made("b", ("a",), ("b",)), Made("a", (), ("a",)))
    assert [detector.name for detector in made.ordered()] == ["a", "b", "c"]
    assert {name: metric.value for name, metric in made.detect_all_metrics(SESSION).items()} == {"a": 0, "b": 1, "c": 2}


def test_known_findings_are_read_not_redone() -> None:
    known = {"a": Findings({"a": xr.Dataset(attrs={"kept": True})}, {})}
    found = framework(Made("a", (), ("a",)), Made("b", ("a",), ("b",))).run(SESSION, known=known)
    assert found["a"] is known["a"]
    assert found["b"].groups["b"].attrs["seen"] == ["a"]


def test_circles_and_missing_providers_are_named() -> None:
    with pytest.raises(ValueError, match="circle"):
        framework(Made("a", ("b",), ("a",)), Made("b", ("a",), ("b",))).ordered()
    with pytest.raises(ValueError, match="'nothing', which no detector provides"):
        framework(Made("a", ("nothing",))).ordered()


def test_the_same_name_replaces() -> None:
    made = framework(Made("a", version="1"), Made("a", version="2"))
    assert [detector.version for detector in made.ordered()] == ["2"]
