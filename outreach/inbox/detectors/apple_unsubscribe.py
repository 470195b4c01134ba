"""Apple Mail's "unsubscribe" button: it mails the List-Unsubscribe address for its user, who thereby opts out."""

from __future__ import annotations

from outreach.inbox.parse import Mail
from outreach.inbox.verdict import Kind, Verdict


def detect(mail: Mail) -> Verdict | None:
    if mail.get("X-Apple-Unsubscribe").strip().lower() != "true":
        return None
    who = (mail.from_addr,) if mail.from_addr else ()
    return Verdict(Kind.COMPLAINT, recipients=who, reason="opt-out", detector="apple_unsubscribe")
