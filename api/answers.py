"""The bodies of answers, by name: what a generated client reads."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MOMENT = "2026-01-15T10:00:00.000Z"
ID = "0198c7d2-6f3e-7a51-9d7e-1f0d5a2b3c4d"

Winner = Literal["me", "opponent"]
Interval = list[float]


class Answer(BaseModel):
    """An answer; later versions may say more."""

    model_config = ConfigDict(extra="allow")


class SessionShown(Answer):
    """A session: active while `end_time` is null, analysed once `sync_status` says so."""

    session_id: str = Field(examples=[ID])
    user_id: str = Field(examples=[ID])
    session_type: str = Field(examples=["match"])
    sport: str = Field(examples=["squash"])
    scoring_system: str | None = Field(examples=["american"])
    opponent_name: str | None = Field(examples=["Ben"])
    location: str | None = Field(examples=["Local Squash Club"])
    notes: str | None
    start_time: str = Field(examples=[MOMENT])
    end_time: str | None = Field(examples=["2026-01-15T11:00:00.000Z"])
    duration_seconds: float | None = Field(examples=[3600.0])
    sync_status: Literal["pending", "analysed"]
    final_score_me: int | None = Field(examples=[3])
    final_score_opponent: int | None = Field(examples=[1])
    total_games: int | None = Field(examples=[4])
    total_lets: int | None = Field(examples=[2])
    metadata: dict[str, Any] | str = Field(
        description="An object, or a JSON string for a client that sent one", examples=[{"watch_position": "wrist"}]
    )
    summary: dict[str, Any] | None = Field(description="The analysis' main figures, null before it")
    created_at: str = Field(examples=[MOMENT])
    updated_at: str = Field(examples=[MOMENT])


class SessionMade(SessionShown):
    """A session that was begun, and where its recording goes."""

    upload_url: str = Field(examples=[f"/api/sessions/{ID}/upload/fit"])


class Overlap(SessionShown):
    """Another session that may be of the same match."""

    overlap: float = Field(ge=0, le=1, description="Common part of the shorter one", examples=[0.93])


class Promised(Answer):
    """Work that will be done, whatever happens to the server meanwhile."""

    status: Literal["processing"]
    job_id: str = Field(examples=[ID])


class Received(Promised):
    """Bytes that are kept; the same again are known again."""

    upload_id: str = Field(examples=[ID])
    duplicate: bool = Field(False, description="Whether the session held the same bytes already")


class BatchReceived(Received):
    """A batch that is kept."""

    message: str = Field(examples=["10 samples accepted"])
    count: int = Field(examples=[10])


class UploadStatus(Answer):
    """How far the newest processing is."""

    status: Literal["queued", "processing", "completed", "failed"]
    progress: int = Field(ge=0, le=100, examples=[35])
    stage: str = Field(examples=["detecting"])
    job_id: str = Field(examples=[ID])
    error: str | None = Field(None, description="Why it failed, for the player to read")


class UploadShown(Answer):
    """One thing that a device sent."""

    upload_id: str = Field(examples=[ID])
    kind: str = Field(examples=["file"])
    name: str | None = Field(examples=["match.fit"])
    bytes: int = Field(examples=[184_320])
    sha256: str = Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
    received_at: str = Field(examples=[MOMENT])
    error: str | None = Field(description="Why it could not be read; the bytes are kept")


class Gap(Answer):
    """A stretch that no sample covers."""

    start: str = Field(examples=[MOMENT])
    end: str = Field(examples=["2026-01-15T10:00:42.000Z"])
    seconds: float = Field(examples=[42.0])


class UploadsShown(Answer):
    """What was received, and what may still have to be sent."""

    uploads: list[UploadShown]
    gaps: dict[str, list[Gap]] | None = Field(description="By stream; null before the first processing")


class Score(Answer):
    """A score in one game."""

    me: int | None = Field(examples=[3])
    opponent: int | None = Field(examples=[2])


class PointShown(Answer):
    """A point that holds."""

    point_id: str = Field(examples=[ID])
    session_id: str = Field(examples=[ID])
    point_number: int = Field(examples=[5])
    timestamp: str = Field(examples=[MOMENT])
    winner: Winner | None = Field(examples=["me"])
    score_me_before: int | None = Field(examples=[2])
    score_opponent_before: int | None = Field(examples=[2])
    score_me_after: int | None = Field(examples=[3])
    score_opponent_after: int | None = Field(examples=[2])
    score_after: Score
    game_number: int | None = Field(examples=[1])
    is_let: bool | Literal["true", "false"] = Field(description="In the form in which it was sent")
    source: str = Field(description="The device: referee counts before phone, phone before watch", examples=["watch"])
    superseded_by: str | None = Field(None, description="The better source's press that counts for this rally")
    flags: list[str] = Field(
        description="What the laws of scoring find odd; `sources_disagree` where another device says otherwise, "
        "`superseded` for a press that does not count"
    )


class AnalysisNamed(Answer):
    """Which analysis."""

    analysis_key: str
    algorithm_version: str
    made_at: str


class ChangesShown(Answer):
    """A newer analysis of a session against an older one."""

    session_id: str
    from_: AnalysisNamed = Field(alias="from")
    to: AnalysisNamed
    why: list[str]
    figures: dict[str, Any]
    rallies: list[dict[str, Any]]


class Annotation(Answer):
    """What happened meanwhile."""

    type: str = Field(examples=["game_break"])
    start: str = Field(examples=[MOMENT])
    end: str = Field(examples=[MOMENT])


class HeartRateChart(Answer):
    """At most 2,000 points that look like all of them."""

    timestamps: list[str]
    heart_rates: list[float] = Field(description="bpm")
    zones: list[int] = Field(description="0 to 5; empty while the highest heart rate is not known")
    annotations: list[Annotation]


class ZoneChart(Answer):
    """Seconds in each zone; null where the data cannot tell."""

    zone_1: float | None = Field(examples=[120.0])
    zone_2: float | None = Field(examples=[240.0])
    zone_3: float | None
    zone_4: float | None
    zone_5: float | None


class PointOfChart(Answer):
    """A rally whose winner is known."""

    point_number: int = Field(examples=[1])
    winner: Winner
    avg_hr: float | None = Field(examples=[145.0])
    rally_duration: float = Field(description="Seconds", examples=[23.5])


class JobShown(Answer):
    """A job."""

    job_id: str = Field(examples=[ID])
    kind: str = Field(examples=["process"])
    session_id: str | None = Field(examples=[ID])
    status: Literal["queued", "processing", "completed", "failed"]
    stage: str = Field(examples=["detecting"])
    progress: int = Field(ge=0, le=100)
    error: str | None
    created_at: str = Field(examples=[MOMENT])


class GrantShown(Answer):
    """Who may look at whose sessions; the name is the other one's."""

    player_id: str = Field(examples=[ID])
    coach_id: str = Field(examples=[ID])
    full_name: str | None = Field(examples=["Carla Coach"])
    created_at: str = Field(examples=[MOMENT])


class LinkShown(Answer):
    """A link to a report that works now."""

    share_id: str = Field(examples=["0123456789abcdef"])
    expires_at: str = Field(examples=[MOMENT])


class LinkMade(LinkShown):
    """A new link; its address is shown once."""

    url: str = Field(examples=["/shared/pQ3x…"])


class WebhookShown(Answer):
    """A webhook."""

    webhook_id: str = Field(examples=[ID])
    url: str = Field(examples=["https://example.org/hooks/squash"])
    events: list[str] = Field(examples=[["insights"]])
    created_at: str = Field(examples=[MOMENT])


class WebhookMade(WebhookShown):
    """A new webhook with the secret that signs its messages, shown once."""

    secret: str = Field(examples=["whsec_…"])


class Merged(Promised):
    """Two recordings that are joined."""

    session_id: str = Field(examples=[ID])


class ResearchSession(Answer):
    """A consented session under pseudonyms."""

    session_id: str = Field(examples=[ID])
    player_id: str = Field(examples=[ID])
    session_type: str = Field(examples=["match"])
    sport: str = Field(examples=["squash"])
    month: str = Field(examples=["2026-01"])


class Health(Answer):
    """The truth about database, store and Prefect."""

    status: Literal["ok", "degraded", "down"]
    database: str = Field(examples=["ok"])
    store: str = Field(examples=["ok"])
    prefect: str = Field(examples=["away"])
