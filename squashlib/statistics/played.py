"""One session as statistics see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Played:
    """One session: when it began, the games of its final score if known, and its analysis' summary."""

    start: datetime
    games_me: int | None
    games_opponent: int | None
    summary: Mapping[str, Any]
    opponent: str | None = None
    session_id: str | None = None

    @property
    def won(self) -> bool | None:
        """Whether the match was won; None while its result is not known, or it was drawn."""
        if self.games_me is None or self.games_opponent is None or self.games_me == self.games_opponent:
            return None
        return self.games_me > self.games_opponent

    def figure(self, name: str) -> float | None:
        """A figure of the summary, None if the data could not tell."""
        value = self.summary.get(name)
        if isinstance(value, Mapping):
            value = next((item for item in value.values() if isinstance(item, (int, float))), None)
        return float(value) if isinstance(value, (int, float)) else None
