"""What an analysis was made by, as it is kept beside it, and what of it differs between two, in a player's words."""

from collections.abc import Mapping
from typing import Any

#: Names among an analysis's fingerprints that are no detector's.
INPUTS, EXPLAIN, SECONDS, SEEN, DECLARED = "inputs", "explain", "seconds", "seen", "declared"
NO_DETECTOR = (INPUTS, EXPLAIN, SECONDS, SEEN, DECLARED)

#: What each detector is for.
FINDS = {
    "swings": "finding swings of the wrist",
    "rallies": "finding rallies, games and warm-up",
    "strokes": "telling strokes from other swings",
    "match": "counting and measuring the match",
    "heart": "reading heart rate",
}
ATHLETE = {
    "hr_max_bpm": "highest heart rate",
    "hr_rest_bpm": "resting heart rate",
    "birth_year": "year of birth",
    "sex": "sex",
    "hand": "playing hand",
}


def why(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Reasons for which an analysis made by `new` may differ from one made by `old`."""
    told = _inputs(old, new) if old.get(INPUTS) != new.get(INPUTS) else []
    detectors = sorted((old.keys() | new.keys()).difference(NO_DETECTOR))
    told += [_detector(name, old, new) for name in detectors if old.get(name) != new.get(name)]
    if old.get(EXPLAIN) != new.get(EXPLAIN):
        told.append("the code of insights or documents changed")
    return told


def _inputs(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What was looked at; older analyses kept only that it was something else."""
    before, after = old.get(SEEN), new.get(SEEN)
    if not before or not after:
        return ["the recording, the points or the athlete's settings changed"]
    told = []
    if before["revision"] != after["revision"]:
        read = "the recording is read by newer code" if before["decoder"] != after["decoder"] else ""
        told.append(read or "another recording or a late batch of samples arrived")
    if before["points"] != after["points"]:
        told.append(f"the points changed: {before['point_count']} counted before, {after['point_count']} now")
    if before["corrections"] != after["corrections"]:
        told.append("you corrected what was found")
    for name, word in ATHLETE.items():
        a, b = before["athlete"].get(name), after["athlete"].get(name)
        if a != b:
            told.append(f"your {word} is {_known(b)} now, was {_known(a)}")
    return told


def _known(value: Any) -> str:
    return "not known" if value is None else str(value)


def _detector(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    what = f"detector '{name}'" + (f" ({FINDS[name]})" if name in FINDS else "")
    if name not in old or name not in new:
        return f"{what} is {'new' if name in new else 'gone'}"
    before, after = ((one.get(DECLARED) or {}).get(name) or {} for one in (old, new))
    differ = [key for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)]
    if not before or not differ:
        return f"{what} changed: its code, or a library it counts with"
    return f"{what} changed: " + ", ".join(
        f"{key} {_known(before.get(key))} → {_known(after.get(key))}" for key in differ
    )
