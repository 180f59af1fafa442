"""Against whom: results by opponent, however their name was typed."""

from collections.abc import Sequence
from typing import Any

from squashlib.statistics.played import Played
from squashlib.statistics.totals import results


def by_opponent(played: Sequence[Played]) -> list[dict[str, Any]]:
    """Results against each named opponent, the most played first; the newest spelling of a name is shown."""
    groups: dict[str, list[Played]] = {}
    for one in sorted(played, key=lambda one: one.start):
        if name := " ".join((one.opponent or "").split()):
            groups.setdefault(name.casefold(), []).append(one)
    rows = [
        {"opponent": str(group[-1].opponent).strip(), "sessions": len(group), **results(group)}
        for group in groups.values()
    ]
    return sorted(rows, key=lambda row: (-row["sessions"], row["opponent"].casefold()))
