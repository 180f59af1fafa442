"""Links to a report: made by its player, opened without a login, gone at a set time or when revoked."""

import secrets
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Path, Request
from fastapi.responses import HTMLResponse
from pydantic import Field
from sqlalchemy import select

from api import ratelimit
from api.access import Asker, SessionId, State
from api.answers import LinkMade, LinkShown
from api.problems import ANSWERS, OPEN_ANSWERS, Problem
from api.routes.insights import REPORT_POLICY
from api.subject import Subject
from api.tokens import digest
from api.wire import Wire, iso
from store.tables import SessionRow, Share, now

router = Subject("shares")


class NewShare(Wire):
    """How long a link shall work."""

    expires_in_days: int = Field(30, ge=1, le=365)


@router.post("/api/sessions/{session_id}/shares", status_code=201, responses=ANSWERS, response_model=LinkMade)
def make(session_id: SessionId, caller: Asker, new: NewShare | None = None) -> dict[str, Any]:
    """Make a link to the report; only a hash of its secret is kept, so it is shown once."""
    secret = secrets.token_urlsafe(24)
    expires_at = now() + timedelta(days=(new or NewShare.model_validate({})).expires_in_days)
    with caller.begin() as tx:
        caller.own_session(tx, session_id)
        share = Share(
            share_hash=digest(secret), session_id=str(session_id), user_id=caller.user_id, expires_at=expires_at
        )
        tx.add(share)
    return {"share_id": digest(secret)[:16], "url": f"/shared/{secret}", "expires_at": iso(expires_at)}


@router.get("/api/sessions/{session_id}/shares", responses=ANSWERS, response_model=list[LinkShown])
def list_shares(session_id: SessionId, caller: Asker) -> list[dict[str, Any]]:
    """Links that work now."""
    with caller.look() as tx:
        caller.own_session(tx, session_id)
        working = Share.session_id == str(session_id), Share.revoked_at.is_(None), Share.expires_at > now()
        found = tx.scalars(select(Share).where(*working))
        return [{"share_id": share.share_hash[:16], "expires_at": iso(share.expires_at)} for share in found]


@router.delete("/api/sessions/{session_id}/shares/{share_id}", status_code=204, responses=ANSWERS)
def revoke(session_id: SessionId, share_id: Annotated[str, Path(pattern="^[0-9a-f]{16}$")], caller: Asker) -> None:
    """Make a link worthless."""
    with caller.begin() as tx:
        caller.own_session(tx, session_id)
        mine = Share.session_id == str(session_id), Share.share_hash.startswith(share_id), Share.revoked_at.is_(None)
        share = tx.scalar(select(Share).where(*mine))
        if share is None:
            raise Problem(404, "There is no such link of this session.")
        share.revoked_at = now()


@router.get("/shared/{secret}", response_class=HTMLResponse, responses=OPEN_ANSWERS)
def open_share(secret: Annotated[str, Path(max_length=64)], request: Request, state: State) -> HTMLResponse:
    """The report behind a link; no login."""
    ratelimit.count(request, state.limiter, "unknown", ratelimit.address(request))
    with state.store.catalog.look() as tx:
        share = tx.get(Share, digest(secret))
        alive = share is not None and share.revoked_at is None and share.expires_at > now()
        row = tx.get(SessionRow, share.session_id) if share is not None and alive else None
    if row is None or row.deleted_at is not None:
        raise Problem(404, "This link does not work (any more); ask the player for a new one.")
    html = state.store.reports.get(row.session_id)
    headers = {
        "Content-Security-Policy": REPORT_POLICY,
        "Cache-Control": "private, no-store",
        "X-Robots-Tag": "noindex",
    }
    return HTMLResponse(html, headers=headers)
