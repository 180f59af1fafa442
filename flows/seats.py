"""Seats for pages: so many in all, and who finds none waits in line, first come first served."""

from dataclasses import dataclass, field

#: Who has not asked for this long has gone home.
GONE_S = 15.0
#: A page that was let in starts its kernel within this time.
KEPT_S = 20.0


@dataclass
class Seats:
    """Seats that are kept for pages under way, and the line."""

    total: int
    kept: dict[str, list[float]] = field(default_factory=dict)
    line: dict[str, float] = field(default_factory=dict)

    def ask(self, who: str, taken: int, now_s: float) -> int:
        """How many stand before `who`; 0 keeps a seat for them. `taken` seats have a kernel already."""
        self._forget(now_s)
        free = self.total - taken - sum(map(len, self.kept.values()))
        self.line[who] = now_s  # who waited already keeps their place
        place = list(self.line).index(who)
        if place >= free:
            return place - max(free, 0) + 1
        del self.line[who]
        self.kept.setdefault(who, []).append(now_s)
        return 0

    def sit(self, who: str, now_s: float) -> bool:
        """Whether a seat was kept for `who`; it becomes theirs."""
        self._forget(now_s)
        held = self.kept.get(who, [])
        if held:
            held.pop(0)
        else:
            return False
        return True

    def _forget(self, now_s: float) -> None:
        self.line = {who: at_s for who, at_s in self.line.items() if now_s - at_s < GONE_S}
        kept = {who: [at_s for at_s in times if now_s - at_s < KEPT_S] for who, times in self.kept.items()}
        self.kept = {who: times for who, times in kept.items() if times}
