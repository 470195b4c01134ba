"""Notices of failed delivery written for people: is this one, whom does it name, and what does it say about them?"""

from __future__ import annotations

import re

from outreach.inbox import address, original
from outreach.inbox.codes import status_in
from outreach.inbox.naming import ENOUGH, WAYS, Entry, after_intro, heads, merge
from outreach.inbox.notice_words import FAILURE, GOOD_NEWS, SUBJECT
from outreach.inbox.parse import Mail, parse
from outreach.inbox.returned import HEADER_BLOCK, LEAST, READ

OPENING = 200  # characters within which a notice from an unknown sender must come to the point
STATED = 6000  # characters within which any notice says that it is one
_MACHINE = re.compile(
    r"mailer[-_. ]?daemon|post_?master|mail[-_. ]?delivery|mail[-_. ]?daemon|delivery (?:subsystem|system|agent|status)"
    r"|system administrator|mail (?:system|administrator|server|gateway|router)|bounces?(?:[-+][^@\s]{0,60})?@|\bndr@"
    r"|daemon|microsoft ?exchange|majordomo|non-?delivery|virus|interscan|internet mail|mail\.ru|mta@|courier|退信"
    r"|report@"
    r"|notification@|smtp@|mail-?admin|mail ?scan(?:ner)?|scan ?mail|content[- ]?filter|mimesweeper|anti-?spam|mail ?filter",
    re.I,
)
_DAEMON = re.compile(
    r"mailer[-_. ]?daemon|post_?master|mail[-_. ]?delivery|mail[-_. ]?daemon|delivery (?:subsystem|system|agent|status)"
    r"|microsoft ?exchange|system administrator|退信|<>",
    re.I,
)
_KEEPER = re.compile(
    r"(?:post_?master|mailer-?daemon|abuse|support|help\w*|admin\w*|no-?reply|info|service|noc|hostmaster)@", re.I
)
_FORWARDED = re.compile(r"\s*(?:fwd?|wg|tr|rv|enc|转发|轉寄)\s*[:：]", re.I)
_TRANSCRIPT = re.compile(r"transcript of (?:the )?session|permanent fatal errors", re.I)


def from_machine(mail: Mail) -> bool:
    """The sender is a mail system by its address, its name or its empty return path."""
    return is_daemon(mail) or _no_return(mail)


def is_daemon(mail: Mail) -> bool:
    """The sender calls itself a mail system."""
    return bool(_MACHINE.search(_names(mail))) or "delivery-status" in mail.get("Content-Type")


def _names(mail: Mail) -> str:
    return f"{mail.get('From')[:300]} {mail.get('Sender')[:300]} {mail.get('Return-Path')[:300]}"


def _no_return(mail: Mail) -> bool:
    """Nobody is to answer this mail: true of notices, and of auto-replies (RFC 3834 5.1)."""
    return mail.get("Return-Path").replace(" ", "") in ("<>", "<MAILER-DAEMON>") or mail.get("From").strip() == "<>"


def is_failure(mail: Mail) -> bool:
    """A program says that it could not deliver (or not yet): sender or subject, and the text, must all fit."""
    title = mail.subject[:400].lower().strip()
    if GOOD_NEWS.search(title):
        return False
    subject = SUBJECT.search(title) is not None
    daemon = is_daemon(mail) and (subject or not _answers_by_itself(mail))
    if not (subject or daemon or _no_return(mail)):
        return False
    failure = FAILURE.search(mail.notice[:STATED].lower())
    certain = _DAEMON.search(_names(mail)) is not None
    if daemon:
        told = subject or certain or status_in(mail.notice[:STATED]) is not None
        return (failure is not None and told) or (subject and _DAEMON.search(mail.get("From")) is not None)
    if failure is None:
        return False
    if _no_return(mail):
        return subject or status_in(mail.notice[:STATED]) is not None
    return failure.start() <= OPENING and not _human(mail)


def _answers_by_itself(mail: Mail) -> bool:
    """An auto-reply is marked as one, and not from a daemon."""
    bulk = mail.get("Precedence").lower() in ("bulk", "junk", "auto_reply")
    return (bulk or "X-Auto-Response-Suppress" in mail.headers) and not _DAEMON.search(mail.get("From"))


def _human(mail: Mail) -> bool:
    """Signs that a person answers or forwards: what they quote may well be a bounce."""
    return bool(mail.get("In-Reply-To") or mail.get("References") or _FORWARDED.match(mail.subject))


def entries(mail: Mail) -> list[Entry]:
    """Recipients that a notice names as failed, by the first way of naming that yields any."""
    skip = excluded(mail)
    for way in WAYS:
        if kept := [entry for entry in merge(way(mail.notice)) if entry.recipient.lower() not in skip]:
            return kept
    return list(after_intro(mail.notice))[:1]  # who mailed to himself is sender and recipient


def lone(mail: Mail) -> list[Entry]:
    """The only address that a notice names besides those of servers' keepers."""
    skip = excluded(mail)
    named = [a for a in address.find_all(mail.notice[:STATED]) if a.lower() not in skip and not _KEEPER.match(a)]
    return [Entry(named[0], mail.notice)] if len({a.lower() for a in named}) == 1 else []


def is_told(mail: Mail) -> bool:
    """More than a failing word in a machine's mail: the subject, a status code or a returned message says so, too."""
    told = _DAEMON.search(_names(mail)) and SUBJECT.search(mail.subject[:400].lower())
    return bool(told or status_in(mail.notice[:STATED])) or original.headers(mail) is not None


def excluded(mail: Mail) -> set[str]:
    """Addresses that cannot have failed: who wrote the notice, and whom it was written to."""
    own = {mail.from_addr, *(a.lower() for a in address.find_all(mail.get("To")[:2000]))}
    gone = {a.lower() for a in original.recipients(mail)}
    return {a for a in own if a} - gone


def about(mail: Mail, who: str) -> str:
    """What the notice says about one recipient: the lines that begin with it, or the whole notice."""
    own = "\n".join(entry.text for entry in heads(mail.notice) if entry.recipient.lower() == who.lower())
    return own if len(own.split()) > 2 else mail.notice


def inner(mail: Mail) -> Mail | None:
    """A whole mail below the notice, where a gateway wrapped a notice in its own."""
    text = mail.plain[:READ]
    found = HEADER_BLOCK.search(text)
    if found is None or found.start() <= LEAST:
        return None
    return parse(text[found.start() :].encode("utf-8", "replace"))


def transcript_below(mail: Mail) -> str:
    """A session's transcript in the returned message, "" if there is none: a gateway returned another's notice."""
    for part in mail.leaves:
        if part.inside == 1 and part.content_type == "text/plain":
            text = part.text[:ENOUGH]
            return text if _TRANSCRIPT.search(text) else ""
    return ""
