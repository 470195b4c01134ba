"""Where a letter stops and what it answers begins: the marks that mail programs leave around quoted text."""

from __future__ import annotations

import re
from functools import cache

from outreach.inbox.fold import fold
from outreach.inbox.phrases import any_of, patterns

LIMIT_DIVIDER = 120
LINE = 400  # characters of a line that are looked at; an attribution is shorter
_QUOTED = re.compile(r"^\s{0,3}(?:>|\|(?=\s*[^\s|]))")
_NAMED_QUOTE = re.compile(r"^\s{0,3}[A-Za-z]{1,12}>(?:\s|$)")  # SuperCite
_EMAIL = re.compile(r"[^\s<>@]{1,64}@[^\s<>@]{1,120}")
# A date or time: a year, a clock, or day/month in figures; without one "he wrote:" is the sender's own sentence.
_DATED = re.compile(r"\b(?:19|20)\d\d\b|\d{1,2}[:.]\d\d|\d{1,2}[/.-]\d{1,2}|\d{4}[年년]|\d{1,2}[月월]")
# How an attribution begins: a preposition before the date, a figure, or the sender's name before an address.
_START = re.compile(
    r"\s*(?:(?:on|am|le|el|em|il|op|den|dnia|w dniu|at|a|на|в|во|dne|za|vào|pe|la|tarihinde|ב|في|στις|no dia|vom|von|"
    r"mon|tue|wed|thu|fri|sat|sun|пн|вт|ср|чт|пт|сб|вс)\b|在|于|於|\d|[\"'<*-]|.*<[^>]*$|.*@)",
    re.I,
)
_RULE = re.compile(r"^\s*[-_=*~#]{3,}\s*$")
_HEAD = re.compile(r"^[\s>*|]{0,6}([^\s:*][^:*\n]{0,24}?)\s?\*?\s?:\*?(?!//)")
_LABELS = ("from", "sent", "to", "subject", "cc")
_APPEARS = 6  # lines in which a copied header block names itself


def is_quoted(line: str) -> bool:
    return bool(_QUOTED.match(line) or _NAMED_QUOTE.match(line))


@cache
def _wrote() -> re.Pattern[str]:
    return any_of("quotation", "wrote", r"(?:{}).{0,120}$")


@cache
def _divider() -> re.Pattern[str]:
    original = "|".join(p for purpose in ("original", "forwarded") for _, p in patterns("quotation", purpose))
    return re.compile(rf"^[\s>*]*[-_=*]{{2,}}\s*(?:{original})[^\w]*.{{0,60}}$")


@cache
def _forwarded() -> re.Pattern[str]:
    return any_of("quotation", "forwarded", r"^[\s>*_-]*(?:{}).{0,40}:?\s*$")


@cache
def _label(name: str) -> re.Pattern[str]:
    return any_of("header", name, r"^(?:{})$")


def is_divider(line: str) -> bool:
    """ "-----Original Message-----" and its kin in any language, or "Begin forwarded message:"."""
    low = fold(line[:LIMIT_DIVIDER])
    return bool(_divider().match(low) or _forwarded().match(low))


def header_label(line: str) -> str | None:
    """Which header field of a quoted message this line shows: from, sent, to, subject, cc; None when it is prose."""
    found = _HEAD.match(line[:LINE].replace("：", ":"))
    if not found:
        return None
    name = fold(found[1]).strip()
    return next((label for label in _LABELS if _label(label).match(name)), None)


def header_block(lines: list[str], at: int) -> bool:
    """Does a copied message header begin at this line? Three fields, the sender's among them, close together."""
    first = header_label(lines[at])
    if first not in ("from", "sent", "to", "subject"):
        return False
    near = [line for line in lines[at : at + 2 * _APPEARS] if line.strip()][:_APPEARS]
    found = {label for line in near if (label := header_label(line))}
    return "from" in found and len(found) >= 3


def attribution(lines: list[str], at: int) -> int:
    """How many lines from here are one "On … somebody wrote:"; 0 when none begins here.

    Programs wrap it anywhere, even between < and the address; what tells it is the colon at its end, a date or an
    address in it, and a word for writing in some language (Gmail's Japanese and Russian have none: date and address do).
    """
    joined = ""
    for count, line in enumerate(lines[at : at + 6], 1):
        if is_quoted(line) and not line.strip(" >").endswith("wrote:"):
            return 0
        joined = f"{joined} {line.strip()}".strip()
        if len(joined) > LINE or not _opens(joined, lines[at]):
            return 0
        if joined.endswith((":", "：", "----")) and _is_attribution(joined, lines, at + count):
            return 0 if _starts_later(lines, at, count) else count
    return 0


def _opens(joined: str, first: str) -> bool:
    """The date or the address stands in the first line, unless the whole is one short line."""
    return bool(_DATED.search(first) or "@" in first or (joined == first.strip() and 0 < len(joined) < 90))


def _starts_later(lines: list[str], at: int, count: int) -> bool:
    """The first line is the sender's own sentence with a date in it, and the attribution begins below it."""
    inner = [line.strip() for line in lines[at : at + count]]
    blank = any(not line and not inner[n + 1].startswith("<") for n, line in enumerate(inner[:-1]))
    if not blank and _START.match(lines[at]) and not re.search(r"[.!?。！？]\s*$", lines[at]):
        return False
    return any(0 < attribution(lines, at + step) == count - step for step in range(1, count))


def _is_attribution(joined: str, lines: list[str], after: int) -> bool:
    low = fold(joined).rstrip(" :-*")
    dated, address = bool(_DATED.search(joined)), bool(_EMAIL.search(joined))
    if _wrote().search(low):
        return dated or address or _quote_follows(lines, after)
    return dated and address and "<" in joined


def _quote_follows(lines: list[str], after: int) -> bool:
    return next((is_quoted(line) for line in lines[after : after + 3] if line.strip()), False)
