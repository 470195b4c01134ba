"""Is a mail part of a conversation? It refers to a message, or its subject does, or it quotes one; no list or program sent it."""

from __future__ import annotations

import re

from outreach.inbox import quotation
from outreach.inbox.fold import fold
from outreach.inbox.parse import Mail

_RE = re.compile(
    r"^\s*(?:\[[^\]]{1,40}\]\s*)?(?:re|aw|antw|sv|vs|odp|ynt|yanit|rif|r|res|ref|rv|回复|答复|回覆|回復|返信|답장|회신|رد|"
    r"отв|ответ|ха|hts|vá|bls|tl|pd|να|απ|trả lời)\s?(?:\[\d+\]|\(\d+\))?\s?[:：]"
)
_MASS = ("List-Id", "List-Post", "List-Unsubscribe", "Feedback-ID")


def is_reply(mail: Mail) -> bool:
    if mail.get("Precedence").strip().lower() in ("bulk", "list", "junk") or any(mail.get(n) for n in _MASS):
        return False
    if mail.get("Auto-Submitted").strip().lower() not in ("", "no"):
        return False
    if mail.get("In-Reply-To").strip() or mail.get("References").strip():
        return True
    return bool(_RE.match(fold(mail.subject[:200]))) or _quotes(mail)


def _quotes(mail: Mail) -> bool:
    """The mail quotes another one under an attribution. A copied header alone is as often a forward."""
    lines = mail.text[:20_000].split("\n")[:400]
    return any((":" in line or "<" in line) and quotation.attribution(lines, at) for at, line in enumerate(lines))
