"""The ways in which a notice names the recipients that failed, from the surest to the vaguest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from outreach.inbox import address
from outreach.inbox.address import ADDRESS
from outreach.inbox.notice_words import INTRO

MOST = 2000  # recipients of one notice
ENOUGH = 10_000  # characters said about one recipient
# Labels of addresses that did not fail: who wrote, whom to ask.
_NOT_A_LABEL = (
    r"(?:mail |envelope |original )?from|sender|reply|contact|help|cc|bcc|support|author|originat|return|envelope"
    r"|message|date|subject|received|authentic|write|questions?|e-?mail us|postmaster|admin"
    r"|host|by|via|x-|please|remote|visit"
)
_LABEL = rf"(?!{_NOT_A_LABEL})[^\s:：;=<>@()\"][^\n:：;=<>@()\"]{{0,44}}[:：;=][ \t]*"
_HEAD = re.compile(
    rf"^[ \t>*|•·#-]*(?:\d{{1,3}}[.)][ \t]*)?(?:{_LABEL})?(?:[^\n@<>]{{0,80}}\bSMTP(?:[=:]|[ \t]+))?"
    rf"[<\"'“(\[]{{0,2}}(?:mailto:)?({ADDRESS})[>\"'”)\]]{{0,2}}(?P<rest>[^\n]*)$",
    re.M | re.I,
)
# What may follow an address that stands for itself; "anna@b.example wrote" does not.
_REST = re.compile(
    r"^\s*(?:$|[:;,.\-–(\[<]|on \w|(?:am|le|el|em|il|op|w dniu|den) \d|\s{2,}|\t|said|failed|unknown|rejected|не |was |is |has |=>|could"
    r"|[45]\d\d|不|失败)",
    re.I,
)
_BECAME = r"(?:expanded|ultimately generated|generated|forwarded)"
_EXPANDED = re.compile(rf"{_BECAME}[ \t]{{0,40}}(?:from|by)?:?\s{{0,80}}<?({ADDRESS})>?", re.I)
_ONTO = re.compile(rf"^\s{{0,80}}(?:\(\s{{0,80}})?{_BECAME}[ \t]{{1,40}}(?:from|by):?\s{{0,80}}$", re.I)
_DISPLAYED = re.compile(rf"[ \t]*<({ADDRESS})>[ \t]*[:.]")  # the address before was only the name of this one
_REPLY_LINE = re.compile(rf"^[45]\d\d(?:[ -][45]\.\d\.\d)? <({ADDRESS})>\.\.\.[^\n]*", re.M)
_MAIL = r"(?:message|mail|e-?mail)"
_VERBS = (
    rf"(?:undeliverable|address(?:ed)?,?|delivery|deliver(?:ed|ing)?(?:[ \n]your)?(?:[ \n]{_MAIL})?"
    rf"|{_MAIL}(?:[ \n]sent)?"
    r"|(?:nachricht|e-?mail|mail|mensaje|correo|mensagem|messaggio|courriel|message|письмо|сообщение)(?:,? (?:dirigido|dirigida|destiné|inviato|indirizzato|enviado|enviada|адресованн\w+))?[ \n]+(?:an|a|à|para|per|для|for)"
    r"|sent|send|reach|livré|remis|delivre|entregad[oa]|consegnat[oa]|gesendet|zugestellt)"
)
_SENTENCE = re.compile(
    rf"{_VERBS}[ \n]+(?:(?:to|for|à|a|an|para|al|do|до|user|recipient)[ \n]+)?[<\"'(]?({ADDRESS})"
    rf"|(?:mailbox|收件人|投递到|发送到|发送给|发往|送达|邮件地址|mailing list|recipient|\buser|address)"
    rf"[ \t\n（(:：<\"'“]{{1,6}}({ADDRESS})",
    re.I,
)
_ECHO = (
    re.compile(rf"\brcpt[ _]to\s*[:=]?\s*<?({ADDRESS})>?", re.I),
    re.compile(rf"(?:[45]\d\d|\d\.\d\.\d)[ -][^\n]{{0,60}}?<({ADDRESS})>"),
)


@dataclass(frozen=True)
class Entry:
    """A recipient, and the lines that speak of it."""

    recipient: str
    text: str


def after_intro(text: str) -> Iterator[Entry]:
    """A list below a sentence that announces it."""
    intro = INTRO.search(text)
    if intro:
        yield from heads(text[intro.end() :])


def transcript(text: str) -> Iterator[Entry]:
    """Sendmail's own lines: `550 <user@example.com>... User unknown`, with the session above each."""
    at = 0
    for found in islice(_REPLY_LINE.finditer(text), MOST):
        yield Entry(address.clean(found[1]), text[at : found.end()])
        at = found.end()


def heads(text: str) -> Iterator[Entry]:
    """Lines that begin with an address, each with the lines below it up to the next such line."""
    found = [m for m in islice(_HEAD.finditer(text), MOST) if _REST.match(m["rest"])]
    nexts: list[re.Match[str] | None] = [*found[1:], None]
    found = [head for head, after in zip(found, nexts, strict=False) if not _leads_to(text, head, after)]
    for index, head in enumerate(found):
        end = found[index + 1].start() if index + 1 < len(found) else min(len(text), head.end() + 2500)
        below = head["rest"] + text[head.end() : min(end, head.end() + 400)]
        better = _EXPANDED.search(below) or _DISPLAYED.match(head["rest"])
        yield Entry(address.clean((better or head)[1]), text[head.start() : end])


def _leads_to(text: str, head: re.Match[str], after: re.Match[str] | None) -> bool:
    """`head` is only what became of the address `after`: "<final> (expanded from" on the line before "<mailed>"."""
    return after is not None and _ONTO.search(head["rest"] + text[head.end() : after.start()]) is not None


def generated(text: str) -> Iterator[Entry]:
    """Exim's and Postfix's word for the address that was mailed, when an alias or a pipe behind it failed."""
    for found in islice(_EXPANDED.finditer(text), MOST):
        yield Entry(address.clean(found[1]), _around(text, found, 300, 1500))


def in_sentence(text: str) -> Iterator[Entry]:
    """`your message to <user@example.com> was undeliverable`."""
    for found in islice(_SENTENCE.finditer(text), MOST):
        yield Entry(address.clean(found[1] or found[2]), _around(text, found, 200, 2500))


def echoed(text: str) -> Iterator[Entry]:
    """The SMTP command or reply that named the address."""
    for pattern in _ECHO:
        for found in islice(pattern.finditer(text), MOST):
            yield Entry(address.clean(found[1]), _around(text, found, 300, 2000))


def _around(text: str, found: re.Match[str], before: int, behind: int) -> str:
    return text[max(0, found.start() - before) : found.end() + behind]


WAYS: tuple[Callable[[str], Iterator[Entry]], ...] = (after_intro, transcript, heads, generated, in_sentence, echoed)


def merge(found: Iterator[Entry]) -> list[Entry]:
    """One entry an address, in order; what was said about it in several places is joined."""
    out: dict[str, Entry] = {}
    for entry in found:
        key = entry.recipient.lower()
        if key not in out:
            out[key] = entry
        elif len(out[key].text) < ENOUGH:
            out[key] = Entry(out[key].recipient, out[key].text + "\n" + entry.text)
    return list(out.values())
