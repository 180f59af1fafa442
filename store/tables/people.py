"""People: who they are, what held of their bodies, their devices and logins, and whom they let look."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base, now


class User(Base):
    """A person; `subject` is the id that an external issuer gave."""

    __tablename__ = "users"
    user_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    password_hash: Mapped[str | None] = mapped_column(deferred=True)  # read only where a login asks for it
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


class AccessLog(Base):
    """Who opened whose session."""

    __tablename__ = "access_log"
    entry_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    actor_id: Mapped[str]
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"))
    session_id: Mapped[str]
    what: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)
