"""A person's answer: it refers to an earlier mail or carries a quotation. Everything else is other mail."""

from __future__ import annotations

import re

from outreach.inbox.intent import intent_of
from outreach.inbox.parse import Mail
from outreach.inbox.quotation import attribution, header_block, is_divider
from outreach.inbox.reply_text import reply_text
from outreach.inbox.verdict import Kind, Verdict

_RE = re.compile(
    r"^\s*(?:re|aw|antw|sv|vs|odp|r|rif|res|ynt|回复|回復|回覆|答复|答覆|返信|답장|회신|رد|tr|trl)\s*(?:\[\d+\])?\s*[:：]",
    re.I,
)
_LIST = ("List-Id", "List-Unsubscribe", "List-Post")
READ_LINES = 400


def detect(mail: Mail) -> Verdict | None:
    """A reply with its own text and what it wants; None for mail that answers nothing."""
    if not _answers(mail):
        return None
    text = reply_text(mail)
    return Verdict(Kind.REPLY, reply_text=text, intent=intent_of(text), detector="reply")


def _answers(mail: Mail) -> bool:
    if any(mail.get(name) for name in _LIST) and not mail.get("In-Reply-To"):
        return False
    if mail.get("In-Reply-To") or mail.get("References"):
        return True
    return bool(_RE.match(mail.subject)) or _has_quotation(mail)


def _has_quotation(mail: Mail) -> bool:
    lines = mail.text.split("\n")[:READ_LINES]
    return any(
        attribution(lines, index) or (index and (header_block(lines, index) or _names_original(line)))
        for index, line in enumerate(lines)
        if line.strip()
    )


def _names_original(line: str) -> bool:
    return is_divider(line) and bool(re.search(r"[^\W_]", line)) and "forward" not in line.lower()
