"""Amazon SES events as mail: SNS forwards JSON, bare or wrapped in its own envelope."""

from __future__ import annotations

import json
from typing import Any

from outreach.inbox.outcome import Outcome, summarise
from outreach.inbox.parse import Mail
from outreach.inbox.verdict import Kind, Verdict

LONGEST = 400_000  # characters; SNS allows 256 kB a message
_DECODER = json.JSONDecoder(strict=False)


def detect(mail: Mail) -> Verdict | None:
    text = mail.text
    if "notificationType" not in text and "eventType" not in text:
        return None
    event = _event(text[:LONGEST])
    kind = str(event.get("notificationType") or event.get("eventType") or "").lower() if event else ""
    if kind == "bounce":
        return _bounce(event)
    if kind == "complaint":
        who = _addresses(event.get("complaint"), "complainedRecipients")
        return Verdict(Kind.COMPLAINT, recipients=who, reason="abuse", detector="ses_event")
    return Verdict(Kind.OTHER, detector="ses_event") if kind in ("delivery", "send", "open", "click") else None


def _event(text: str) -> dict[str, Any]:
    """The event object in `text`; {} when there is none. JSON nested too deep counts as none."""
    text = text.replace("!\n ", "").replace("!\r\n ", "")  # Sendmail's mark where it broke a line that was too long
    start = text.find("{")
    try:
        found = _DECODER.raw_decode(text, start)[0] if start >= 0 else {}
        inner = found.get("Message") if isinstance(found, dict) else None
        found = _DECODER.decode(inner) if isinstance(inner, str) and inner.lstrip().startswith("{") else found
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _addresses(body: Any, name: str) -> tuple[str, ...]:
    rows = body.get(name, []) if isinstance(body, dict) else []
    return tuple(str(row["emailAddress"]) for row in rows if isinstance(row, dict) and row.get("emailAddress"))


# bounceSubType, in words that the tables of reasons know, where no server's words are given (SES Developer Guide,
# "Bounce types"). An undetermined bounce says nothing.
_SUBTYPES = {
    "General": "", "NoEmail": "550 5.1.1 no such user", "Suppressed": "550 5.1.1 address suppressed",
    "OnAccountSuppressionList": "550 5.1.1 address suppressed", "MailboxFull": "552 5.2.2 mailbox full",
    "MessageTooLarge": "552 5.3.4 message too large", "ContentRejected": "554 5.6.0 content rejected",
    "AttachmentRejected": "552 5.7.0 blocked attachment", "CustomTimeoutExceeded": "4.4.7 message expired",
}  # fmt: skip


def _said(body: Any) -> str:
    if not isinstance(body, dict):
        return ""
    kind, subtype = str(body.get("bounceType") or ""), str(body.get("bounceSubType") or "")
    return "550 5.1.1 no such user" if (kind, subtype) == ("Permanent", "General") else _SUBTYPES.get(subtype, "")


def _bounce(event: dict[str, Any]) -> Verdict | None:
    body = event.get("bounce")
    rows = body.get("bouncedRecipients", []) if isinstance(body, dict) else []
    outcomes = [
        Outcome(
            recipient=str(row["emailAddress"]),
            text=str(row.get("diagnosticCode") or "").removeprefix("smtp;").strip() or _said(body),
            status=str(row.get("status") or "") or None,
            delayed=str(row.get("action") or "failed").lower() == "delayed",
        )
        for row in rows
        if isinstance(row, dict) and row.get("emailAddress")
    ]
    return summarise(outcomes, "ses_event") if outcomes else None
