"""A person's answer to us, with what it is about; anything else is "other". The last detector: it always answers."""

from __future__ import annotations

from outreach.inbox import intent
from outreach.inbox.conversation import is_reply
from outreach.inbox.parse import Mail
from outreach.inbox.reply_text import reply_text
from outreach.inbox.verdict import Kind, Verdict


def detect(mail: Mail) -> Verdict:
    text = reply_text(mail)
    if not is_reply(mail):
        return Verdict(Kind.OTHER, reply_text=text or None, detector="reply")
    return Verdict(Kind.REPLY, reply_text=text, intent=intent.of(text), detector="reply")
