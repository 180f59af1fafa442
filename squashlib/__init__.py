"""What a watch recorded on a squash court: decoded, detected, explained.

Names are imported when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from squashlib.analysis import Analysis as Analysis
    from squashlib.analysis import analyse as analyse
    from squashlib.athlete import Athlete as Athlete
    from squashlib.decode import decode as decode
    from squashlib.detectors.framework import MetricResult as MetricResult
    from squashlib.detectors.framework import MetricsFramework as MetricsFramework
    from squashlib.detectors.rallies import RallyDetector as RallyDetector
    from squashlib.detectors.strokes import StrokeDetector as StrokeDetector
    from squashlib.errors import DecodeError as DecodeError
    from squashlib.errors import NotFoundError as NotFoundError
    from squashlib.errors import SchemaError as SchemaError
    from squashlib.errors import SquashError as SquashError
    from squashlib.intervals import Intervals as Intervals
    from squashlib.simulate import simulate as simulate
    from squashlib.simulate.fit_writer import write_fit as write_fit

_HOMES = {
    "Analysis": "squashlib.analysis",
    "analyse": "squashlib.analysis",
    "Athlete": "squashlib.athlete",
    "MetricResult": "squashlib.detectors.framework",
    "MetricsFramework": "squashlib.detectors.framework",
    "RallyDetector": "squashlib.detectors.rallies",
    "StrokeDetector": "squashlib.detectors.strokes",
    "DecodeError": "squashlib.errors",
    "NotFoundError": "squashlib.errors",
    "SchemaError": "squashlib.errors",
    "SquashError": "squashlib.errors",
    "Intervals": "squashlib.intervals",
    "write_fit": "squashlib.simulate.fit_writer",
}
#: Packages that are called by their own name: `squashlib.decode(path)`, `squashlib.simulate(seed)`.
_CALLED = ("decode", "simulate")

__all__ = ["Analysis", "Athlete", "DecodeError", "Intervals", "MetricResult", "MetricsFramework"]
__all__ += ["NotFoundError", "RallyDetector", "SchemaError", "SquashError", "StrokeDetector"]
__all__ += ["analyse", "decode", "simulate", "write_fit"]


def __getattr__(name: str) -> Any:
    if name in _CALLED:
        return import_module(f"squashlib.{name}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'squashlib' has no attribute {name!r}")
