"""What a person wrote this time: the letter without quotation, closing formula and signature.

Lines are told apart (text, quoted, attribution, …) and the order of kinds decides. Answers written between quoted lines
keep those lines, because they make no sense without; `own_words` leaves them out.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import takewhile

from outreach.inbox import quotation, signature
from outreach.inbox.header_values import display_name
from outreach.inbox.parse import Mail
from outreach.inbox.reply_html import reply_source

LIMIT = 100_000  # characters of a letter that are looked at
LINES = 2_000
FENCE = "```"  # between two of these stands program text, whatever it looks like
_INVISIBLE = re.compile("[\u200b\u200e\u200f\u2060\ufeff]")
_ENDS = re.compile(
    r"##-? ?(?:please )?(?:type|write) (?:your )?reply above|reply above this line|\u7b54\u590d\u8bf7\u5728\u6b64\u7ebf\u4e0a",
    re.I,
)


@lru_cache(maxsize=1)  # three detectors ask for the text of the same mail
def reply_text(mail: Mail) -> str:
    """The visible answer in `mail`; "" when it holds none. Never raises."""
    text = mail.plain if mail.plain.strip() else reply_source(mail.html[: LIMIT * 5]) if mail.html.strip() else ""
    return visible(text, display_name(mail.get("From")))


def own_words(text: str) -> str:
    """`visible` text without the lines it quotes."""
    return "\n".join(line for line in text.split("\n") if not quotation.is_quoted(line)).strip()


def visible(text: str, sender: str = "") -> str:
    """The visible answer in a plain text body. sender: the display name of who wrote it, "" if unknown."""
    lines = _INVISIBLE.sub("", text[:LIMIT]).replace("\xa0", " ").split("\n")[:LINES]
    kinds, lines = _tell(lines)
    kinds, lines = _unquote(kinds, lines)
    lines = _unsign(lines, sender)
    return "\n".join(lines).strip()


def _tell(lines: list[str]) -> tuple[str, list[str]]:
    """The kind of each line, and the lines, an attribution joined to one.

    e empty, q quoted, a attribution, x here the quoted message begins, d delimiter, s device, t text.
    """
    kinds, kept, at = "", [], 0
    fenced = _fenced(lines)
    while at < len(lines):
        kind, count = ("t", 1) if at in fenced else _kind(lines, at)
        if kind == "x" and "t" not in kinds:
            count = _forwarded_head(lines, at)
        kinds += kind
        kept.append(" ".join(lines[at : at + count]) if count > 1 else lines[at])
        at += count
        if kind in "xd" and "t" in kinds:
            break  # nothing below belongs to the letter
    return _rewrapped(kinds, kept), kept


def _fenced(lines: list[str]) -> set[int]:
    """The lines between two fences, and the fences."""
    fences = [at for at, line in enumerate(lines) if line.lstrip().startswith(FENCE)]
    pairs = zip(fences[::2], fences[1::2], strict=False)
    return {at for first, last in pairs for at in range(first, last + 1)}


def _forwarded_head(lines: list[str], at: int) -> int:
    """How many lines are the divider and the header over a forwarded mail below which the letter may stand."""
    block = list(takewhile(str.strip, lines[at : at + 12]))
    return len(block) if sum(quotation.header_label(line) is not None for line in block) >= 2 else 1


def _rewrapped(kinds: str, lines: list[str]) -> str:
    """Kinds with one line between two quoted ones counted as quoted, if it is the end of the long line above it."""
    out = list(kinds)
    for found in re.finditer("(?<=q)t(?=q)", kinds):
        at = found.start()
        if len(lines[at - 1]) >= 60 and lines[at][:1].islower():
            out[at] = "q"
    return "".join(out)


def _kind(lines: list[str], at: int) -> tuple[str, int]:
    line = lines[at]
    if not line.strip():
        return "e", 1
    if quotation.is_quoted(line):
        return "q", 1
    if quotation.is_divider(line) or quotation.header_block(lines, at) or _ENDS.search(line[:200]):
        return "x", 1
    if count := quotation.attribution(lines, at):
        return "a", count
    if signature.is_delimiter(line):
        return "d", 1
    return ("s" if signature.is_device(line) else "t"), 1


def _unquote(kinds: str, lines: list[str]) -> tuple[str, list[str]]:
    if not re.search("[tq]", kinds):
        return kinds, [line for kind, line in zip(kinds, lines, strict=True) if kind not in "xads"]
    cut = _cut(kinds)
    if not re.search("t", kinds[:cut]) and re.search("t", kinds):
        cut = len(kinds)  # all text stands below the mark: the answer is at the bottom
    kinds, lines = kinds[:cut], lines[:cut]
    below = re.match(r"[eads]*a[aeds]*q[qe]*(?=t)|[eq]*q[eq]*(?=t[te]*$)", kinds)
    if below:
        kinds, lines = kinds[below.end() :], lines[below.end() :]
    keep = [kind not in "axs" for kind in kinds]
    kinds, lines = _only(kinds, keep), [line for line, kept in zip(lines, keep, strict=True) if kept]
    tail = re.search(r"[eq]+$", kinds)
    if tail and "t" in kinds:
        kinds, lines = kinds[: tail.start()], lines[: tail.start()]
    return kinds, lines


def _only(kinds: str, keep: list[bool]) -> str:
    return "".join(kind for kind, kept in zip(kinds, keep, strict=True) if kept)


def _cut(kinds: str) -> int:
    """Index of the first line that is no longer the letter."""
    ends = [found.start() for found in (
        re.search("(?<=[tqaes])x", kinds),  # a copied header: everything below is the other's
        # a telephone's advertisement, then text without a mark: the program quotes below what it writes
        re.search(r"(?<=[te])s(?=[est]*t[est]*$)", kinds),
        re.search("d", kinds) if re.search("[tq]", kinds.split("d")[0]) else None,
        # text, attribution, then no quoted line at all: the program quotes without marks
        re.search(r"(?<=[te])a(?=[^q]*$)", kinds) if "t" in kinds.split("a")[0] else None,
        # text, attribution, one block of quotation, and at most a signature below it
        re.search(r"(?<=[tes])a[aqe]*q[qe]*[tesd]*$", kinds) if "t" in kinds.split("a")[0] else None,
    ) if found]  # fmt: skip
    return min(ends, default=len(kinds))


def _unsign(lines: list[str], sender: str) -> list[str]:
    seen = False
    for at, line in enumerate(lines):
        if seen and signature.is_closing(line) and not _goes_on(lines[at + 1 :]):
            lines = lines[:at]
            break
        seen = seen or bool(line.strip())
    return lines[: signature.contact_block(lines, sender)]


def _goes_on(rest: list[str]) -> bool:
    """Quoted lines or several long lines after a closing formula: the letter has not ended there."""
    return any(quotation.is_quoted(line) for line in rest)
