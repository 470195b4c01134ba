"""Header fields as bytes on the wire: RFC 5322 lines, RFC 2047 words, RFC 2231 parameters.

CR, LF, NUL, other control characters, U+0085, U+2028 and U+2029 are refused everywhere a header is made
(header injection). A tab counts as a blank.
"""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import quote

import idna

from outreach.content.problem import ContentProblem

WIDTH = 76  # RFC 2047 2: no line with an encoded word beyond 76; RFC 5322 2.1.1 asks for 78
LINE = 990  # RFC 5322 2.1.1: no line beyond 998
_BAD = re.compile("[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")
_CHUNK = 39  # bytes a word: base64 makes 52 of them, "=?utf-8?b?…?=" 64, which leaves room for the name


def clean(header: str, value: str) -> str:
    """The value, if it may stand in a header; raises ContentProblem."""
    if _BAD.search(value):
        raise ContentProblem("header.injection", header=header, value=ascii(value[:60]))
    return value.replace("\t", " ")


@lru_cache(maxsize=4096)
def unstructured(header: str, value: str) -> str:
    """`Subject: …` with its line end; raises ContentProblem."""
    text = clean(header, value).strip(" ")
    if _is_plain(text):
        return f"{header}: {_fold(text, len(header) + 2)}\r\n"
    return f"{header}: {encoded_words(text)}\r\n"


def _is_plain(text: str) -> bool:
    """ASCII that any reader takes as it is: no encoded-word look-alike, no run of blanks, no endless word."""
    return text.isascii() and "=?" not in text and "  " not in text and max(map(len, text.split(" "))) < WIDTH


def _fold(text: str, column: int) -> str:
    if len(text) + column <= WIDTH:
        return text
    rows, row = [], ""
    for word in text.split(" "):
        if row and column + len(row) + 1 + len(word) > WIDTH:
            rows.append(row)
            row, column = word, 1
        else:
            row = f"{row} {word}" if row else word
    return "\r\n ".join([*rows, row])


def encoded_words(text: str) -> str:
    """RFC 2047 words in UTF-8, cut between characters, one a line."""
    step = _CHUNK // (1 if text.isascii() else 3 if max(text) <= "\uffff" else 4)
    raw = (text[start : start + step].encode("utf-8", "replace") for start in range(0, len(text), step))
    return "\r\n ".join(f"=?utf-8?b?{b64encode(word).decode()}?=" for word in raw)


@lru_cache(maxsize=4096)
@lru_cache(maxsize=1024)  # From is the same in all mails of a mailbox
def mailbox(header: str, name: str, address: str) -> str:
    """`From: "Li Na" <li.na@example.com>` with its line end; raises ContentProblem."""
    name, address = clean(header, name).strip(" "), ascii_address(clean(header, address))
    if not name:
        return f"{header}: {address}\r\n"
    if not _is_plain(name) or len(name) > WIDTH - len(header) - 4:
        return f"{header}: {encoded_words(name)}\r\n <{address}>\r\n"
    shown = name if _ATOMS.fullmatch(name) else '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    fits = len(header) + len(shown) + len(address) + 5 <= WIDTH
    return f"{header}: {shown}{' ' if fits else chr(13) + chr(10) + ' '}<{address}>\r\n"


@lru_cache(maxsize=4096)
def ascii_address(address: str) -> str:
    """The address with an IDNA domain; raises ContentProblem where its local part is not ASCII."""
    local, at, domain = address.strip().rpartition("@")
    if not local or not at or not domain:
        raise ContentProblem("address.bad", address=address)
    if not local.isascii():
        raise ContentProblem("address.local_part", address=address)
    if not _LOCAL.fullmatch(local) and not re.fullmatch(r'"[^"\\\s]+"', local):
        raise ContentProblem("address.bad", address=address)
    return f"{local}@{_ascii_domain(domain, address)}"


def _ascii_domain(domain: str, address: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]", domain):
        return domain
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError as error:
        raise ContentProblem("address.bad", address=address) from error


@lru_cache(maxsize=256)
def date(when: datetime) -> str:
    """`Date: Sun, 22 Nov 2026 09:00:00 +0000` with its line end; the time must be aware."""
    return f"Date: {format_datetime(when)}\r\n"


def token(header: str, value: str) -> str:
    """A header of one machine-made word (an id, an address in <…>); raises ContentProblem."""
    if not value.isascii() or len(value) > LINE or " " in clean(header, value):
        raise ContentProblem("header.injection", header=header, value=ascii(value[:60]))
    return f"{header}: {value}\r\n"


def parameter(name: str, value: str) -> str:
    """`; filename="a.pdf"`, in RFC 2231 form where it is not ASCII."""
    text = clean(name, value)
    if text.isascii() and not re.search(r'["\\]', text) and len(text) < 60:
        return f';\r\n {name}="{text}"'
    if len(quote(text, safe="")) < 60:
        return f";\r\n {name}*=utf-8''{quote(text, safe='')}"
    return "".join(_continued(name, text))


def _continued(name: str, text: str) -> list[str]:
    """RFC 2231 section 3: long values in numbered parts."""
    quoted, parts, part = [quote(character, safe="") for character in text], [], ""
    for character in quoted:
        if len(part) + len(character) > 50:
            parts.append(part)
            part = ""
        part += character
    numbered = enumerate([*parts, part])
    return [f";\r\n {name}*{index}*={'' if index else 'utf-8' + chr(39) * 2}{part}" for index, part in numbered]
