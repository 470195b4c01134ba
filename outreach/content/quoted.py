"""Quoted-printable pieces that can be put together in any order (RFC 2045 section 6.7).

Every piece begins at column 0 and ends there: in a hard line break of its own text, or in a soft one
(`=` CRLF) that a decoder drops. So static text is encoded once a campaign, a value alone, and joining
them needs no re-wrapping. No line begins with a dot, so SMTP has nothing to stuff.
"""

from __future__ import annotations

import re
from binascii import b2a_qp

from markupsafe import escape

SOFT = "=\r\n"
WIDTH = 76  # columns of a line, RFC 2045 6.7 rule 5
_SIMPLE = re.compile(r"(?!\.)[ -<>-~]{0,74}")  # 74 + "=" is within the 76 columns of RFC 2045
_SIMPLE_LINK = re.compile(r"h[A-Za-z0-9/:._~?%+-]{0,73}")
_TOO_LONG = re.compile(r"(?m)^([^\r\n]{74,})(=(?:20|09))(?=\r?$)")  # b2a_qp lets a line's last blank stick out
_DOTS = re.compile(r"^\.+", re.MULTILINE)


def encode(text: str) -> str:
    """One piece. Line ends must be LF already (see `lines`); lone surrogates become `?`."""
    if _SIMPLE.fullmatch(text):
        return text + SOFT
    data = text.encode("utf-8", "replace")
    if b"\n" in data:
        coded = b2a_qp(data.replace(b"\n", b"\r\n"), istext=True).decode("ascii")
    else:  # b2a_qp breaks lines as the text does, and with LF where the text has no line end
        coded = b2a_qp(data, istext=True).decode("ascii").replace("\n", "\r\n")
    if coded.startswith(".") or "\n." in coded:
        coded = _DOTS.sub(_dots, coded)
    if "=20" in coded or "=09" in coded:
        coded = _TOO_LONG.sub(r"\1=\r\n\2", coded)
    if coded.endswith("\n"):
        return coded
    if len(coded) - coded.rfind("\n") > WIDTH:  # no room for the "=": the last character moves on
        cut = -3 if coded[-3] == "=" else -1
        coded = coded[:cut] + SOFT + coded[cut:].replace(".", "=2E")
    return coded + SOFT


def encode_link(url: str) -> tuple[str, str]:
    """A link's address for the text part and, escaped, for an attribute of the HTML part."""
    if _SIMPLE_LINK.fullmatch(url):
        coded = url + SOFT
        return coded, coded
    return encode(url), encode(str(escape(url)))


def _dots(match: re.Match[str]) -> str:
    """Dots at a line's start, on lines of their own so that no line grows beyond 76 columns."""
    count = len(match[0])
    rows = ["=2E" * min(24, count - start) + SOFT for start in range(0, count, 24)]
    return "".join(rows)


def lines(text: str) -> str:
    """CR and CRLF as LF, as the stdlib's EmailMessage takes them."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def finish(body: str) -> str:
    """The pieces joined, as a body that ends in exactly the line end it needs."""
    if body.endswith(SOFT):
        body, last = body[:-4], body[-4:-3]
        return body + {" ": "=20", "\t": "=09"}.get(last, last) + "\r\n"  # relays strip a blank before a line's end
    return body or "\r\n"
