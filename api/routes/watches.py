"""Watches that act for me: which they are, and how a lost one is shut out."""

import uuid
from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, Field
from sqlalchemy import func, select

from api import tokens
from api.access import Asker
from api.problems import ANSWERS, Problem
from api.subject import Subject
from api.wire import iso
from store.tables import Device, RefreshToken, now

router = Subject("auth", "/api/auth/devices", ANSWERS)


class Paired(BaseModel):
    """A watch that was paired and may act for its player."""

    device_id: uuid.UUID
    name: str = Field(examples=["Forerunner 265"])
    paired_at: str = Field(examples=["2026-01-15T09:58:00.000Z"])
    last_login_at: str = Field(description="When it last got a new token", examples=["2026-01-15T09:58:00.000Z"])


@router.get("", response_model=list[Paired])
def list_devices(caller: Asker) -> list[dict[str, Any]]:
    """Paired watches whose login still holds, newest first."""
    alive = RefreshToken.revoked_at.is_(None), RefreshToken.expires_at > now()
    last = func.max(RefreshToken.created_at)
    query = (
        select(Device, last)
        .join(RefreshToken, RefreshToken.device_id == Device.device_id)
        .where(Device.user_id == caller.user_id, *alive)
        .group_by(*Device.__table__.c)
        .order_by(Device.created_at.desc())
    )
    with caller.look() as tx:
        return [
            {
                "device_id": device.device_id,
                "name": device.name,
                "paired_at": iso(device.created_at),
                "last_login_at": iso(last_login_at),
            }
            for device, last_login_at in tx.execute(query)
        ]


@router.delete("/{device_id}", status_code=204)
def unpair(device_id: Annotated[uuid.UUID, Path(description="The watch's id")], caller: Asker) -> None:
    """Shut a watch out, at once; what it sent stays."""
    mine = RefreshToken.device_id == str(device_id), RefreshToken.user_id == caller.user_id
    with caller.begin() as tx:
        families = set(tx.scalars(select(RefreshToken.family_id).where(*mine, RefreshToken.revoked_at.is_(None))))
        if not families:
            raise Problem(404, f"There is no watch {device_id} of yours; GET /api/auth/devices lists them.")
        for family_id in families:
            tokens.revoke_family(tx, family_id)
