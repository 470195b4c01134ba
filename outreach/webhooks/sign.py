"""Signs what is posted, after the Standard Webhooks specification (1.0.0): receivers have libraries for it. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

#: How a secret looks to who copies it: the specification's prefix, then base64.
PREFIX = "whsec_"
#: Seconds that a receiver should allow between the timestamp and its own clock (specification: 5 minutes).
TOLERANCE = 300


def key_of(secret: str) -> bytes:
    """Return the bytes of a ``whsec_…`` secret. Raises ValueError for anything else."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("a webhook's secret is whsec_ and base64") from None


def signature(secret: str, number: str, timestamp: int, body: bytes) -> str:
    """Return ``v1,…`` over id, time and body."""
    signed = b".".join((number.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest()).decode()


def headers(secrets: Sequence[str], number: str, now: datetime, body: bytes) -> dict[str, str]:
    """Return the headers of a delivery; while a secret is being changed, both sign."""
    timestamp = int(now.timestamp())
    return {
        "Content-Type": "application/json",
        "Webhook-Id": number,
        "Webhook-Timestamp": str(timestamp),
        "Webhook-Signature": " ".join(signature(secret, number, timestamp, body) for secret in secrets),
    }


def verify(secret: str, given: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether a delivery is genuine and fresh: what a receiver does (docs/webhooks.md)."""
    low = {name.lower(): value for name, value in given.items()}
    number, moment = low.get("webhook-id", ""), low.get("webhook-timestamp", "")
    if not moment.isdecimal() or abs(int(moment) - now.timestamp()) > TOLERANCE:
        return False
    wanted = signature(secret, number, int(moment), body)
    return any(hmac.compare_digest(wanted, one) for one in low.get("webhook-signature", "").split(" "))


#: What of an event's data goes out: words of closed lists, numbers and moments. Nothing that names a person; who may
#: know more asks the API for the contact.
TOLD = (
    "reason",
    "hard",
    "status",
    "intent",
    "via",
    "kind",
    "amount",
    "currency",
    "external_id",
    "return_date",
    "number",
)


def payload(event: Mapping[str, Any]) -> bytes:
    """Return the body for an event's row: ids and closed words alone, as compact JSON with sorted keys."""
    data = {key: event["data"][key] for key in TOLD if event["data"].get(key) is not None}
    known = {key: event[key] for key in ("contact_id", "campaign_id") if event.get(key) is not None}
    message = {"message": event["uid"]} if event.get("uid") else {}
    told = {
        "type": f"message.{event['kind']}" if message else event["kind"],
        "timestamp": event["at"].isoformat(),
        "data": {"event_id": event["id"], "machine": bool(event["machine"]), **known, **message, **data},
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str).encode()
