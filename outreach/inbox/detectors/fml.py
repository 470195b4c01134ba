"""fml, a mailing list manager: it refuses mail from who is not a member, and mail that it has seen before."""

from __future__ import annotations

import re

from outreach.inbox import address
from outreach.inbox.outcome import Outcome, summarise
from outreach.inbox.parse import Mail
from outreach.inbox.verdict import Verdict

_LIST = re.compile(rf"(?:mailing list|list|to|message-id in|from|for)\s+<({address.ADDRESS})>", re.I)
_SUBJECT = re.compile(
    r"(?:are not member|not a member|loop alert|security alert|duplicated message-id|rejected|error)"
    r".{0,60}\(.{1,40} ML\)",
    re.I,
)
REASONS = (
    ("member", "rejected"),
    ("duplicated", "systemerror"),
    ("loop", "systemerror"),
    ("security", "securityerror"),
)


def detect(mail: Mail) -> Verdict | None:
    if "fml" not in mail.get("X-MLServer").lower() and not _SUBJECT.search(mail.subject):
        return None
    text = mail.notice
    words = f"{mail.subject} {text}".lower()
    reason = next((reason for word, reason in REASONS if word in words), None)
    found = _LIST.search(text)
    if reason is None or found is None:
        return None
    verdict = summarise([Outcome(address.clean(found[1]), text)], "fml")
    return verdict.but(reason=reason, hard=False, findings=tuple(f.because(reason) for f in verdict.findings))
