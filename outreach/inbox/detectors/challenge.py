"""Challenge-response: a filter that wants the sender to prove to be a person. Ours never answers it; a person may."""

from __future__ import annotations

from outreach.inbox import auto_words
from outreach.inbox.fold import fold
from outreach.inbox.parse import Mail
from outreach.inbox.verdict import Kind, Verdict


def detect(mail: Mail) -> Verdict | None:
    if mail.content_type == "multipart/report" or mail.get("List-Id"):
        return None
    low = fold(mail.text[: auto_words.LIMIT])
    if not auto_words.purpose("challenge", low) or not ("http" in low or "reply" in low or "@" in low):
        return None
    return Verdict(Kind.AUTOREPLY, reason="challenge", reply_text=mail.text.strip(), detector="challenge")
