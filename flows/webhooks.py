"""Tell webhooks what happened (Standard Webhooks): signed, retried for three days, never into a private network."""

import base64
import hashlib
import hmac
import ipaddress
import json
import random
import socket
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx
from sqlalchemy import select

from store import Store
from store.tables import Delivery, SessionEvent, Webhook, now

TIMEOUT_S = 15
#: Waits after each failed try; the last one is the end.
WAITS_S = (5, 60, 300, 1800, 7200, 21_600, 43_200, 86_400, 86_400)
LOOK_BACK = timedelta(days=1)
#: Only what a job has come to is told, not each of its steps.
ENDS = ("completed", "failed")

#: What of IPv6 is given to anybody; NAT64 (64:ff9b::), mapped and site-local addresses lie elsewhere.
UNICAST = ipaddress.ip_network("2000::/3")
#: IETF's own block, where one cloud keeps its metadata; Python takes most of it for public.
PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")

Guard = Callable[[str], bool]


def is_public(address: str) -> bool:
    """Whether an address lies on the public internet, not in what of IPv6 leads to addresses of IPv4."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv4Address):
        return found.is_global and not found.is_multicast and found not in PROTOCOLS
    return found in UNICAST and found.is_global and found.sixtofour is None and found.teredo is None


def signature(secret: str, message_id: str, timestamp: int, body: str) -> str:
    """The `webhook-signature` of a message."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def tell(store: Store, *, may_reach: Guard = is_public) -> int:
    """Queue what happened since and deliver what is due; return how many messages were taken."""
    _queue(store)
    with store.catalog.begin() as tx:
        due = Delivery.delivered_at.is_(None), Delivery.next_at <= now(), Delivery.attempts <= len(WAITS_S)
        query = select(Delivery, Webhook).join(Webhook, Webhook.webhook_id == Delivery.webhook_id).where(*due)
        rows = [(delivery, hook) for delivery, hook in tx.execute(query.order_by(Delivery.next_at).limit(100))]
    return sum(_deliver(store, delivery, hook, may_reach) for delivery, hook in rows)


def _queue(store: Store) -> None:
    """One delivery for each event and webhook; its id is made of both, so that doing it again changes nothing."""
    with store.catalog.begin() as tx:
        for hook in tx.scalars(select(Webhook)):
            since = max(hook.created_at, now() - LOOK_BACK)
            mine = SessionEvent.user_id == hook.user_id, SessionEvent.created_at >= since
            for event in tx.scalars(select(SessionEvent).where(*mine)):
                name = _name(event, hook)
                delivery_id = str(uuid.uuid5(uuid.UUID(hook.webhook_id), f"{event.event_id}"))
                if name is None or tx.get(Delivery, delivery_id) is not None:
                    continue
                data = {"session_id": event.session_id, **event.data}
                row = {"delivery_id": delivery_id, "webhook_id": hook.webhook_id, "user_id": hook.user_id}
                tx.add(Delivery(**row, event=name, data=data))


def _name(event: SessionEvent, hook: Webhook) -> str | None:
    """What the webhook hears of an event; None if it did not ask."""
    if event.event == "job" and event.data.get("status") not in ENDS:
        return None
    if event.event == "job" and event.data["status"] == "completed" and "insights" in hook.events:
        return "insights.ready"
    return f"{event.event}.{event.data.get('status') or event.data.get('op')}" if event.event in hook.events else None


def _deliver(store: Store, delivery: Delivery, hook: Webhook, may_reach: Guard) -> bool:
    error = _send(delivery, hook, may_reach)
    with store.catalog.begin() as tx:
        row = tx.get(Delivery, delivery.delivery_id)
        if row is None:
            return False
        row.attempts += 1
        row.last_error = error
        if error is None:
            row.delivered_at = now()
        else:
            wait_s = WAITS_S[min(row.attempts, len(WAITS_S)) - 1] * random.uniform(1, 1.2)
            row.next_at = now() + timedelta(seconds=wait_s)
    return error is None


def _send(delivery: Delivery, hook: Webhook, may_reach: Guard) -> str | None:
    moment: datetime = now()
    message = {"type": delivery.event, "timestamp": moment.isoformat().replace("+00:00", "Z"), "data": delivery.data}
    body, stamp = json.dumps(message), int(moment.timestamp())
    parts = urlsplit(hook.url)
    try:
        address = _address(parts.hostname or "", parts.port or 443, may_reach)
        headers = {
            "Host": parts.netloc,
            "Content-Type": "application/json",
            "webhook-id": delivery.delivery_id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": signature(hook.secret, delivery.delivery_id, stamp, body),
        }
        # The address that was checked is the one that is called: the name may resolve to another one by now.
        url = httpx.URL(hook.url).copy_with(host=address)
        with httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client:
            request = client.build_request("POST", url, content=body, headers=headers)
            request.extensions["sni_hostname"] = parts.hostname
            answer = client.send(request, stream=True)
            answer.close()
    except (httpx.HTTPError, OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"[:300]
    return None if answer.is_success else f"answered {answer.status_code}"


def _address(host: str, port: int, may_reach: Guard) -> str:
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not found or not all(may_reach(address) for address in found):
        raise ValueError(f"{host} lies in a private network, must be on the public internet")
    return found[0]
