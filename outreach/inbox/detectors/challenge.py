"""Challenge-response: a program asks the sender to prove to be a person. Nobody answers it by itself."""

from __future__ import annotations

import re

from outreach.inbox.fold import fold
from outreach.inbox.parse import Mail
from outreach.inbox.verdict import Kind, Verdict

_ASKS = re.compile(
    r"(?:please |to )?(?:confirm|verify|prove) (?:that )?(?:you are|your e-?mail|yourself|delivery of your message|the message).{0,120}(?:click|reply|link)|"
    r"(?:click|follow) (?:on )?(?:the|this) link.{0,80}(?:deliver|release|approve|add you to)|challenge[/ -]response|spam ?arrest|boxbe|"
    r"sender (?:verification|confirmation) (?:required|request)|added to (?:my|the) (?:guest|approved) list"
)


def detect(mail: Mail) -> Verdict | None:
    """A challenge is an auto-reply; `detector` names it, so that the owner gets a task."""
    if not (mail.get("Auto-Submitted").lower().startswith("auto") or mail.get("X-Challenge") or mail.get("Precedence")):
        return None
    if _ASKS.search(fold(mail.text[:3000])):
        return Verdict(Kind.AUTOREPLY, detector="challenge")
    return None
