"""The bodies of an analysis and of its insights, as a generated client reads them."""

from typing import Any, Literal

from pydantic import Field

from api.answers import ID, MOMENT, Answer, Interval, Winner


class Recommendation(Answer):
    """A sentence, and what it rests on."""

    text: str = Field(examples=["You win more of the long rallies."])
    evidence: dict[str, Any]
    confidence: float = Field(ge=0, le=1)


class SampleSize(Answer):
    """Points with a known heart rate."""

    won: int | None = Field(examples=[18])
    lost: int | None = Field(examples=[34])


class ZoneWins(Answer):
    """Points won in a heart-rate zone."""

    zone: int = Field(examples=[4])
    win_percentage: float | None = Field(examples=[38.5])
    interval: Interval | None = Field(description="Of the share won")


class OptimalZone(ZoneWins):
    """The zone in which most points are won."""

    points_in_zone: int = Field(examples=[26])


class GameOfInsights(Answer):
    """A game in figures."""

    game_number: int = Field(examples=[1])
    avg_hr: float | None = Field(examples=[145.4])
    points_won: int | None = Field(examples=[10])
    points_lost: int | None = Field(examples=[12])
    fatigue_indicator: float | None = Field(examples=[0.0])


class Streak(Answer):
    """Points won or lost in a row."""

    streak_type: Literal["winning", "losing"]
    streak_length: int = Field(examples=[3])
    avg_hr_during_streak: float | None = Field(examples=[157.7])
    hr_trend: Literal["increasing", "stable", "decreasing"] | None


class LengthWins(Answer):
    """Rallies of a length, and how many of them were won."""

    from_s: float = Field(examples=[0])
    to_s: float | None = Field(examples=[6])
    points: int = Field(examples=[8])
    win_percentage: float | None = Field(examples=[50.0])
    interval: Interval | None = Field(description="Of the share won")


class InsightMetrics(Answer):
    """Figures of a session; null where the data cannot tell, with the reason under `reasons`."""

    avg_hr_on_won_points: float | None = Field(examples=[148.5])
    avg_hr_on_lost_points: float | None = Field(examples=[151.1])
    hr_difference: float | None = Field(examples=[-2.6])
    hr_difference_interval: Interval | None
    sample_size: SampleSize
    optimal_hr_zone: OptimalZone | None
    hr_recovery_avg_seconds: float | None = Field(examples=[20.5])
    recovery_to_target_hr: float | None = Field(examples=[142.3])
    hr_recovery_60s: float | None = Field(examples=[38.0])
    performance_by_game: list[GameOfInsights] | None
    momentum_analysis: list[Streak] | None
    win_rate_by_rally_length: list[LengthWins] | None
    clutch: dict[str, Any] | None


class InsightsShown(Answer):
    """What a session means; a figure that the data cannot tell is null, with the reason under `reasons`."""

    insight_id: str = Field(examples=["9f86d081884c7d65…"])
    session_id: str = Field(examples=[ID])
    user_id: str = Field(examples=[ID])
    generated_at: str = Field(examples=[MOMENT])
    insight_type: str = Field(examples=["performance"])
    algorithm_version: str = Field(examples=["2026.1+3f9c2a"])
    metrics: InsightMetrics
    recommendations: list[Recommendation]


class Span(Answer):
    """A stretch of time that was found."""

    start: str = Field(examples=[MOMENT])
    end: str = Field(examples=["2026-01-15T10:00:23.500Z"])
    confidence: float | None = Field(examples=[0.97])


class GameFound(Span):
    """A game."""

    number: int = Field(examples=[1])
    score: dict[str, int] | None = Field(examples=[{"me": 11, "opponent": 7}])


class RallyFound(Span):
    """A rally."""

    number: int = Field(examples=[1])
    game: int | None = Field(examples=[1])
    strokes: int | None = Field(examples=[5])
    hr_mean: float | None = Field(examples=[148.2])
    hr_peak: float | None = Field(examples=[156.0])
    winner: Winner | None


class StrokeFound(Answer):
    """A stroke of the player who wears the watch."""

    time: str = Field(examples=[MOMENT])
    confidence: float | None = Field(examples=[0.9])
    side: Literal["forehand", "backhand"] | None


class Metric(Answer):
    """A figure; null where the data cannot tell, with the reason in `metadata`."""

    value: Any = Field(description="A number, or a list of one per game", examples=[2546.6])
    unit: str = Field(examples=["s"])
    confidence: float | None = Field(examples=[0.97])
    metadata: dict[str, Any]
    algorithm_version: str = Field(examples=["2026.1+3f9c2a"])


class RallyCount(Answer):
    """How many rallies there were, likely."""

    estimate: int | None = Field(examples=[69])
    low: int | None = Field(examples=[66])
    high: int | None = Field(examples=[72])
    level: float = Field(examples=[0.9])


class SessionFound(Answer):
    """What was recorded."""

    start: str = Field(examples=[MOMENT])
    end: str = Field(examples=["2026-01-15T11:00:00.000Z"])
    duration_s: float = Field(examples=[3600.0])
    sport: str = Field(examples=["squash"])
    streams: dict[str, Any] = Field(description="Samples, rate and coverage by stream")


class AnalysisShown(Answer):
    """The whole analysis, as `squash analyse --format json` prints it."""

    schema_: Literal["squash-analysis/1"] = Field(alias="schema")
    algorithm_version: str = Field(examples=["2026.1+3f9c2a"])
    session: SessionFound
    quality: dict[str, Any]
    warmup: Span | None
    cooldown: Span | None
    games: list[GameFound]
    rallies: list[RallyFound]
    rally_count: RallyCount | None
    strokes: list[StrokeFound]
    metrics: dict[str, Metric]
    insights: dict[str, Any]
