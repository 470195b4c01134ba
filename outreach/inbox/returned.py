"""Where a notice ends and the message that it returns begins."""

from __future__ import annotations

import re

READ = 40_000  # characters of a notice that are read; what comes later is the returned message
LEAST = 30  # characters of notice above the returned message: a mark at the very top marks nothing
_RULE = (
    r"(?:-{2,}|={2,}|\*{2,}|_{2,})[ \t]*"
    r"(?:begin |start |of |the |this is (?:a|the) |below this line is a |here is (?:a|the) |beginning ){0,3}"
    r"(?:copy of|headers? of|original|returned|undelivered message|unsent|forwarded|first \d+ lines|begin message"
    r"|message (?:header|text|body|follows|copy|contents)|your (?:original )?message|truncated)[^\n]{0,100}"
)
_LINES = (
    _RULE,
    r"(?:the )?original (?:message|mail)(?: headers?| details)?"
    r"(?: follows| is (?:included|attached|below)[^\n]{0,40})?[.:]?",
    r"(?:your )?(?:original |returned )?message(?: headers?)? follows?[.:]?",
    r"unsent message (?:below|follows)[.:]?",
    r"message headers?(?: follow)?[.:]?",
    r"(?:--- )?below this line is a copy of the message[^\n]{0,40}",
    r"(?:below is )?a copy of (?:the|your)(?: original)? message[^\n]{0,80}",
    r"(?:the )?(?:header|text|body|beginning) of (?:the|your) (?:original )?message[^\n]{0,40}",
    r"-{3,} ?以下[^\n]{0,40}|-{2,} ?原(?:始)?邮件[^\n]{0,20}|原(?:始)?(?:邮件|郵件|信件)(?:内容|如下|全文)[^\n]{0,20}",
)
_LINE = re.compile(rf"[ \t>*=_|-]*(?:{'|'.join(_LINES)})[ \t*=_|-]*$", re.I)
_TELLING = re.compile(r"original|copy|return|header|message|mail|forwarded|begin|lines|truncated|以下|原")
HEADER_BLOCK = re.compile(
    r"^(?:Received|Return-Path|DKIM-Signature|X-Received): ?[^\n]+\n(?:[ \t][^\n]*\n|[A-Za-z0-9-]+:[^\n]*\n)", re.M
)


def cut(text: str) -> str:
    """A notice without the returned message below it."""
    text = text[:READ]
    block = HEADER_BLOCK.search(text)
    ends = [at for at in (_announced(text), block.start() if block else 0) if at > LEAST]
    return text[: min(ends)] if ends else text


def _announced(text: str) -> int:
    """Where a line announces the returned message, 0 if none does. Only lines with a telling word are tried."""
    at = 0
    for line in text.split("\n"):
        if len(line) < 200 and at > LEAST and _TELLING.search(line.lower()) and _LINE.match(line):
            return at
        at += len(line) + 1
    return 0
