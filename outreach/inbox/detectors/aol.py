"""AOL's old notices name screen names without a domain."""

from __future__ import annotations

import re

from outreach.inbox import notice
from outreach.inbox.detectors.notice import verdict
from outreach.inbox.naming import MOST, Entry
from outreach.inbox.parse import Mail
from outreach.inbox.verdict import Verdict

_SENDER = re.compile(r"@aol\.[a-z]+", re.I)
_NAME = re.compile(r"[ \t]{1,40}([A-Za-z][\w.]{1,31})[ \t]{0,40}")
STATEMENT = "could not be delivered because"


def detect(mail: Mail) -> Verdict | None:
    if not (_SENDER.search(mail.get("From")) and notice.from_machine(mail)):
        return None
    names = _names(mail.notice)
    return verdict(mail, [Entry(f"{name}@aol.com", mail.notice) for name in names], "aol") if names else None


def _names(text: str) -> list[str]:
    """Screen names, one indented line each, below the statement's colon."""
    start = text.find(STATEMENT)
    colon = text.find(":\n", start) if start >= 0 else -1
    names: list[str] = []
    for line in text[colon + 2 :].split("\n")[:MOST] if colon >= 0 else ():
        found = _NAME.fullmatch(line)
        if found:
            names.append(found[1])
        elif line.strip():
            break
    return names
