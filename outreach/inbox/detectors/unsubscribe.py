"""Wishes to get no more mail, written by a person or by a mail program's unsubscribe button (RFC 2369 mailto).

Only what the person wrote this time counts: the footer in the quoted newsletter says "unsubscribe" in every answer. Other
people's newsletters and invoices have such footers too, so mass mail is never a wish.
"""

from __future__ import annotations

import re
from functools import cache

from outreach.inbox import intent
from outreach.inbox.conversation import is_reply
from outreach.inbox.fold import fold
from outreach.inbox.parse import Mail
from outreach.inbox.phrases import any_of, said
from outreach.inbox.reply_text import own_words, reply_text
from outreach.inbox.verdict import Kind, Verdict

LIMIT = 1_500  # characters of a letter that are read: a wish stands in a short one
_LETTER = 600  # characters; whoever writes more than that without being asked wants to sell, and has a footer
_TOKEN = re.compile(r"^\s*unsub(?:scribe)?\s*[:=_ -]\s*[\w.:=+/-]{8,}\s*$", re.I)
_MASS = ("List-Unsubscribe", "List-Id", "List-Post", "Feedback-ID")
_CLAUSE = re.compile(r"(?<=[.!?;\n])\s+|(?<=[。！？；])")
_PREFIX = re.compile(r"^(?:\s*[^\s:]{1,6}\s?:\s*)+")


def detect(mail: Mail) -> Verdict | None:
    text = reply_text(mail)
    if not is_wish(mail, text):
        return None
    return Verdict(Kind.UNSUBSCRIBE, reply_text=text, intent=intent.not_interested(text), detector="unsubscribe")


def is_wish(mail: Mail, text: str) -> bool:
    if _TOKEN.match(mail.subject):
        return True
    if any(mail.get(name) for name in _MASS):
        return False
    own = own_words(text)
    if len(own) > _LETTER and not is_reply(mail):
        return False
    if not own or _program_text(own):
        return bool(_whole().match(_bare(mail.subject)))
    if _whole().match(_bare(mail.subject)) and len(own) < 120 and not _PREFIX.match(mail.subject):
        return True
    return says(own)


def says(own: str) -> bool:
    """Does a person's own text ask to get no more mail?"""
    low = re.sub(
        r"\s+", " ", " ".join(clause for clause in _CLAUSE.split(fold(own[:LIMIT])) if not _is_of_goods(clause))
    )
    if said("unsubscribe", "never").search(low) or said("unsubscribe", "footer").search(low):
        return False
    return _alone(own) or bool(said("unsubscribe", "wish").search(low))


def _is_of_goods(clause: str) -> bool:
    """ "Send no more samples", "remove item 3 from the invoice": no mail and no list is meant."""
    return bool(said("unsubscribe", "goods").search(clause)) and not said("unsubscribe", "mails").search(clause)


def _alone(own: str) -> bool:
    """One part is nothing but the wish, and it leads or stands among short ones: not the last line of a newsletter."""
    parts = [bare for part in re.split(r"[\n.!?,]", fold(own[:LIMIT])) if (bare := _bare(part))]
    if not parts or len(own) > 400:
        return False
    return any(_whole().match(part) for part in (*parts[:2], fold(own[:120]).strip(" .!"))) and (
        bool(_whole().match(parts[0])) or len(parts[0]) <= 40
    )


@cache
def _whole() -> re.Pattern[str]:
    return any_of("unsubscribe", "whole", r"^(?:{})$")


def _bare(text: str) -> str:
    return re.sub(r"[\s.!,;:*\"'()-]+$|^[\s.!,;:*\"'()-]+", "", fold(text[:200]))


def _program_text(own: str) -> bool:
    return len(own) < 200 and bool(re.search(r"sent automatically by your mail program", own, re.I))
