"""No open redirect: what browsers and parsers read differently is never followed."""

from __future__ import annotations

import itertools
from urllib.parse import urlsplit

import pytest

from outreach.tracking.destination import safe_destination, with_parameter

EVIL = "evil.example"
SCHEMES = [
    "javascript:",
    "data:",
    "vbscript:",
    "file://",
    "ftp://",
    "about:",
    "blob:",
    "intent://",
    "ws://",
    "jar:",
    "\x00http://",
]
PREFIXES = [
    "//",
    "///",
    "////",
    "\\\\",
    "/\\",
    "\\/",
    "/%09/",
    "/%5c",
    "http:",
    "http:/",
    "https:///",
    "http:\\\\",
    "http:/\\",
    "hTTp:\\/",
    "https:",
    "https:////",
]
HOSTS = [
    EVIL,
    f"@{EVIL}",
    f"shop.example@{EVIL}",
    f"shop.example:80@{EVIL}",
    f"shop.example\\@{EVIL}",
    f"shop.example%00.{EVIL}",
]
SIGNS = [
    "\t",
    "\n",
    "\r",
    "\0",
    " ",
    "\u00a0",
    "\u2028",
    "\u200b",
    "\u3000",
    "\ufeff",
    "\\",
    "<",
    ">",
    '"',
    "`",
    "^",
    "{",
    "|",
]
PLACES = [
    "https://{}evil.example/",
    "https://evil{}.example/",
    "https://evil.example{}/",
    "https://evil.example/{}x",
    "ht{}tps://evil.example/",
    "https:{}//evil.example/",
]

TRICKS = [
    *(scheme + host for scheme, host in itertools.product(SCHEMES, HOSTS)),
    *(prefix + host for prefix, host in itertools.product(PREFIXES, HOSTS)),
    *(place.format(sign) for place, sign in itertools.product(PLACES, SIGNS)),
    *(f"https://{user}@{EVIL}/" for user in ("a", "a:b", "shop.example", "shop.example%2f", "%40", ":", "")),
    *(
        f"https://{host}/"
        for host in (
            "",
            ".",
            "..",
            "a..b",
            "-",
            "[::1",
            "[::1]x",
            "a:b",
            "a:99999",
            "a:-1",
            "a:8o",
            "%65vil.example",
            "evil.example:",
            "ⓔvil..example",
        )
    ),
    "https://shop.example\r\nSet-Cookie: a=b",
    "https://shop.example/\r\n\r\n<script>",
    "",
    "http",
    "https://",
    "/relative",
    "relative",
    "?q=1",
    "#top",
    "mailto:a@b.example",
    "tel:+49",
    "https://shop.example/" + "a" * 9000,
]


def test_there_are_three_hundred_tricks() -> None:
    assert len(set(TRICKS)) >= 300


@pytest.mark.parametrize("trick", sorted(set(TRICKS)))
def test_a_trick_leads_nowhere_or_where_it_plainly_says(trick: str) -> None:
    """Refused, or a Location that every parser reads alike: one line of ASCII, http(s), a plain host."""
    safe = safe_destination(trick)
    if safe is None:
        return
    parts = urlsplit(safe)
    assert parts.scheme in ("http", "https")
    assert parts.hostname
    assert "@" not in parts.netloc
    assert safe.isascii()
    assert safe.isprintable()
    assert not set(safe) & set(' \\\t\r\n<>"`')
    plain = trick.split("/")[2].rstrip(":").lower() if trick.count("/") >= 2 else ""
    assert parts.hostname == plain.encode("idna").decode() or parts.netloc.lower() == plain


@pytest.mark.parametrize(
    ("stored", "location"),
    [
        ("https://shop.example", "https://shop.example"),
        ("HTTPS://Shop.example/A?b=c#d", "https://Shop.example/A?b=c#d"),
        ("http://shop.example:8080/x", "http://shop.example:8080/x"),
        ("https://shop.example/a%20b?q=%E4%BD%A0", "https://shop.example/a%20b?q=%E4%BD%A0"),
        ("https://shop.example/产品?名=灯", "https://shop.example/%E4%BA%A7%E5%93%81?%E5%90%8D=%E7%81%AF"),
        ("https://灯.example/", "https://xn--znx.example/"),
        ("https://[2001:db8::1]:8443/", "https://[2001:db8::1]:8443/"),
        ("https://shop.example/?next=https://else.example/", "https://shop.example/?next=https://else.example/"),
        ("https://shop.example/a@b", "https://shop.example/a@b"),
    ],
)
def test_an_honest_address_stays_what_it_is(stored: str, location: str) -> None:
    assert safe_destination(stored) == location


def test_a_parameter_goes_before_the_fragment() -> None:
    assert with_parameter("https://a.example/x?y=1#z", "oc", "T-_") == "https://a.example/x?y=1&oc=T-_#z"
    assert with_parameter("https://a.example", "oc", "a&b") == "https://a.example?oc=a%26b"
