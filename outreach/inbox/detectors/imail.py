"""IMail Server (SMTP32): one line, "Unknown user: name@domain", and the message."""

from __future__ import annotations

import re

from outreach.inbox import address, notice
from outreach.inbox.outcome import Outcome, summarise
from outreach.inbox.parse import Mail
from outreach.inbox.verdict import Verdict

_LINE = re.compile(
    r"^(?P<why>(?:unknown (?:user|host)|user mailbox exceeds allowed size|delivery failed \d+ attempts"
    r"|undeliverable to|user does not exist"
    rf"|invalid user|unknown local user|mailbox over quota)[^\n:<]{{0,40}}?)[: ]+<?(?P<who>{address.ADDRESS})",
    re.I | re.M,
)


def detect(mail: Mail) -> Verdict | None:
    if "SMTP32" not in mail.get("X-Mailer") and not _original_follows(mail):
        return None
    text = mail.notice
    outcomes = [
        Outcome(address.clean(found["who"]), f"{found['why']}\n{text}", looked_up=True)
        for found in _LINE.finditer(text)
    ]
    return summarise(outcomes, "imail") if outcomes else None


def _original_follows(mail: Mail) -> bool:
    return notice.from_machine(mail) and "Original message follows." in mail.text[:3000]
