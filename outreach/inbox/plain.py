"""HTML to readable text, for mail: linear time, block elements become lines, scripts and styles vanish."""

from __future__ import annotations

import html
import re

_DROP = re.compile(r"<(script|style|head|title)\b[^<>]*>.*?</\1\s*>|<!--.*?-->|<!\[[^<>]*>|<\?[^<>]*>", re.I | re.S)
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6]|/table|/ul|/ol|hr|/blockquote|/pre|/dd|/dt)\b[^<>]*>", re.I)
_OPEN = re.compile(r"<(?:p|div|tr|li|h[1-6]|table|ul|ol|blockquote|pre|dd|dt)\b[^<>]*>", re.I)
_CELL = re.compile(r"</t[dh]\b[^<>]*>", re.I)
_TAG = re.compile(r"</?[a-zA-Z!][^<>]*>")
_SPACES = re.compile(r"[ \t\f\v\xa0\u200b\ufeff]+")
_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
LIMIT = 1_000_000  # characters of HTML that are read: a page longer than this is no letter


def html_to_text(source: str) -> str:
    """Text of an HTML body, one line a block element, entities resolved."""
    if "<" not in source and "&" not in source:
        return source
    text = source[:LIMIT].replace("\r", "")
    text = re.sub(r"[ \t]*\n[ \t]*", " ", text) if "<pre" not in text.lower() else text
    text = _drop(text)
    text = _OPEN.sub("\n", _BREAK.sub("\n", _CELL.sub("\t", text)))
    text = html.unescape(_TAG.sub("", text))
    text = _SPACES.sub(" ", text)
    return _LINES.sub("\n\n", "\n".join(line.strip() for line in text.split("\n"))).strip()


def _drop(text: str) -> str:
    """Without scripts and comments. An element that is never closed would make the pattern quadratic: cut there."""
    low = text.lower()
    for name in ("script", "style", "head", "title"):
        if low.count("<" + name) > low.count("</" + name) + 50:
            return _TAG.sub("", text)
    if low.count("<!--") > low.count("-->") + 50:
        return _TAG.sub("", text)
    return _DROP.sub(" ", text)
