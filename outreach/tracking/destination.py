"""Where a tracked link may lead: to a stored http(s) address that every parser reads alike, and nowhere else."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit, urlunsplit

#: Longer ones are cut by proxies and by Internet Explorer's heirs; RFC 9110 section 4.1 asks for 8000 at least.
MAX_URL = 8000

#: Every sign that browsers and servers disagree about: white space, controls, backslash, quotes, angle brackets.
TRICKY = re.compile(
    r'[\x00-\x20\x7f\\"<>^`{|}]'
    r"|[\u0080-\u00a0\u1680\u180e\u2000-\u200f\u2028-\u202f\u2060-\u206f\u3000\ufeff]"
)
HOST = re.compile(r"[0-9a-z](?:[0-9a-z.-]{0,251}[0-9a-z])?", re.IGNORECASE)
IPV6 = re.compile(r"\[[0-9a-f:.]{2,45}\]", re.IGNORECASE)
#: Kept as they are in a Location header: RFC 3986's reserved signs and the percent sign of what is encoded already.
KEEP = "!#$%&'()*+,/:;=?@[]~"


def safe_destination(url: str) -> str | None:
    """Return `url` as an ASCII address fit for a Location header, None if it must not be redirected to.

    Only http and https with a plain host and no user part: ``https://bank.example@evil.example`` deceives people,
    and a backslash or a tab is read differently by each browser.
    """
    if len(url) > MAX_URL or TRICKY.search(url) or not re.match(r"https?://[^/?#@:]", url, re.IGNORECASE):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = _host(parts.netloc.rpartition(":")[0] if port is not None else parts.netloc.removesuffix(":"))
    if host is None or "@" in parts.netloc:
        return None
    netloc = host if port is None else f"{host}:{port}"
    return quote(urlunsplit((parts.scheme.lower(), netloc, parts.path, parts.query, parts.fragment)), safe=KEEP)


def _host(text: str) -> str | None:
    if IPV6.fullmatch(text):
        return text
    try:
        ascii_host = text.encode("idna").decode("ascii") if not text.isascii() else text
    except UnicodeError:
        return None
    return ascii_host if HOST.fullmatch(ascii_host) and ".." not in ascii_host else None


def with_parameter(url: str, name: str, value: str) -> str:
    """Add ``name=value`` to the query, before the fragment."""
    parts = urlsplit(url)
    pair = f"{name}={quote(value, safe='')}"
    query = f"{parts.query}&{pair}" if parts.query else pair
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))
