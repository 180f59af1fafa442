"""One match scored on two devices, the player's watch and a referee's phone: whose press counts for a rally.

A referee watches every rally and has a hand free, so the referee's press counts, then a phone's, then the watch's
(`PRECEDENCE`; a press that names no source is a watch's). Presses of two sources are of one rally if they state the
same score in the same game, whenever they came in, else if they lie within `TOGETHER_S`. What a better source does not
have fills its gap, unless its own scores before and after leave no room for another rally.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from squashlib.moments import parse_iso
from squashlib.scoring import law_of

PRECEDENCE = ("referee", "phone", "watch")
#: Two clocks that are four seconds off each, in opposite ways; rally and rest of a next point last longer.
TOGETHER_S = 8.0

Press = Mapping[str, Any]
Score = tuple[int, int, int]


@dataclass(frozen=True)
class Verdict:
    """On one press: whether it counts, else which press counts instead of it; whether another device disagrees."""

    counts: bool = True
    beaten_by: int | None = None
    disputed: bool = False


def settle(presses: Sequence[Press], system: str | None = None) -> list[Verdict]:
    """A verdict on each press in wire form (each with a timestamp); the order in which they came does not matter."""
    times = [parse_iso(str(press["timestamp"])).timestamp() for press in presses]
    verdicts = [Verdict() for _ in presses]
    sources = sorted({source_of(press) for press in presses}, key=_rank)
    if len(sources) < 2:
        return verdicts
    counted = [i for i, press in enumerate(presses) if source_of(press) == sources[0]]
    for source in sources[1:]:
        counted.sort(key=lambda i: (times[i], i))
        theirs = [i for i, press in enumerate(presses) if source_of(press) == source]
        pairs = _pairs(presses, times, counted, theirs)
        fill = []
        for i in theirs:
            better = pairs.get(i)
            if better is not None and not _agree(presses[i], presses[better]):
                verdicts[better] = replace(verdicts[better], disputed=True)
            if better is None:
                better = _full(presses, times, counted, times[i], system)
            if better is None:
                fill.append(i)
            else:
                verdicts[i] = Verdict(counts=False, beaten_by=better)
        counted += fill
    return verdicts


def source_of(press: Press) -> str:
    """Which device a press is from."""
    return str(press.get("source") or "watch").lower()


def _rank(source: str) -> tuple[int, str]:
    return (PRECEDENCE.index(source) if source in PRECEDENCE else len(PRECEDENCE), source)


def _pairs(
    presses: Sequence[Press], times: Sequence[float], counted: Sequence[int], theirs: Sequence[int]
) -> dict[int, int]:
    """Presses that are of one rally: first by the score that both state, then the nearest in time."""
    by_score = {_score(presses[i]): i for i in reversed(counted)}
    pairs: dict[int, int] = {}
    for i in theirs:
        same = by_score.pop(score, None) if (score := _score(presses[i])) is not None else None
        if same is not None:
            pairs[i] = same
    near = sorted(
        (abs(times[i] - times[j]), j, i)
        for i in theirs if i not in pairs
        for j in counted if abs(times[i] - times[j]) <= TOGETHER_S
    )  # fmt: skip
    taken = set(pairs.values())
    for _, j, i in near:
        if i not in pairs and j not in taken:
            pairs[i] = j
            taken.add(j)
    return pairs


def _full(
    presses: Sequence[Press], times: Sequence[float], counted: Sequence[int], moment: float, system: str | None
) -> int | None:
    """The press before a moment if the scores of it and the next leave no room for a rally between them."""
    place = bisect_left([times[i] for i in counted], moment)
    if not 0 < place < len(counted) or law_of(system).server_scores_only:  # who receives may win and not score
        return None
    before, after = (_score(presses[i]) for i in counted[place - 1 : place + 1])
    if before is None or after is None or before[0] != after[0]:
        return None
    return counted[place - 1] if sum(after[1:]) - sum(before[1:]) <= 1 else None


def _score(press: Press) -> Score | None:
    after = press.get("score_after") or {}
    me, opponent = (press.get(f"score_{side}_after", after.get(side)) for side in ("me", "opponent"))
    game = press.get("game_number")
    stated = me is not None and opponent is not None and game is not None
    return (game, me, opponent) if stated and not _is_let(press) else None  # type: ignore[return-value]


def _agree(one: Press, other: Press) -> bool:
    lets = _is_let(one), _is_let(other)
    return lets[0] == lets[1] and (lets[0] or one.get("winner") == other.get("winner"))


def _is_let(press: Press) -> bool:
    return str(press.get("is_let", "false")).lower() == "true"
