"""The catalog's tables: what is known of people, sessions and work; samples never live here."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, Index, String, TypeDecorator, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC: SQLite forgets zones, so they are put on again when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse moments without a zone."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"time {value} has no zone, must be aware")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Put UTC on."""
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables; ids are UUIDs as text so that SQLite and PostgreSQL agree."""

    type_annotation_map = {datetime: UtcTime, dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012


def now() -> datetime:
    """The current moment, UTC."""
    return datetime.now(UTC)


class User(Base):
    """A person; `subject` is the id that an external issuer gave."""

    __tablename__ = "users"
    user_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    password_hash: Mapped[str | None]
    full_name: Mapped[str | None]
    role: Mapped[str] = mapped_column(default="player")  # player, coach, researcher, admin
    timezone: Mapped[str] = mapped_column(default="UTC")
    research_consent: Mapped[bool] = mapped_column(default=False)
    keep_originals: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class AthleteSettings(Base):
    """What held from a day on; a session is judged with the newest row not after its start (else the oldest)."""

    __tablename__ = "athlete_settings"
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True)
    valid_from: Mapped[datetime] = mapped_column(primary_key=True)
    hr_max_bpm: Mapped[float | None]
    hr_rest_bpm: Mapped[float | None]
    birth_year: Mapped[int | None]
    sex: Mapped[str | None]
    hand: Mapped[str | None]


class Device(Base):
    """A watch or phone that signed in or was paired."""

    __tablename__ = "devices"
    device_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)


class DeviceCode(Base):
    """A pairing under way (RFC 8628); only hashes of the device code are kept."""

    __tablename__ = "device_codes"
    device_code_hash: Mapped[str] = mapped_column(primary_key=True)
    user_code: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"))
    device_name: Mapped[str]
    expires_at: Mapped[datetime]
    polled_at: Mapped[datetime | None]
    interval_s: Mapped[int] = mapped_column(default=5)
    redeemed: Mapped[bool] = mapped_column(default=False)


class RefreshToken(Base):
    """One refresh token of a family; using a spent one again revokes the family."""

    __tablename__ = "refresh_tokens"
    token_hash: Mapped[str] = mapped_column(primary_key=True)
    family_id: Mapped[str] = mapped_column(String(36), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    device_id: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Grant(Base):
    """A player lets a coach see their sessions, until withdrawn."""

    __tablename__ = "grants"
    player_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True)
    coach_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class SessionRow(Base):
    """A match or training session; `revision` and `analysis_key` are the two pointers that derived work moves."""

    __tablename__ = "sessions"
    session_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"))
    session_type: Mapped[str] = mapped_column(default="match")
    sport: Mapped[str] = mapped_column(default="squash")
    scoring_system: Mapped[str | None]
    opponent_name: Mapped[str | None]
    location: Mapped[str | None]
    notes: Mapped[str | None]
    start_time: Mapped[datetime]
    end_time: Mapped[datetime | None]
    final_score_me: Mapped[int | None]
    final_score_opponent: Mapped[int | None]
    total_games: Mapped[int | None]
    total_lets: Mapped[int | None]
    details: Mapped[dict[str, Any]] = mapped_column("metadata", default=dict)
    linked_to: Mapped[str | None] = mapped_column(String(36))  # the primary of two recordings of one match
    revision: Mapped[str | None]  # hash of the uploads behind the current Zarr revision
    analysis_key: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    deleted_at: Mapped[datetime | None]
    __table_args__ = (Index("sessions_of_user", "user_id", "start_time"),)


class Upload(Base):
    """One thing a device sent, as it came: the bytes lie in the blob store under their sha256."""

    __tablename__ = "uploads"
    upload_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.session_id", ondelete="CASCADE"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"))
    kind: Mapped[str]  # file, hr, sensor, gps, spo2, temperature, activity
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    bytes: Mapped[int]
    name: Mapped[str | None]
    content_type: Mapped[str | None]
    received_at: Mapped[datetime] = mapped_column(default=now)
    error: Mapped[str | None]  # why it was set aside; the bytes are kept
    __table_args__ = (UniqueConstraint("session_id", "kind", "sha256"),)


class PointEvent(Base):
    """Append-only: `op` is add, edit, delete or undo of `point_id`; the newest event of a point holds."""

    __tablename__ = "point_events"
    event_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.session_id", ondelete="CASCADE"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"))
    point_id: Mapped[str] = mapped_column(String(36))
    op: Mapped[str]
    body: Mapped[dict[str, Any]] = mapped_column(default=dict)  # the wire form, `timestamp` filled in
    server_clock: Mapped[bool] = mapped_column(default=False)
    received_at: Mapped[datetime] = mapped_column(default=now)


class Revision(Base):
    """A Zarr group made from a set of uploads; written once."""

    __tablename__ = "revisions"
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.session_id", ondelete="CASCADE"), primary_key=True)
    revision: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"))
    path: Mapped[str]
    bytes: Mapped[int] = mapped_column(default=0)
    resolution: Mapped[str] = mapped_column(default="full")  # full, reduced, summary
    created_at: Mapped[datetime] = mapped_column(default=now)


class AnalysisRow(Base):
    """The result of one analysis; the key hashes revision, points, athlete and algorithm, so it is never made twice."""

    __tablename__ = "analyses"
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.session_id", ondelete="CASCADE"), primary_key=True)
    analysis_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"))
    revision: Mapped[str]
    algorithm_version: Mapped[str]
    fingerprints: Mapped[dict[str, Any]]  # by detector: fingerprint and key of its findings
    path: Mapped[str]  # Zarr of events beside analysis.json
    summary: Mapped[dict[str, Any]]  # the figures that lists, statistics and trends read
    created_at: Mapped[datetime] = mapped_column(default=now)


class Job(Base):
    """Outbox and progress in one: a row is the promise that the work will be done, whoever is down meanwhile."""

    __tablename__ = "jobs"
    job_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    session_id: Mapped[str | None] = mapped_column(ForeignKey("sessions.session_id", ondelete="CASCADE"), index=True)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"))
    kind: Mapped[str]  # process, rerun, render
    status: Mapped[str] = mapped_column(default="queued", index=True)  # queued, processing, completed, failed
    stage: Mapped[str] = mapped_column(default="queued")
    progress: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    finished_at: Mapped[datetime | None]


class Lock(Base):
    """One holder per name; a lock that has not beaten for a while may be taken over."""

    __tablename__ = "locks"
    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    beaten_at: Mapped[datetime]


class SessionEvent(Base):
    """What the stream of server-sent events replays."""

    __tablename__ = "session_events"
    event_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.session_id", ondelete="CASCADE"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"))
    event: Mapped[str]  # job, point, insights
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Report(Base):
    """An executed notebook as a page; keyed by analysis and notebook."""

    __tablename__ = "reports"
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.session_id", ondelete="CASCADE"), primary_key=True)
    report_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"))
    analysis_key: Mapped[str]
    notebook: Mapped[str]
    path: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Share(Base):
    """A link to a report that its player made; only a hash of the link's secret is kept."""

    __tablename__ = "shares"
    share_hash: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.session_id", ondelete="CASCADE"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Webhook(Base):
    """Where a user wants to be told; the secret signs deliveries (Standard Webhooks)."""

    __tablename__ = "webhooks"
    webhook_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    url: Mapped[str]
    secret: Mapped[str]
    events: Mapped[list[Any]]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Delivery(Base):
    """One message to one webhook, retried until it is taken or given up."""

    __tablename__ = "deliveries"
    delivery_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.webhook_id", ondelete="CASCADE"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"))
    event: Mapped[str]
    data: Mapped[dict[str, Any]]
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(default=now, index=True)
    delivered_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class LabelSet(Base):
    """What a person says happened, by author and version; corrections by the player are label sets too."""

    __tablename__ = "label_sets"
    label_set_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.session_id", ondelete="CASCADE"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"))
    author: Mapped[str]
    version: Mapped[int]
    kind: Mapped[str] = mapped_column(default="labels")  # labels, corrections
    labels: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=now)


class IdempotencyKey(Base):
    """The answer given to a keyed POST, kept for seven days."""

    __tablename__ = "idempotency_keys"
    user_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    status: Mapped[int | None]  # None while the first request is in flight
    body: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Equivalence(Base):
    """A new fingerprint that was shown to give the same outputs as an old one (`squash rerun --accept`)."""

    __tablename__ = "equivalences"
    detector: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    same_as: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)


class AccessLog(Base):
    """Who opened whose session."""

    __tablename__ = "access_log"
    entry_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    actor_id: Mapped[str]
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"))
    session_id: Mapped[str]
    what: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)
