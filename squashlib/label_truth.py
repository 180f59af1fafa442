"""A label set as the truth that `squash evaluate` reads."""

from datetime import timedelta
from typing import Any

from squashlib.labels import Label, LabelSet
from squashlib.session import iso, parse_iso

LET_REACH_S = 3.0  # a let is called as the rally ends


def truth_of(labels: LabelSet) -> dict[str, Any]:
    """The document `squash-truth/1`: what was not labelled (games, strokes) is unknown, and is not scored."""
    zero = parse_iso(labels.start)

    def when(seconds: float) -> str:
        return iso(zero + timedelta(seconds=seconds))

    def span(label: Label) -> dict[str, Any]:
        assert label.stop_s is not None, "spans have an end"
        return {"start": when(label.start_s), "end": when(label.stop_s)}

    def edge(kind: str) -> dict[str, Any] | None:
        found = labels.of(kind)
        return span(max(found, key=lambda x: (x.stop_s or 0) - x.start_s)) if found else None

    games, lets = labels.of("game"), labels.of("let")
    rallies = [
        {
            "number": i,
            "game": _game_of(rally, games),
            **span(rally),
            "last_contact": None,
            "winner": None,
            "is_let": any(rally.start_s <= let.start_s < (rally.stop_s or 0) + LET_REACH_S for let in lets),
        }
        for i, rally in enumerate(labels.of("rally"), 1)
    ]
    document = {
        "schema": "squash-truth/1",
        "start": labels.start,
        "warmup": edge("warmup"),
        "cooldown": edge("cooldown"),
        "games": [{"number": i, **span(game), "score": None} for i, game in enumerate(games, 1)] or None,
        "rallies": rallies,
    }
    strokes = labels.of("stroke")
    known = {"strokes": [{"time": when(s.start_s), "side": None} for s in strokes]} if strokes else {}
    return document | known


def _game_of(rally: Label, games: tuple[Label, ...]) -> int | None:
    for i, game in enumerate(games, 1):
        if game.start_s - 0.5 <= rally.start_s < (game.stop_s or 0):
            return i
    return None
