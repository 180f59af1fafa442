"""One session: `squash-truth/1` against `squash-analysis/1`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from squashlib.evaluate.matching import iou, match_spans, match_times, merges, splits
from squashlib.session import parse_iso

Array = npt.NDArray[np.float64]
Document = Mapping[str, Any]

IOUS = (0.3, 0.5, 0.7, 0.75)
GAME_IOU = 0.8
STROKE_TOLERANCES_S = (0.15, 0.25, 0.35)


@dataclass(frozen=True)
class Hits:
    """How many of what was there was found."""

    matched: int
    truth: int
    found: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 1 where nothing was there and nothing found."""
        return 2 * self.matched / (self.truth + self.found) if self.truth + self.found else 1.0

    def to_dict(self) -> dict[str, Any]:
        """Counts, precision, recall and F1; what would divide by zero is null."""
        return {
            "f1": round(self.f1, 4),
            "precision": round(self.matched / self.found, 4) if self.found else None,
            "recall": round(self.matched / self.truth, 4) if self.truth else None,
            "matched": self.matched,
            "truth": self.truth,
            "found": self.found,
        }


@dataclass(frozen=True)
class Comparison:
    """What one session's analysis got right. Errors are found minus truth, in seconds, of rallies matched at IoU 0.5.

    `games` is None where the truth does not know them, `strokes` where the analysis could not see strokes;
    `confidence` and `correct` have one entry per rally found, `correct` meaning matched at IoU 0.5.
    """

    rallies: dict[float, Hits]
    onset_error_s: Array
    end_error_s: Array
    last_contact_error_s: Array
    merged: int
    split: int
    games: Hits | None
    game_error_s: Array
    score_right: Hits
    strokes: dict[float, Hits] | None
    side: Hits
    confidence: Array
    correct: npt.NDArray[np.bool_]
    count: tuple[int, float, float, float]  # truth, estimate, low, high
    frame_accuracy: float
    play_error: float
    warmup_iou: float

    @property
    def boundary_error_s(self) -> Array:
        """Absolute errors of both ends."""
        return np.abs(np.concatenate((self.onset_error_s, self.end_error_s)))

    def to_dict(self) -> dict[str, Any]:
        """The comparison as JSON."""
        return {
            "schema": "squash-evaluation/1",
            "rallies": {
                **{f"iou_{at}": hits.to_dict() for at, hits in self.rallies.items()},
                "boundary_error_s": _spread(self.boundary_error_s),
                "onset_error_s": _spread(np.abs(self.onset_error_s)),
                "end_error_s": _spread(np.abs(self.end_error_s)),
                "last_contact_error_s": _spread(np.abs(self.last_contact_error_s)),
                "merges": self.merged,
                "splits": self.split,
                "brier": _number(np.mean((self.confidence - self.correct) ** 2)) if len(self.correct) else None,
            },
            "rally_count": {
                "truth": self.count[0],
                "estimate": _number(self.count[1]),
                "low": _number(self.count[2]),
                "high": _number(self.count[3]),
                "error": _number(self.count[1] - self.count[0]),
                "inside": self.count[2] <= self.count[0] <= self.count[3],
            },
            "games": self.games and {**self.games.to_dict(), "boundary_error_s": _spread(np.abs(self.game_error_s))},
            "game_scores": self.score_right.to_dict(),
            "strokes": None
            if self.strokes is None
            else {**{f"within_{at}_s": hits.to_dict() for at, hits in self.strokes.items()}}
            | {"side_right": self.side.matched, "side_told": self.side.found},
            "frame_balanced_accuracy": _number(self.frame_accuracy),
            "playing_time_error": _number(self.play_error),
            "warmup_iou": _number(self.warmup_iou),
        }


def evaluate(truth: Document, analysis: Document) -> dict[str, Any]:
    """Score an analysis document against a truth document.

    Raises
    ------
    ValueError
        If the first is not `squash-truth/1` or the second not `squash-analysis/1`.
    """
    return compare(truth, analysis).to_dict()


def compare(truth: Document, analysis: Document) -> Comparison:
    """Match every event of an analysis with the truth; raises as `evaluate`."""
    for document, schema in ((truth, "squash-truth/1"), (analysis, "squash-analysis/1")):
        if document.get("schema") != schema:
            raise ValueError(f"schema is {document.get('schema')!r}, must be {schema!r}")
    zero = truth["start"]
    there, found = _spans(truth["rallies"], zero), _spans(analysis["rallies"], zero)
    pairs = {at: match_spans(there, found, at) for at in IOUS}
    half = pairs[0.5]
    last = np.array([_since(r.get("last_contact") or r["end"], zero) for r in truth["rallies"]], np.float64)
    known_games = truth.get("games") or []
    games, games_found = _spans(known_games, zero), _spans(analysis["games"], zero)
    game_pairs = match_spans(games, games_found, GAME_IOU)
    strokes, side = _strokes(truth, analysis, zero)
    accuracy, play_error = _frames(there, found)
    return Comparison(
        rallies={at: Hits(len(p), len(there), len(found)) for at, p in pairs.items()},
        onset_error_s=found[half[:, 1], 0] - there[half[:, 0], 0],
        end_error_s=found[half[:, 1], 1] - there[half[:, 0], 1],
        last_contact_error_s=found[half[:, 1], 1] - last[half[:, 0]],
        merged=merges(there, found),
        split=splits(there, found),
        games=None if truth.get("games") is None else Hits(len(game_pairs), len(games), len(games_found)),
        game_error_s=(games_found[game_pairs[:, 1]] - games[game_pairs[:, 0]]).ravel(),
        score_right=_scores(known_games, analysis["games"], game_pairs),
        strokes=strokes,
        side=side,
        confidence=np.array([r["confidence"] for r in analysis["rallies"]], np.float64),
        correct=np.isin(np.arange(len(found)), half[:, 1]),
        count=_count(len(there), analysis),
        frame_accuracy=accuracy,
        play_error=play_error,
        warmup_iou=_warmup(truth, analysis, zero),
    )


def _since(moment: str, zero: str) -> float:
    return (parse_iso(moment) - parse_iso(zero)).total_seconds()


def _spans(events: Sequence[Document], zero: str) -> Array:
    rows = [(_since(event["start"], zero), _since(event["end"], zero)) for event in events]
    return np.array(rows, np.float64).reshape(-1, 2)


def _count(truth: int, analysis: Document) -> tuple[int, float, float, float]:
    known = analysis.get("rally_count") or {}
    number = [float("nan") if known.get(key) is None else float(known[key]) for key in ("estimate", "low", "high")]
    return truth, number[0], number[1], number[2]


def _strokes(truth: Document, analysis: Document, zero: str) -> tuple[dict[float, Hits] | None, Hits]:
    if "strokes" not in truth or not _saw_motion(analysis):
        return None, Hits(0, 0, 0)
    there = sorted((_since(s["time"], zero), s.get("side")) for s in truth["strokes"])
    found = sorted((_since(s["time"], zero), s.get("side") or "") for s in analysis["strokes"])
    at, seen = np.array([t for t, _ in there], np.float64), np.array([t for t, _ in found], np.float64)
    pairs = {within: match_times(at, seen, within) for within in STROKE_TOLERANCES_S}
    told = [(there[i][1], found[j][1]) for i, j in pairs[0.25] if found[j][1]]
    side = Hits(sum(a == b for a, b in told), len(pairs[0.25]), len(told))
    return {within: Hits(len(p), len(at), len(seen)) for within, p in pairs.items()}, side


def _saw_motion(analysis: Document) -> bool:
    streams = (analysis.get("session") or {}).get("streams", {})
    return bool(analysis["strokes"]) or "acceleration" in streams or "angular_velocity" in streams


def _scores(truth: Sequence[Document], found: Sequence[Document], pairs: npt.NDArray[np.intp]) -> Hits:
    told = [(truth[i]["score"], found[j]["score"]) for i, j in pairs if found[j].get("score") and truth[i].get("score")]
    return Hits(sum(a == b for a, b in told), len(truth), len(told))


def _frames(there: Array, found: Array) -> tuple[float, float]:
    """Balanced accuracy of rally or not on a grid of 1 s between the first and last event, and relative play time."""
    if not len(there):
        return float("nan"), float("nan")
    edges = np.concatenate((there.ravel(), found.ravel()))
    grid = np.arange(edges.min() - 30, edges.max() + 30)
    truth, seen = _inside(grid, there), _inside(grid, found)
    total = float((there[:, 1] - there[:, 0]).sum())
    balanced = (float(seen[truth].mean()) if truth.any() else 0.0) + float(1 - seen[~truth].mean())
    return balanced / 2, float((found[:, 1] - found[:, 0]).sum()) / total - 1


def _inside(grid: Array, spans: Array) -> npt.NDArray[np.bool_]:
    return np.asarray(((grid[:, None] >= spans[:, 0]) & (grid[:, None] < spans[:, 1])).any(axis=1))


def _warmup(truth: Document, analysis: Document, zero: str) -> float:
    there = [truth["warmup"]] if truth.get("warmup") else []
    found = [analysis["warmup"]] if analysis.get("warmup") else []
    if not there or not found:
        return 1.0 if there == found else 0.0
    return float(iou(_spans(there, zero), _spans(found, zero))[0, 0])


def _number(value: float | np.floating[Any]) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None


def _spread(errors: Array) -> dict[str, float | None]:
    if not len(errors):
        return {"median": None, "p90": None}
    return {"median": _number(np.median(errors)), "p90": _number(np.quantile(errors, 0.9))}
