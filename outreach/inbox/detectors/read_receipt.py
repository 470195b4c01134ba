"""Read receipts (RFC 8098): they say that a program showed the mail, not that a person read it; no reply, no bounce."""

from __future__ import annotations

from outreach.inbox.parse import Mail
from outreach.inbox.verdict import Kind, Verdict


def detect(mail: Mail) -> Verdict | None:
    """A disposition notification is other mail."""
    parts = mail.of_type("message/disposition-notification")
    report = mail.parts[0].params.get("report-type", "").lower() if mail.parts else ""
    if not parts and report != "disposition-notification":
        return None
    body = parts[0].text.lower() if parts else ""
    # Some gateways report a refusal as "automatic-action/…; failed": that is left to the bounce detectors.
    return None if "failed" in body and "displayed" not in body else Verdict(Kind.OTHER, detector="read_receipt")
