"""What is made of sessions: written once, then pointed at."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base, now


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


class Equivalence(Base):
    """A new fingerprint that was shown to give the same outputs as an old one (`squash rerun --accept`)."""

    __tablename__ = "equivalences"
    detector: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    same_as: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
