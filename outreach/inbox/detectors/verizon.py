"""Verizon's gateways from mail to mobile phones (vtext.com, vzwpix.com): they know their own subscribers."""

from __future__ import annotations

import re

from outreach.inbox import address
from outreach.inbox.outcome import Outcome, summarise
from outreach.inbox.parse import Mail
from outreach.inbox.verdict import Verdict

_SENDER = re.compile(r"@(?:[a-z0-9-]+\.)*(?:vtext|vzwpix)\.com\b", re.I)
_TO = re.compile(rf"^[ \t]{{0,40}}(?:RCPT )?TO:[ \t]{{0,40}}<?({address.ADDRESS})", re.I | re.M)
_ERROR = re.compile(
    r"^[ \t]{0,40}(?:Error[^\n:]*:[^\n]*|Message could not be delivered[^\n]*|\d\d\d - [^\n]*)", re.I | re.M
)


def detect(mail: Mail) -> Verdict | None:
    text = mail.notice
    if not _SENDER.search(mail.get("From")) or not _ERROR.search(text):
        return None
    said = "\n".join(found[0] for found in _ERROR.finditer(text)).replace(
        "No valid recipients", "unknown user: no valid recipients"
    )
    outcomes = [Outcome(address.clean(found[1]), said, looked_up=True) for found in _TO.finditer(mail.text)]
    return summarise(outcomes[:1], "verizon") if outcomes else None
