"""Against whom: results by opponent, however their name was typed."""

from collections.abc import Sequence
from typing import Any

from squashlib.statistics.played import Played
from squashlib.statistics.totals import results


def by_opponent(played: Sequence[Played]) -> list[dict[str, Any]]:
    """Results against each named opponent, the most played first; the newest spelling of a name is shown."""
    return [{"opponent": name, "sessions": len(group), **results(group)} for name, group in against(played)]


def against(played: Sequence[Played]) -> list[tuple[str, list[Played]]]:
    """Sessions by opponent, oldest first, in the order and with the spelling of `by_opponent`."""
    groups: dict[str, list[Played]] = {}
    for one in sorted(played, key=lambda one: one.start):
        if name := " ".join((one.opponent or "").split()):
            groups.setdefault(name.casefold(), []).append(one)
    named = [(str(group[-1].opponent).strip(), group) for group in groups.values()]
    return sorted(named, key=lambda item: (-len(item[1]), item[0].casefold()))
