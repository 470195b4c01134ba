"""AOL's old notices name screen names without a domain."""

from __future__ import annotations

import re

from outreach.inbox import notice
from outreach.inbox.detectors.notice import verdict
from outreach.inbox.naming import Entry
from outreach.inbox.parse import Mail
from outreach.inbox.verdict import Verdict

_NAMES = re.compile(
    r"could not be delivered because[^:]{0,200}:?[^:\n]*\n?[^\n:]*:\s*\n((?:\s*\n|[ \t]+[A-Za-z][\w.]{1,31}[ \t]*\n)+)"
)
_SENDER = re.compile(r"@aol\.[a-z]+", re.I)


def detect(mail: Mail) -> Verdict | None:
    if not (_SENDER.search(mail.get("From")) and notice.from_machine(mail)):
        return None
    text = mail.notice + "\n"
    found = _NAMES.search(text)
    if found is None:
        return None
    return verdict(mail, [Entry(f"{name}@aol.com", text) for name in found[1].split()], "aol")
