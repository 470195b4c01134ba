"""Jinja inside markup: each construct is swapped for a token while MJML and CSS are worked on.

MJML parsers trip over `{% if a < 3 %}` and over quotes in `href="{{ x|default("y") }}"`. A token is made
of ASCII letters and digits, which no parser escapes; a template that already holds one is refused.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from operator import itemgetter

from outreach.content.problem import ContentProblem, Where
from outreach.content.sourcemap import Expanded

OPEN, CLOSE = "Q7x", "x7Q"
TOKEN = re.compile(f"{OPEN}(\\d+){CLOSE}")
_CLOSERS = {"{{": "}}", "{%": "%}", "{#": "#}"}
_START = re.compile(r"\{\{|\{%|\{#")
_RAW = re.compile(r"\{%[-+]?\s*raw\s*[-+]?%\}")
_END_RAW = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)


@dataclass(frozen=True)
class Token:
    """One Jinja construct and where it stands in the expanded source."""

    code: str
    offset: int

    @property
    def prints(self) -> bool:
        """True for `{{ … }}`, false for statements and comments."""
        return self.code.startswith("{{")


@dataclass(frozen=True)
class Protected:
    """Markup whose Jinja constructs are tokens."""

    text: str
    tokens: tuple[Token, ...]
    source: Expanded

    def restore(self, text: str) -> str:
        """Put the constructs back into (a piece of) the worked-on markup."""
        return TOKEN.sub(lambda match: self.tokens[int(match[1])].code, text)

    def program(self, text: str) -> Numbered:
        """The same for Jinja to compile: each construct begins a line, so that a line tells the construct."""
        pieces: list[str] = []
        starts: list[tuple[int, int]] = []
        line = after = 0
        for match in TOKEN.finditer(text):
            code = _break_after_opener(self.tokens[int(match[1])].code)
            before = text[after : match.start()]
            line += before.count("\n")
            starts.append((line + 1, int(match[1])))
            line += code.count("\n")
            pieces += [before, code]
            after = match.end()
        return Numbered("".join(pieces) + text[after:], tuple(starts), self)


@dataclass(frozen=True)
class Numbered:
    """Jinja source, and which token begins at which line."""

    text: str
    starts: tuple[tuple[int, int], ...]
    protected: Protected

    def where(self, line: int) -> Where:
        """The place in the files that a line of this source comes from."""
        if not self.starts:
            return self.protected.source.where(0)
        begun = bisect_right(self.starts, max(line - 1, 1), key=itemgetter(0))  # a long template asks for every line
        start, index = self.starts[max(begun - 1, 0)]
        token = self.protected.tokens[index]
        breaks = [match.start() + 1 for match in re.finditer("\n", token.code)]
        skipped = min(max(line - start - 1, 0), len(breaks))
        return self.protected.source.where(token.offset + (breaks[skipped - 1] if skipped else 0))


_OPENER = re.compile(r"(\{[{%][-+]?)(?=\s|\w|['\"(\[])")


def _break_after_opener(code: str) -> str:
    return _OPENER.sub(r"\1\n", code, count=1) if not code.startswith("{#") else code


def protect(source: Expanded) -> Protected:
    """Swap every construct for a token; raises ContentProblem on one that is never closed."""
    text, position = source.text, 0
    pieces: list[str] = []
    tokens: list[Token] = []
    if clash := TOKEN.search(text):
        raise ContentProblem("jinja.forbidden", source.where(clash.start()), what=clash[0])
    while match := _START.search(text, position):
        end = _end(source, match.start())
        pieces += [text[position : match.start()], f"{OPEN}{len(tokens)}{CLOSE}"]
        tokens.append(Token(text[match.start() : end], match.start()))
        position = end
    return Protected("".join(pieces) + text[position:], tuple(tokens), source)


def _end(source: Expanded, start: int) -> int:
    """Offset after the construct that begins at start."""
    text = source.text
    if raw := _RAW.match(text, start):
        closing = _END_RAW.search(text, raw.end())
        if closing is None:
            raise _unclosed(source, start, "{% raw %}", "{% endraw %}")
        return closing.end()
    opener = text[start : start + 2]
    closer = _CLOSERS[opener]
    position = start + 2
    while position < len(text):
        if text.startswith(closer, position):
            return position + 2
        quoted = _QUOTED.match(text, position) if opener != "{#" and text[position] in "'\"" else None
        position = quoted.end() if quoted else position + 1
    raise _unclosed(source, start, opener, closer)


def _unclosed(source: Expanded, start: int, opener: str, closer: str) -> ContentProblem:
    return ContentProblem("jinja.unclosed", source.where(start), open=opener, close=closer)
