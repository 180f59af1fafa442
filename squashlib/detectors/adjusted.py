"""The rally detector with four screws: an example of a new detector in one file, and a yardstick for sweeps."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from squashlib.detectors.framework import Context, Findings
from squashlib.detectors.rallies import RallyDetector

LEAST_S = 0.5  # no rally gets shorter than this when its ends are moved


def _screw(default: float, low: float, high: float, step: float, meaning: str) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "step": step, "meaning": meaning})


@dataclass(frozen=True)
class AdjustedRallies:
    """What `RallyDetector` finds, without what is short or unsure, and with moved ends."""

    least_confidence: float = _screw(0.0, 0.0, 1.0, 0.05, "rallies less sure than this are dropped")
    shortest_s: float = _screw(0.0, 0.0, 10.0, 0.5, "rallies shorter than this are dropped, s")
    start_earlier_s: float = _screw(0.0, -2.0, 2.0, 0.1, "starts are moved ahead by this, s")
    stop_later_s: float = _screw(0.0, -2.0, 2.0, 0.1, "ends are moved back by this, s")

    name: ClassVar[str] = "rallies"
    version: ClassVar[str] = "1"
    requires: ClassVar[tuple[str, ...]] = RallyDetector.requires
    provides: ClassVar[tuple[str, ...]] = RallyDetector.provides

    def detect(self, context: Context) -> Findings:
        """Run the rally detector, then adjust; with nothing found there is nothing to adjust."""
        found = RallyDetector().detect(context)
        rallies = found.groups["rallies"]
        if not rallies.sizes["rally"]:
            return found
        return Findings({**found.groups, "rallies": self._adjusted(rallies)}, found.metrics)

    def _adjusted(self, rallies: xr.Dataset) -> xr.Dataset:
        lengths = rallies["rally_stop"].values - rallies["rally_start"].values
        kept = rallies.isel(
            rally=(rallies["rally_confidence"].values >= self.least_confidence) & (lengths >= self.shortest_s)
        )
        start, stop = kept["rally_start"].values, kept["rally_stop"].values
        before = np.concatenate(([0.0], stop[:-1]))
        after = np.concatenate((start[1:], [np.inf]))
        moved = np.clip(start - self.start_earlier_s, (before + start) / 2, stop - LEAST_S)
        ended = np.clip(stop + self.stop_later_s, moved + LEAST_S, np.maximum((stop + after) / 2, moved + LEAST_S))
        return kept.assign(
            rally_start=kept["rally_start"].copy(data=moved), rally_stop=kept["rally_stop"].copy(data=ended)
        )
