"""Answers to a meeting request (iTIP, RFC 5546): a click in a calendar is no letter that somebody must answer.

"Accepted", "Declined" and "Tentative" are kind other with the reason `calendar_reply`: nobody is asked to do anything.
Where the person added words, or proposes another time (METHOD:COUNTER), it is a reply like any other. An invitation
that a customer sends (METHOD:REQUEST) is left to the other detectors.
"""

from __future__ import annotations

import re

from outreach.inbox import intent
from outreach.inbox.parse import Mail
from outreach.inbox.reply_text import reply_text
from outreach.inbox.verdict import Intent, Kind, Verdict

READ = 100_000  # characters of a calendar part: an answer repeats one event
_FOLDED = re.compile(r"\n[ \t]")  # RFC 5545 3.1
_METHOD = re.compile(r"^METHOD:[ \t]*([A-Za-z]{3,20})", re.M | re.I)
_ATTENDED = re.compile(r"^ATTENDEE[^\n]{0,500}PARTSTAT=(?:ACCEPTED|DECLINED|TENTATIVE|DELEGATED)", re.M | re.I)
_COMMENT = re.compile(r"^COMMENT(?:;[^:\n]{0,200})?:([^\n]{1,2000})", re.M | re.I)
_ESCAPED = re.compile(r"\\([nN,;\\])")
# Google, Yahoo and Zoho write the click in words of their own; what stands in the letter is then nobody's.
_BY_PROGRAM = re.compile(r"^PRODID:[^\n]{0,200}(?:google|yahoo|zoho)", re.M | re.I)


def detect(mail: Mail) -> Verdict | None:
    for part in mail.leaves:
        if part.inside == 0 and part.content_type == "text/calendar":
            source = _FOLDED.sub("", part.text[:READ])
            method = (part.params.get("method") or _first(_METHOD, source)).upper()
            if method in ("REPLY", "COUNTER") and (method == "COUNTER" or _ATTENDED.search(source)):
                return _answer(mail, source, method)
    return None


def _answer(mail: Mail, source: str, method: str) -> Verdict:
    words = _ESCAPED.sub(lambda m: "\n" if m[1] in "nN" else m[1], _first(_COMMENT, source)).strip()
    if not words and not _BY_PROGRAM.search(source):
        words = reply_text(mail)
    if method == "COUNTER":
        return Verdict(Kind.REPLY, reply_text=words, intent=Intent.MEETING, detector="calendar")
    if words:
        return Verdict(Kind.REPLY, reply_text=words, intent=intent.of(words), detector="calendar")
    return Verdict(Kind.OTHER, reason="calendar_reply", detector="calendar")


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
