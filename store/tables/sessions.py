"""Sessions and what was sent to them, as it came."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base, now


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
