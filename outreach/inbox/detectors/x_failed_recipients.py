"""X-Failed-Recipients: Exim, Gmail and others name the failed addresses in a header of their notice."""

from __future__ import annotations

from outreach.inbox import address, notice
from outreach.inbox.detectors.notice import verdict
from outreach.inbox.naming import Entry
from outreach.inbox.parse import Mail
from outreach.inbox.verdict import Verdict


def detect(mail: Mail) -> Verdict | None:
    named = [a for value in mail.get_all("X-Failed-Recipients") for a in address.find_all(value)]
    if not named:
        return None
    return verdict(mail, [Entry(who, notice.about(mail, who)) for who in dict.fromkeys(named)], "x_failed_recipients")
