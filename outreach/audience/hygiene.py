"""Clean addresses, and refuse those that are none or that nobody gave us."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email

#: Nine of ten addresses are plain ASCII: this decides them some fifty times faster than the full grammar. Dot-atom and
#: host name of RFC 5321 4.1.2, without the signs that only typing errors contain; what it does not accept goes on to
#: email-validator.
_PLAIN = re.compile(
    r"([A-Za-z0-9_+-]{1,64}(?:\.[A-Za-z0-9_+-]+)*)"
    r"@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+([A-Za-z]{2,24}))"
)
#: RFC 6761, RFC 6762, RFC 7686: names that never receive mail. `.example` is left in: trials use it.
_SPECIAL = frozenset({"test", "invalid", "localhost", "local", "onion", "arpa", "internal", "lan"})
#: RFC 5321 4.5.3.1: 64 octets before the sign, 254 in all (RFC 3696 erratum 1690).
_LONGEST_LOCAL, _LONGEST = 64, 254

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
_ANGLE = re.compile(r"[^<>]*<\s*([^<>\s]+)\s*>")
_SPLIT = re.compile(r"[;；,，、|\s]+")


class AddressRefused(ValueError):
    """What is wrong with an address: a code of reasons.py."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Address(NamedTuple):
    """An address (cleaned, domain in A-labels, capitals as written), its form for comparison, and its domain."""

    address: str
    normal: str
    domain: str


def check_address(text: str) -> Address:
    """Return the cleaned address. Raises AddressRefused."""
    match = _PLAIN.fullmatch(text)
    if match is not None:
        return _plain(text, match)
    return _careful(text)


def _plain(text: str, match: re.Match[str]) -> Address:
    local, domain, last = match.groups()
    if len(local) > _LONGEST_LOCAL or len(text) > _LONGEST:
        raise AddressRefused("too_long")
    if last.lower() in _SPECIAL:
        raise AddressRefused("special_domain")
    # letters beyond A-Z cannot occur: lower() is the comparison form of model/keys.py
    normal = text.lower()
    if domain.startswith("xn--") or ".xn--" in domain:
        return _full(text)
    return Address(text, normal, normal[len(local) + 1 :])


def tidy(text: str) -> str:
    """Return an address without what clings to it: full-width forms, invisible characters, a name, mailto:, quotes."""
    folded = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).strip()
    if (inside := _ANGLE.fullmatch(folded)) is not None:
        folded = inside[1]
    folded = folded.strip(" \t\r\n'\"`<>()[]{},;:")
    if folded.lower().startswith("mailto:"):
        folded = folded[7:].split("?", 1)[0]
    return folded.rstrip(".")


def _careful(text: str) -> Address:
    tidied = tidy(text)
    if not tidied:
        raise AddressRefused("no_address")
    if tidied.count("@") != 1:
        raise AddressRefused("no_at" if "@" not in tidied else "two_at")
    match = _PLAIN.fullmatch(tidied)
    return _plain(tidied, match) if match is not None else _full(tidied)


def _full(text: str) -> Address:
    local, _, domain = text.rpartition("@")
    if domain.rpartition(".")[2].lower() in _SPECIAL:
        raise AddressRefused("special_domain")
    try:
        # deliverability is checked in the background (client.py); test_environment lets .example and .test pass here
        found = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as problem:
        raise AddressRefused(_reason(text, problem)) from None
    if len(local.encode()) > _LONGEST_LOCAL or len(text.encode()) > _LONGEST:
        raise AddressRefused("too_long")  # the validator allows more for addresses that merely look odd
    if found.ascii_email is None:
        raise AddressRefused("non_ascii_local")
    normal = found.ascii_email.lower()
    return Address(found.ascii_email, normal, normal.rpartition("@")[2])


def _reason(text: str, problem: EmailNotValidError) -> str:
    local, _, domain = text.rpartition("@")
    if "too long" in str(problem):
        return "too_long"
    if " " in text:
        return "space"
    if not local or ".." in local or local.startswith(".") or local.endswith("."):
        return "bad_local"
    return "bad_domain" if "." not in domain or ".." in domain else "bad_syntax"


def split_addresses(text: str) -> list[str]:
    """Return the addresses of a cell; several stand apart by ``;``, comma or space. `Name <a@b.example>` is one."""
    if "<" in text:
        return re.findall(r"<\s*([^<>\s]+)\s*>", text) or [text]
    folded = unicodedata.normalize("NFKC", text).strip()
    parts = [part for part in _SPLIT.split(folded) if part]
    # a space inside one address is a typing error to report, not a list
    return parts if sum(1 for part in parts if "@" in part) > 1 or len(parts) == 1 else [folded]


@lru_cache(maxsize=1)
def words() -> dict[str, dict[str, list[str]]]:
    """Return the vocabularies of data/words.toml."""
    return tomllib.loads(files("outreach.audience.data").joinpath("words.toml").read_text("utf-8"))


@lru_cache(maxsize=1)
def _refused() -> tuple[dict[str, str], dict[str, str]]:
    def turned(table: str) -> dict[str, str]:
        return {word: code for code, listed in words()[table].items() for word in listed}

    return turned("refused_sources"), turned("refused_status")


def refused_source(source: str) -> str | None:
    """Return why rows of this source are refused: no_source, harvested, guessed; None where they are welcome."""
    plain = " ".join(unicodedata.normalize("NFKC", source).lower().split())
    return _refused()[0].get(plain) if plain else "no_source"


def refused_status(status: str) -> str | None:
    """Return why an address with this verification status is refused: guessed, known_bad; None where it is not."""
    return _refused()[1].get(" ".join(unicodedata.normalize("NFKC", status).lower().split()))
