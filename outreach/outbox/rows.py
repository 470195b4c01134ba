"""Makes the rows of the outbox: everything random about a message is fixed here, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from outreach.model.enums import MessageState

NEEDED = ("campaign_id", "contact_id", "address", "address_key", "mailbox_id", "due_at")
KNOWN = frozenset(
    (
        *NEEDED,
        "step",
        "company_id",
        "domain",
        "language",
        "variant",
        "is_pilot",
        "country",
        "tz",
        "state",
        "reason",
        "uid",
    )
) | {"message_id", "mail_domain"}


def message_row(given: Mapping[str, Any], make_uid: Callable[[], str]) -> dict[str, Any]:
    """Return a full row from what the planner knows. Raises ValueError for a missing or unknown key.

    The Message-ID is `uid` @ `mail_domain`, the sending mailbox's domain: spam filters compare the two.
    """
    missing = [key for key in NEEDED if given.get(key) is None]
    unknown = sorted(set(given) - KNOWN)
    if missing or unknown:
        raise ValueError(f"a message row lacks {missing} or has unknown keys {unknown}")
    uid = given.get("uid") or make_uid()
    return {
        "uid": uid,
        "message_id": given.get("message_id") or f"{uid}@{_mail_domain(given)}",
        "campaign_id": given["campaign_id"],
        "step": given.get("step", 0),
        "contact_id": given["contact_id"],
        "company_id": given.get("company_id"),
        "address": given["address"],
        "address_key": given["address_key"],
        "domain": given.get("domain") or given["address"].rpartition("@")[2].lower(),
        "mailbox_id": given["mailbox_id"],
        "state": given.get("state", MessageState.QUEUED),
        "reason": given.get("reason"),
        "language": given.get("language") or "en",
        "variant": given.get("variant"),
        "is_pilot": bool(given.get("is_pilot", False)),
        "country": given.get("country"),
        "tz": given.get("tz"),
        "due_at": given["due_at"],
        "attempts": 0,
    }


def _mail_domain(given: Mapping[str, Any]) -> str:
    domain = given.get("mail_domain")
    if not domain:
        raise ValueError("a message row needs mail_domain (the sending mailbox's domain) or a message_id")
    return str(domain)
