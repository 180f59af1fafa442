"""What really happened, as the document `squash-truth/1`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from squashlib.session import iso
from squashlib.simulate.script import Script

SCHEMA = "squash-truth/1"


def truth_document(script: Script, start: datetime, strokes: Sequence[tuple[float, str]]) -> dict[str, Any]:
    """A rally lasts from the serve's contact to the ball's death; the last contact stands beside it.

    Strokes are the wearer's own in rallies and warm-up; a ball played back between rallies is none.
    """

    def when(seconds: float) -> str:
        return iso(start + timedelta(seconds=float(seconds)))

    def span(bounds: tuple[float, float]) -> dict[str, str] | None:
        return {"start": when(bounds[0]), "end": when(bounds[1])} if bounds[1] > bounds[0] else None

    return {
        "schema": SCHEMA,
        "start": iso(start),
        "warmup": span(script.warmup),
        "cooldown": span(script.cooldown),
        "games": [
            {"number": i, "start": when(a), "end": when(b), "score": {"me": score[0], "opponent": score[1]}}
            for i, (a, b, score) in enumerate(script.games, 1)
        ],
        "rallies": [
            {
                "number": i,
                "game": rally.game,
                "start": when(rally.start_s),
                "end": when(rally.stop_s),
                "last_contact": when(rally.last_contact_s),
                "winner": rally.winner or None,
                "is_let": rally.is_let,
                "server": rally.server,
            }
            for i, rally in enumerate(script.rallies, 1)
        ],
        "strokes": [{"time": when(time), "side": side} for time, side in sorted(strokes)],
    }
