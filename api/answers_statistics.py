"""The bodies of statistics and trends, by name."""

from typing import Any

from pydantic import Field

from api.answers import ID, MOMENT, Answer, Interval


class Results(Answer):
    """Matches won and lost."""

    matches_won: int = Field(examples=[7])
    matches_lost: int = Field(examples=[3])
    win_rate: float | None = Field(examples=[0.7])
    win_rate_interval: Interval | None = Field(description="90 %, Wilson", examples=[[0.44, 0.87]])


class ZoneResult(Answer):
    """Points by the heart-rate zone in which they were played."""

    zone: int = Field(ge=0, le=5, examples=[4])
    points_won: int
    points_lost: int
    win_rate: float | None
    win_rate_interval: Interval | None


class Totals(Results):
    """Sums and means; null where nothing is known."""

    sessions: int
    points_won: int | None
    points_lost: int | None
    point_win_rate: float | None
    point_win_rate_interval: Interval | None
    total_playing_time_s: float | None
    total_session_duration_s: float | None
    rallies: float | None
    avg_playing_heart_rate: float | None
    hr_recovery_60s: float | None
    training_load: float | None
    time_in_zones_s: dict[str, float | None]
    performance_by_zone: list[ZoneResult]


class Period(Totals):
    """The totals of one period."""

    period: str = Field(examples=["2026-01"])


class Load(Answer):
    """Acute and chronic training load a day, exponentially weighted over 7 and 28 days."""

    acute: float | None
    chronic: float | None
    ratio: float | None = Field(examples=[1.1])
    unit: str = Field(examples=["load per day"])
    sessions_without_load: int
    reason: str | None = Field(description="Why something is null")


class Opponent(Results):
    """Results against one opponent."""

    opponent: str = Field(examples=["Ben"])
    sessions: int


class StatisticsShown(Answer):
    """A player's figures, all in all and by period in their own time zone."""

    user_id: str = Field(examples=[ID])
    period: str = Field(examples=["monthly"])
    timezone: str = Field(examples=["Europe/Amsterdam"])
    totals: Totals
    load: Load
    periods: list[Period]
    opponents: list[Opponent]
    personal_bests: dict[str, Any]


class Dated(Answer):
    """Figures of one session."""

    date: str = Field(examples=[MOMENT])
    day: str = Field(description="In the player's own time zone", examples=["2026-01-15"])


class Slope(Answer):
    """Change of a figure in 30 days, with its 90 % interval."""

    change_per_30_days: float | None
    interval: Interval | None
    sessions: int
    reason: str | None


class TrendsShown(Answer):
    """How performance and fitness change."""

    user_id: str = Field(examples=[ID])
    timezone: str = Field(examples=["Europe/Amsterdam"])
    performance: list[Dated]
    fitness: list[Dated]
    performance_trend: dict[str, Slope]
    fitness_trend: dict[str, Slope]
