"""The catalog's tables: what is known of people, sessions and work; samples never live here."""

from store.tables.base import Base, UtcTime, now
from store.tables.people import AccessLog, AthleteSettings, Device, DeviceCode, Grant, RefreshToken, User
from store.tables.results import AnalysisRow, Equivalence, Report, Revision
from store.tables.sessions import LabelSet, PointEvent, SessionRow, Upload
from store.tables.telling import Delivery, SessionEvent, Share, Webhook
from store.tables.work import IdempotencyKey, Job, Lock

__all__ = [
    "AccessLog",
    "AnalysisRow",
    "AthleteSettings",
    "Base",
    "Delivery",
    "Device",
    "DeviceCode",
    "Equivalence",
    "Grant",
    "IdempotencyKey",
    "Job",
    "LabelSet",
    "Lock",
    "PointEvent",
    "RefreshToken",
    "Report",
    "Revision",
    "SessionEvent",
    "SessionRow",
    "Share",
    "Upload",
    "User",
    "UtcTime",
    "Webhook",
    "now",
]
