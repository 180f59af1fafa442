"""The athlete's settings as they were on the day of a session."""

from dataclasses import dataclass
from typing import Literal

Hand = Literal["playing", "other"]


@dataclass(frozen=True)
class Athlete:
    """What is known of the athlete; None is unknown, never guessed silently."""

    hr_max_bpm: float | None = None
    hr_rest_bpm: float | None = None
    birth_year: int | None = None
    sex: Literal["female", "male"] | None = None
    hand: Hand | None = None  # the wrist that wore the watch

    def __post_init__(self) -> None:
        for name, low, high in (("hr_max_bpm", 100, 240), ("hr_rest_bpm", 25, 120), ("birth_year", 1900, 2100)):
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ValueError(f"{name} is {value}, must be between {low} and {high}")
        if self.hr_max_bpm and self.hr_rest_bpm and self.hr_rest_bpm >= self.hr_max_bpm:
            raise ValueError(f"hr_rest_bpm is {self.hr_rest_bpm}, must be below hr_max_bpm ({self.hr_max_bpm})")
