"""Notices of failed delivery written for people: who failed, and what was said about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from outreach.inbox import address, original
from outreach.inbox.address import ADDRESS
from outreach.inbox.notice_words import FAILURE, INTRO, SUBJECT
from outreach.inbox.parse import Mail, parse

MOST = 2000  # recipients of one notice
ENOUGH = 10_000  # characters said about one recipient
READ = 40_000  # characters of a notice that are read; what comes later is the returned message
# Where the returned message begins. Everything below belongs to it and says nothing about the failure.
_CUT = re.compile(
    r"[ \t>*=_|-]*(?:"
    r"(?:-{2,}|={2,}|\*{2,}|_{2,})[ \t]*(?:begin |start |of |the |this is (?:a|the) |below this line is a |here is (?:a|the) |beginning ){0,3}"
    r"(?:copy of|header of|headers of|original|returned|undelivered message|unsent|forwarded|message (?:header|text|body|follows|copy)|your (?:original )?message|first \d+ lines|begin message|message contents|truncated)"
    r"[^\n]{0,100}"
    r"|(?:the )?original (?:message|mail)(?: headers?| details)?(?: follows| is (?:included|attached|below)[^\n]{0,40})?[.:]?"
    r"|(?:your )?(?:original |returned )?message(?: headers?)? follows?[.:]?"
    r"|unsent message (?:below|follows)[.:]?"
    r"|message headers?(?: follow)?[.:]?"
    r"|(?:--- )?below this line is a copy of the message[^\n]{0,40}"
    r"|(?:below is )?a copy of (?:the|your)(?: original)? message[^\n]{0,80}"
    r"|(?:the )?(?:header|text|body|beginning) of (?:the|your) (?:original )?message[^\n]{0,40}"
    r"|-{3,} ?以下[^\n]{0,40}|-{2,} ?原(?:始)?邮件[^\n]{0,20}|原(?:始)?(?:邮件|郵件|信件)(?:内容|如下|全文)[^\n]{0,20}"
    r")[ \t*=_|-]*$",
    re.I,
)
_HEADER_BLOCK = re.compile(
    r"^(?:Received|Return-Path|DKIM-Signature|X-Received): ?[^\n]+\n(?:[ \t][^\n]*\n|[A-Za-z0-9-]+:[^\n]*\n)", re.M
)
# Labels of addresses that did not fail: who wrote, whom to ask.
_NOT_A_LABEL = (
    r"(?:mail |envelope |original )?from|sender|reply|contact|help|cc|bcc|support|author|originat|return|envelope|message|date|subject"
    r"|received|authentic|write|questions?|e-?mail us|postmaster|admin|host|by|via|x-|mail from|please|remote|visit"
)
_HEAD = re.compile(
    rf"^[ \t>*|•·#-]*(?:\d{{1,3}}[.)][ \t]*)?"
    rf"(?:(?!{_NOT_A_LABEL})[^\s:：;=<>@()\"][^\n:：;=<>@()\"]{{0,44}}[:：;=][ \t]*)?"
    rf"(?:[^\n@<>]{{0,80}}\bSMTP(?:[=:]|[ \t]+))?[<\"'“(\[]{{0,2}}(?:mailto:)?({ADDRESS})[>\"'”)\]]{{0,2}}(?P<rest>[^\n]*)$",
    re.M | re.I,
)
_REST = re.compile(
    r"^\s*(?:$|[:;,.\-–(\[<]|on \w|\s{2,}|\t|said|failed|unknown|rejected|не |was |is |has |=>|could|[45]\d\d|不|失败)",
    re.I,
)
_EXPANDED = re.compile(
    rf"\(?\s*(?:expanded|generated|ultimately generated|forwarded)[ \t]*(?:from|by)?:?\s*<?({ADDRESS})>?", re.I
)
_NAMED = re.compile(rf"[ \t]*<({ADDRESS})>[ \t]*[:.]")  # the address was only the display name of this one
_REPLY_LINE = re.compile(rf"^[45]\d\d(?:[ -][45]\.\d\.\d)? <({ADDRESS})>\.\.\.[^\n]*", re.M)
_SENTENCE = re.compile(
    rf"(?:undeliverable|address(?:ed)?,?|delivery|deliver(?:ed|ing)?(?:[ \n]your)?(?:[ \n](?:message|mail|e-?mail))?|(?:message|mail|e-?mail)(?:[ \n]sent)?|sent|send|reach|livré|remis|delivre|entregad[oa]|consegnat[oa]|gesendet|zugestellt)"
    rf"[ \n]+(?:(?:to|for|à|a|an|para|al|do|до|user|recipient)[ \n]+)?[<\"'(]?({ADDRESS})"
    rf"|(?:mailbox|收件人|投递到|发送到|发送给|发往|送达|邮件地址|mailing list|recipient|\buser|address)[ \t\n（(:：<\"'“]{{1,6}}({ADDRESS})",
    re.I,
)
_ECHO = (
    re.compile(rf"\brcpt[ _]to\s*[:=]?\s*<?({ADDRESS})>?", re.I),
    re.compile(rf"(?:[45]\d\d|\d\.\d\.\d)[ -][^\n]{{0,60}}?<({ADDRESS})>"),
)


@dataclass(frozen=True)
class Entry:
    recipient: str
    text: str


def _answers_by_itself(mail: Mail) -> bool:
    """An auto-reply, which has an empty return path too (RFC 3834 5.1): marked as one, and not from a daemon."""
    marked = "X-Auto-Response-Suppress" in mail.headers or mail.get("Precedence").lower() in (
        "bulk",
        "junk",
        "auto_reply",
    )
    return marked and not _DAEMON.search(mail.get("From"))


def from_machine(mail: Mail) -> bool:
    """The sender is a mail system by its address, its name or its empty return path."""
    names = f"{mail.get('From')[:300]} {mail.get('Sender')[:300]} {mail.get('Return-Path')[:300]}"
    return bool(_MACHINE.search(names)) or null_path(mail) or "delivery-status" in mail.get("Content-Type")


def null_path(mail: Mail) -> bool:
    return mail.get("Return-Path").replace(" ", "") in ("<>", "<MAILER-DAEMON>") or mail.get("From").strip() == "<>"


_MACHINE = re.compile(
    r"mailer[-_. ]?daemon|post_?master|mail[-_. ]?delivery|mail[-_. ]?daemon|delivery (?:subsystem|system|agent|status)|mdaemon|maildaemon"
    r"|system administrator|mail (?:system|administrator|server|gateway|router)|bounces?(?:[-+][^@\s]{0,60})?@|\bndr@|microsoft exchange|majordomo"
    r"|non-?delivery|virus|daemon@|interscan|internet mail|mail\.ru|mta@|courier|系统退信|退信|daemon|report@|notification@|smtp@|mailadmin|mail-admin",
    re.I,
)


def is_failure(mail: Mail) -> bool:
    """A program says that it could not deliver (or not yet): sender or subject, and the text, must all fit."""
    subject = SUBJECT.search(mail.subject[:400].lower()) is not None
    machine = from_machine(mail) and (subject or not _answers_by_itself(mail))
    if not (subject or machine):
        return False
    failure = FAILURE.search(text_of(mail)[:6000].lower())
    if machine:
        return failure is not None or (subject and _DAEMON.search(mail.get("From")) is not None)
    return failure is not None and not (_human(mail) or failure.start() > OPENING)


_DAEMON = re.compile(r"mailer[-_. ]?daemon|postmaster|mail delivery", re.I)


def _human(mail: Mail) -> bool:
    """Signs that a person answers or forwards: what they quote may well be a bounce."""
    return bool(mail.get("In-Reply-To") or mail.get("References") or _FORWARDED.match(mail.subject))


_FORWARDED = re.compile(r"\s*(?:fwd?|wg|tr|rv|enc|转发|轉寄)\s*[:：]", re.I)
OPENING = 200  # characters within which a notice from an unknown sender must come to the point


def cut(text: str) -> str:
    """A notice without the returned message below it."""
    text = text[:READ]
    block = _HEADER_BLOCK.search(text)
    ends = [at for at in (_heading(text), block.start() if block else 0) if at > 30]
    return text[: min(ends)] if ends else text


def _heading(text: str) -> int:
    """Where a line announces the returned message, 0 if none does. Only lines with a telling word are looked at closely."""
    at = 0
    for line in text.split("\n"):
        if len(line) < 200 and at > 30 and any(word in line.lower() for word in _TELLING) and _CUT.match(line):
            return at
        at += len(line) + 1
    return 0


_TELLING = (
    "original",
    "copy",
    "return",
    "header",
    "message",
    "mail",
    "forwarded",
    "begin",
    "lines",
    "truncated",
    "以下",
    "原",
)


def text_of(mail: Mail) -> str:
    return cut(mail.text)


def inner(mail: Mail) -> Mail | None:
    """A whole mail below the notice, where a gateway wrapped a notice in its own."""
    text = mail.plain[:READ]
    found = _HEADER_BLOCK.search(text)
    if found is None or found.start() <= 30:
        return None
    return parse(text[found.start() :].encode("utf-8", "replace"))


def transcript_below(mail: Mail) -> str:
    """A session transcript inside the returned message: a gateway returned another gateway's notice. "" if there is none."""
    for part in mail.leaves:
        if part.inside == 1 and part.content_type == "text/plain":
            text = part.text[:ENOUGH]
            return text if _TRANSCRIPT.search(text) else ""
    return ""


_TRANSCRIPT = re.compile(r"transcript of (?:the )?session|permanent fatal errors", re.I)


def about(mail: Mail, who: str) -> str:
    """What the notice says about one recipient: the lines after its name, or the whole notice."""
    text = text_of(mail)
    own = "\n".join(entry.text for entry in heads(text) if entry.recipient.lower() == who.lower())
    return own if len(own.split()) > 2 else text


def entries(mail: Mail) -> list[Entry]:
    """Recipients that a notice names as failed, by the first way of naming that yields any."""
    text = text_of(mail)
    skip = excluded(mail)
    for way in WAYS:
        found = _merge(way(text))
        if kept := [entry for entry in found if entry.recipient.lower() not in skip]:
            return kept
    return _merge(iter(list(_after_intro(text))[:1]))  # who mailed to himself is sender and recipient


def excluded(mail: Mail) -> set[str]:
    """Addresses that cannot have failed: who wrote the notice, and whom it was written to."""
    own = {mail.from_addr, *(a.lower() for a in address.find_all(mail.get("To")[:2000]))}
    gone = {a.lower() for a in original.recipients(mail)}
    return {a for a in own if a} - gone


def _after_intro(text: str) -> Iterator[Entry]:
    intro = INTRO.search(text)
    if intro:
        yield from heads(text[intro.end() :])


def _transcript(text: str) -> Iterator[Entry]:
    """Sendmail's own lines: `550 <user@example.com>... User unknown`."""
    at = 0
    for found in islice(_REPLY_LINE.finditer(text), MOST):
        yield Entry(address.clean(found[1]), text[at : found.end()])  # with the session above the line
        at = found.end()


def _generated(text: str) -> Iterator[Entry]:
    """Exim's and Postfix's word for the address that was mailed, when an alias or a pipe behind it failed."""
    for found in islice(_EXPANDED.finditer(text), MOST):
        yield Entry(address.clean(found[1]), text[max(0, found.start() - 300) : found.end() + 1500])


def _named(text: str) -> Iterator[Entry]:
    """In a sentence: `your message to <user@example.com> was undeliverable`."""
    for found in islice(_SENTENCE.finditer(text), MOST):
        yield Entry(address.clean(found[1] or found[2]), text[max(0, found.start() - 200) : found.end() + 2500])


def heads(text: str) -> Iterator[Entry]:
    """Lines that begin with an address, each with the lines below it up to the next such line."""
    found = [m for m in islice(_HEAD.finditer(text), MOST) if _REST.match(m["rest"])]
    found = [
        m for m, after in zip(found, [*found[1:], None], strict=False) if after is None or not _leads_to(text, m, after)
    ]
    for index, head in enumerate(found):
        end = found[index + 1].start() if index + 1 < len(found) else min(len(text), head.end() + 2500)
        better = _EXPANDED.search(head["rest"] + text[head.end() : min(end, head.end() + 400)]) or _NAMED.match(
            head["rest"]
        )
        yield Entry(address.clean((better or head)[1]), text[head.start() : end])


def _echoed(text: str) -> Iterator[Entry]:
    for pattern in _ECHO:
        for found in islice(pattern.finditer(text), MOST):
            yield Entry(address.clean(found[1]), text[max(0, found.start() - 300) : found.end() + 2000])


WAYS = (_after_intro, _transcript, heads, _generated, _named, _echoed)


def _leads_to(text: str, head: re.Match[str], after: re.Match[str]) -> bool:
    """`head` is only what became of the address `after`: "<final> (expanded from" on the line before "<mailed>"."""
    return _ONTO.search(head["rest"] + text[head.end() : after.start()]) is not None


_ONTO = re.compile(r"^\s*\(?\s*(?:expanded|generated|forwarded)[ \t]+(?:from|by):?\s*$", re.I)


def _merge(found: Iterator[Entry]) -> list[Entry]:
    out: dict[str, Entry] = {}
    for entry in found:
        key = entry.recipient.lower()
        if key not in out:
            out[key] = entry
        elif len(out[key].text) < ENOUGH:
            out[key] = Entry(out[key].recipient, out[key].text + "\n" + entry.text)
    return list(out.values())
