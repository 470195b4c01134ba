"""fml, a mailing list manager: it refuses mail from who is not a member."""

from __future__ import annotations

import re

from outreach.inbox import address, notice
from outreach.inbox.detectors.notice import verdict
from outreach.inbox.notice import Entry
from outreach.inbox.parse import Mail
from outreach.inbox.verdict import Verdict

_LIST = re.compile(rf"(?:mailing list|list|to)\s+<({address.ADDRESS})>", re.I)


def detect(mail: Mail) -> Verdict | None:
    if "fml" not in mail.get("X-MLServer").lower():
        return None
    text = notice.text_of(mail)
    if "member" not in text and "rejected" not in text.lower():
        return None
    found = _LIST.search(text)
    return verdict(mail, [Entry(address.clean(found[1]), text)], "fml") if found else None
