"""Two analyses of one session: what differs, and which rallies stayed, moved, appeared or vanished."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from squashlib.evaluate.matching import match_spans
from squashlib.moments import parse_iso

#: A rally whose two ends lie within this is where it was.
SAME_S = 0.5
#: Rallies that overlap by so much of both are one rally.
SAME_IOU = 0.3
KINDS = ("stayed", "moved", "new", "gone")


def figures(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By name `{"before", "after", "unit"}` of the figures of two documents that differ."""
    old, new = _figures(before), _figures(after)
    units = {name: one["unit"] for document in (before, after) for name, one in document["metrics"].items()}
    differ = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return {name: {"before": old.get(name), "after": new.get(name), "unit": units.get(name, "")} for name in differ}


def _figures(document: Mapping[str, Any]) -> dict[str, Any]:
    winners = [rally["winner"] for rally in document["rallies"]]
    scores = [
        f"{game['score']['me']}–{game['score']['opponent']}" if game["score"] else "?" for game in document["games"]
    ]
    count = document["rally_count"]
    return {
        **{name: metric["value"] for name, metric in document["metrics"].items()},
        "points_won": winners.count("me"),
        "points_lost": winners.count("opponent"),
        "scores": " ".join(scores),
        "rallies_interval": f"{count['low']} to {count['high']}",
        "sentences": [item["text"] for item in document["insights"]["recommendations"]],
    }


def rallies(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each rally of either document in order of time: `kind` of `KINDS`, and `before` and `after`.

    Those are its number and its ends in seconds since the session's start, `{"number", "start_s", "end_s"}`, or None
    where it is not.
    """
    old, new = _spans(before), _spans(after)
    pairs = match_spans(old, new, SAME_IOU).tolist() if len(old) and len(new) else []
    matched_old, matched_new = {i for i, _ in pairs}, {j for _, j in pairs}
    found: list[tuple[int | None, int | None]] = [(i, j) for i, j in pairs]
    found += [(i, None) for i in range(len(old)) if i not in matched_old]
    found += [(None, j) for j in range(len(new)) if j not in matched_new]
    told = [_one(old, new, i, j) for i, j in found]
    return sorted(told, key=lambda one: (one["after"] or one["before"])["start_s"])


def _one(old: npt.NDArray[np.float64], new: npt.NDArray[np.float64], i: int | None, j: int | None) -> dict[str, Any]:
    kind = "gone" if j is None else "new"
    if i is not None and j is not None:
        kind = "stayed" if np.abs(old[i] - new[j]).max() <= SAME_S else "moved"
    return {"kind": kind, "before": _place(old, i), "after": _place(new, j)}


def _place(spans: npt.NDArray[np.float64], i: int | None) -> dict[str, Any] | None:
    if i is None:
        return None
    return {"number": i + 1, "start_s": round(float(spans[i, 0]), 3), "end_s": round(float(spans[i, 1]), 3)}


def _spans(document: Mapping[str, Any]) -> npt.NDArray[np.float64]:
    """Start and stop of each rally, (n, 2)."""
    start = parse_iso(document["session"]["start"])
    ends = [[(parse_iso(one[end]) - start).total_seconds() for end in ("start", "end")] for one in document["rallies"]]
    return np.array(ends, np.float64).reshape(-1, 2)


def counts(found: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many rallies of each kind."""
    return {kind: sum(one["kind"] == kind for one in found) for kind in KINDS}
