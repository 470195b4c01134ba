"""A person's answer to us, as against everything else that lands in a mailbox.

It refers to a message (In-Reply-To, References), or its subject does ("Re:", "AW:", "回复:"), or it quotes one; and no
mailing list or program sent it.
"""

from __future__ import annotations

import re

from outreach.inbox import intent, quotation
from outreach.inbox.fold import fold
from outreach.inbox.parse import Mail
from outreach.inbox.reply_text import reply_text
from outreach.inbox.verdict import Kind, Verdict

_RE = re.compile(
    r"^\s*(?:\[[^\]]{1,40}\]\s*)?(?:re|aw|antw|sv|vs|odp|ynt|yanit|rif|r|res|ref|rv|回复|答复|回覆|回復|返信|답장|회신|رد|"
    r"отв|ответ|ха|hts|vá|bls|tl|pd|να|απ|trả lời)\s?(?:\[\d+\]|\(\d+\))?\s?[:：]"
)
_MASS = ("List-Id", "List-Post", "List-Unsubscribe", "Feedback-ID")


def detect(mail: Mail) -> Verdict:
    text = reply_text(mail)
    if not is_reply(mail):
        return Verdict(Kind.OTHER, reply_text=text or None, detector="reply")
    return Verdict(Kind.REPLY, reply_text=text, intent=intent.of(text), detector="reply")


def is_reply(mail: Mail) -> bool:
    if mail.get("Precedence").strip().lower() in ("bulk", "list", "junk") or any(mail.get(n) for n in _MASS):
        return False
    if mail.get("Auto-Submitted").strip().lower() not in ("", "no"):
        return False
    if mail.get("In-Reply-To").strip() or mail.get("References").strip():
        return True
    return bool(_RE.match(fold(mail.subject[:200]))) or _quotes(mail)


def _quotes(mail: Mail) -> bool:
    """The mail quotes another one under an attribution."""
    lines = mail.text[:20_000].split("\n")[:400]
    return any(quotation.attribution(lines, at) for at in range(len(lines)) if ":" in lines[at] or "<" in lines[at])
