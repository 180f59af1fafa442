"""Work that is promised, who does it, and answers that are given once."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base, now

WAITING = text("status = 'queued'")


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
    __table_args__ = (
        Index("one_waiting_job", "session_id", "kind", unique=True, sqlite_where=WAITING, postgresql_where=WAITING),
    )


class Lock(Base):
    """One holder per name; a lock that has not beaten for a while may be taken over."""

    __tablename__ = "locks"
    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    beaten_at: Mapped[datetime]


class IdempotencyKey(Base):
    """The answer given to a keyed POST, kept for seven days."""

    __tablename__ = "idempotency_keys"
    user_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    status: Mapped[int | None]  # None while the first request is in flight
    body: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=now)
