"""Where a figure is heading: least squares over sessions, with an interval that says how sure that is."""

import math
from collections.abc import Sequence
from typing import Any

from squashlib.confidence import student90
from squashlib.statistics.played import Played


def trend(played: Sequence[Played], name: str) -> dict[str, Any]:
    """Change of a figure in 30 days: least squares over sessions, with its 90 % interval; null for fewer than three."""
    rows = [(one.start.timestamp() / 86_400, value) for one in played if (value := one.figure(name)) is not None]
    slope, half = _slope(rows)
    if slope is None or half is None:
        reason = f"{len(rows)} sessions on different days have it, 3 are needed"
        return {"change_per_30_days": None, "interval": None, "sessions": len(rows), "reason": reason}
    interval = [round(30 * (slope - half), 3), round(30 * (slope + half), 3)]
    return {"change_per_30_days": round(30 * slope, 3), "interval": interval, "sessions": len(rows), "reason": None}


def _slope(rows: Sequence[tuple[float, float]]) -> tuple[float | None, float | None]:
    n = len(rows)
    if n < 3:
        return None, None
    mean_x, mean_y = sum(x for x, _ in rows) / n, sum(y for _, y in rows) / n
    spread = sum((x - mean_x) ** 2 for x, _ in rows)
    if spread < 1e-9:
        return None, None
    slope = sum((x - mean_x) * (y - mean_y) for x, y in rows) / spread
    rest = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in rows)
    return slope, student90(n - 2) * math.sqrt(rest / (n - 2) / spread)
