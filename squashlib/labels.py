"""Label sets: what a person says happened in a session, by author and version; the same as an object and as a file."""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from squashlib.session import iso, parse_iso

if TYPE_CHECKING:
    from squashlib.analysis import Analysis

SCHEMA = "squash-labels/1"
#: Kinds that last, and kinds that are one moment. Labels of one kind that last never overlap.
SPANS = ("rally", "rest", "game", "warmup", "game_break", "cooldown", "other")
MOMENTS = ("stroke", "let", "point")
KINDS = (*SPANS, *MOMENTS)
DIGITS = 3  # milliseconds: what a document of this project writes


@dataclass(frozen=True)
class Label:
    """One event; `stop_s` is None for a moment. `confidence` is a detector's; a person's label has none."""

    kind: str
    start_s: float
    stop_s: float | None = None
    confidence: float | None = None
    note: str = ""
    label_id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"label kind is {self.kind!r}, must be one of {', '.join(KINDS)}")
        if (self.stop_s is None) != (self.kind in MOMENTS):
            what = "a moment and has no end" if self.kind in MOMENTS else "a span and needs an end"
            raise ValueError(f"label '{self.kind}' at {self.start_s} s is {what}")
        if self.stop_s is not None and not self.stop_s > self.start_s:
            raise ValueError(f"label '{self.kind}' is [{self.start_s}, {self.stop_s}] s, must end after it starts")


@dataclass(frozen=True)
class LabelSet:
    """Labels of a session in order of time.

    `base` says what they were made from: `{"detector": version}`, `{"author", "version"}` of an earlier set, or `{}`.

    Raises
    ------
    ValueError
        If labels of one kind overlap, or two carry one id.
    """

    session_id: str
    start: str
    author: str
    labels: tuple[Label, ...] = ()
    version: int = 1
    kind: str = "labels"
    created: str = field(default_factory=lambda: iso(datetime.now(UTC)))
    base: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rounded = [_rounded(label) for label in self.labels]
        ordered = sorted(rounded, key=lambda x: (x.start_s, KINDS.index(x.kind), x.label_id))
        object.__setattr__(self, "labels", tuple(ordered))
        if len({label.label_id for label in ordered}) < len(ordered):
            raise ValueError(f"two labels of session '{self.session_id}' carry one id, each must have its own")
        for kind in SPANS:
            _apart(kind, self.of(kind))

    def of(self, *kinds: str) -> tuple[Label, ...]:
        """Labels of these kinds."""
        return tuple(label for label in self.labels if label.kind in kinds)

    def succeeded(self, labels: Iterable[Label], author: str | None = None) -> "LabelSet":
        """A new set made from this one; the store gives it its version."""
        base = {"author": self.author, "version": self.version} if self.kind == "labels" else dict(self.base)
        fresh = iso(datetime.now(UTC))
        return replace(
            self, labels=tuple(labels), author=author or self.author, kind="labels", created=fresh, base=base
        )

    def to_dict(self) -> dict[str, Any]:
        """The document `squash-labels/1`."""
        head = {name: getattr(self, name) for name in ("session_id", "start", "author", "version", "kind", "created")}
        return {"schema": SCHEMA, **head, "base": dict(self.base), "labels": [asdict(label) for label in self.labels]}

    def to_json(self) -> str:
        """The document as text; the same set is always the same text."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "LabelSet":
        """Read a document; raises `ValueError` that says what is wrong."""
        if document.get("schema") != SCHEMA:
            raise ValueError(f"schema is {document.get('schema')!r}, must be {SCHEMA!r}")
        try:
            labels = tuple(Label(**label) for label in document["labels"])
            rest = {name: value for name, value in document.items() if name not in ("schema", "labels")}
            return cls(labels=labels, **rest)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a {SCHEMA} document ({error}); write one with LabelSet.to_json") from error

    def write(self, path: str | Path) -> None:
        """Write the set as a file."""
        Path(path).write_text(self.to_json(), encoding="utf-8")

    @classmethod
    def read(cls, path: str | Path) -> "LabelSet":
        """Read a file that `write` wrote: the set is equal to the one that was written."""
        return cls.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))


def _rounded(label: Label) -> Label:
    stop = None if label.stop_s is None else round(float(label.stop_s), DIGITS)
    sure = None if label.confidence is None else round(float(label.confidence), DIGITS)
    return replace(label, start_s=round(float(label.start_s), DIGITS), stop_s=stop, confidence=sure)


def _apart(kind: str, labels: Sequence[Label]) -> None:
    for before, after in pairwise(labels):
        if before.stop_s is not None and after.start_s < before.stop_s:
            raise ValueError(
                f"labels '{kind}' from {before.start_s} s and from {after.start_s} s overlap; move or delete one"
            )


def detected(analysis: "Analysis", author: str = "detector") -> LabelSet:
    """A detector's findings as a label set to begin with; confidences are kept until a person touches a label."""
    groups = analysis.groups
    labels = [
        *_spans(groups, "rallies", "rally"),
        *_spans(groups, "games", "game"),
        *_segments(groups, ("warmup", "game_break", "cooldown")),
    ]
    strokes = groups["strokes"]
    for time, sure in zip(strokes["stroke_time"].values, strokes["stroke_confidence"].values, strict=True):
        labels.append(Label("stroke", float(time), None, float(sure)))
    attrs = analysis.session.attrs
    base = {"detector": analysis.algorithm_version}
    return LabelSet(attrs["session_id"], attrs["start_time"], author, tuple(labels), 1, "detected", base=base)


def _spans(groups: Mapping[str, Any], group: str, kind: str) -> list[Label]:
    columns = (groups[group][f"{kind}_{part}"].values for part in ("start", "stop", "confidence"))
    return [Label(kind, float(a), float(b), float(sure)) for a, b, sure in zip(*columns, strict=True)]


def _segments(groups: Mapping[str, Any], kinds: Sequence[str]) -> list[Label]:
    held = groups["segments"]
    if not held.sizes["segment"]:
        return []
    names = str(held["segment_kind"].attrs["flag_meanings"]).split()
    columns = (held[f"segment_{part}"].values for part in ("start", "stop", "kind", "confidence"))
    rows = ((float(a), float(b), names[int(kind)], float(sure)) for a, b, kind, sure in zip(*columns, strict=True))
    return [Label(kind, a, b, sure) for a, b, kind, sure in rows if kind in kinds and b > a]


def from_truth(
    truth: Mapping[str, Any], session_id: str, author: str = "simulator", start: str | None = None
) -> LabelSet:
    """A `squash-truth/1` document as labels, in seconds since `start`, the session's (None: the truth's)."""
    zero = parse_iso(start or truth["start"])

    def since(moment: str) -> float:
        return (parse_iso(moment) - zero).total_seconds()

    labels = [
        Label(kind, since(event["start"]), since(event["end"]))
        for kind, events in (
            ("rally", truth["rallies"]),
            ("game", truth.get("games") or []),
            ("warmup", [truth["warmup"]] if truth.get("warmup") else []),
            ("cooldown", [truth["cooldown"]] if truth.get("cooldown") else []),
        )
        for event in events
    ]
    labels += [Label("let", since(rally["end"])) for rally in truth["rallies"] if rally.get("is_let")]
    labels += [Label("stroke", since(stroke["time"])) for stroke in truth.get("strokes", [])]
    return LabelSet(session_id, start or truth["start"], author, tuple(labels))
