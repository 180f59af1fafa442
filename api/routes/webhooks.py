"""Where a user wants to be told, by the Standard Webhooks specification; deliveries run in the workers."""

import base64
import secrets
import uuid
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import Path
from pydantic import Field, field_validator
from sqlalchemy import func, select

from api.access import Asker
from api.answers import WebhookMade, WebhookShown
from api.problems import ANSWERS, Problem
from api.subject import Subject
from api.wire import Wire, iso
from store.tables import Webhook

router = Subject("webhooks", "/api/webhooks", ANSWERS)

MAX_HOOKS = 20
Event = Literal["job", "point", "insights"]


class NewWebhook(Wire):
    """An address on the public internet and what it wants to hear."""

    url: str = Field(max_length=2000, examples=["https://example.org/hooks/squash"])
    events: list[Event] = Field(["insights"], min_length=1, max_length=3)

    @field_validator("url")
    @classmethod
    def _public(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.username or any(ord(char) < 33 for char in url):
            raise ValueError("must be an https:// address without a user name")
        return url


@router.post("", status_code=201, response_model=WebhookMade)
def make(new: NewWebhook, caller: Asker) -> dict[str, Any]:
    """Register a webhook; its signing secret is shown once."""
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    hook = Webhook(
        webhook_id=str(uuid.uuid4()), user_id=caller.user_id, url=new.url, secret=secret, events=list(new.events)
    )
    with caller.begin() as tx:
        if (tx.scalar(select(func.count()).where(Webhook.user_id == caller.user_id)) or 0) >= MAX_HOOKS:
            raise Problem(409, f"There are {MAX_HOOKS} webhooks already; delete one first.")
        tx.add(hook)
        tx.flush()
        return _shown(hook) | {"secret": secret}


def _shown(hook: Webhook) -> dict[str, Any]:
    return {"webhook_id": hook.webhook_id, "url": hook.url, "events": hook.events, "created_at": iso(hook.created_at)}


@router.get("", response_model=list[WebhookShown])
def list_hooks(caller: Asker) -> list[dict[str, Any]]:
    """My webhooks, without their secrets."""
    with caller.look() as tx:
        mine = select(Webhook).where(Webhook.user_id == caller.user_id).order_by(Webhook.created_at)
        return [_shown(hook) for hook in tx.scalars(mine)]


@router.delete("/{webhook_id}", status_code=204)
def remove(webhook_id: Annotated[str, Path(max_length=36)], caller: Asker) -> None:
    """Stop telling."""
    with caller.begin() as tx:
        hook = tx.get(Webhook, webhook_id)
        if hook is None or hook.user_id != caller.user_id:
            raise Problem(404, "There is no such webhook of yours; GET /api/webhooks lists them.")
        tx.delete(hook)
