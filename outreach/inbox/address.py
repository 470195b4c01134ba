"""Recipient addresses out of report fields and prose."""

from __future__ import annotations

import re

from outreach.inbox.charset import decode_header

_TEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~"
_LETTER = r"[^\W_]"
# RFC 5321 in the wild. An address in other scripts (RFC 6531) must stand free, or every Chinese sentence around an
# address would be part of it.
_DOMAIN = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}(?:\.[A-Za-z0-9_-]{1,63}){0,12}"
_ASCII = rf'(?:[{_TEXT}-][{_TEXT}.-]{{0,127}}|"[^"\n@]{{1,80}}")@{_DOMAIN}'
_OTHER = (
    rf"(?<![^\s<\"'(\[:;])(?:{_LETTER}|[._+-]){{1,64}}@"
    rf"(?:{_LETTER}|-){{1,63}}(?:\.(?:{_LETTER}|-){{1,63}}){{1,12}}(?![^\s>\"')\],;.:])"
)
ADDRESS = rf"(?:{_ASCII}|{_OTHER})"
_ANY = re.compile(ADDRESS)
_TYPE = re.compile(r"^\s*(?:rfc[- ]?822|utf-?8|smtp|internet|system|unknown|local|dns|x-[a-z-]+)\s*;\s*", re.I)
# What nearly every report says, for which the rest of `of_field` changes nothing.
_PLAIN = re.compile(
    r"(?i:rfc822);[ \t]*([A-Za-z0-9][A-Za-z0-9._+-]{0,63}@(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){1,10}[A-Za-z0-9]{2,24})"
)
_XTEXT = re.compile(r"\+([0-9A-F]{2})")


def find(text: str) -> str | None:
    """The first address in `text`, cleaned; None when there is none."""
    found = _ANY.search(text)
    return clean(found[0]) if found else None


def find_all(text: str) -> list[str]:
    return list(dict.fromkeys(clean(found[0]) for found in _ANY.finditer(text)))


def clean(address: str) -> str:
    """Without <>, quotes around the whole, `smtp:` in front and punctuation behind."""
    bare = address.strip().rstrip(".,;:!?)'\"<> ").lstrip("('=<\" " if address.count('"') == 1 else "('=< ")
    local, at, domain = bare.rpartition("@")
    if local.startswith('"') and local.endswith('"') and re.fullmatch(r'"[\w.+-]+"', local):
        local = local[1:-1]
    return local + at + domain.rstrip(".-")


def of_field(value: str) -> str | None:
    """The address in a Final-Recipient or Original-Recipient value (RFC 3464 2.3.2: `type; address`).

    A value without a domain is returned as it is ("user"): the caller may know the domain. None when there is nothing.
    """
    if plain := _PLAIN.fullmatch(value):
        return plain[1]
    rest = _TYPE.sub("", value.strip())
    if "=?" in rest:
        rest = decode_header(rest.encode("utf-8", "replace"))
    rest = rest.strip().strip("<>").strip()
    if rest.lower().startswith("smtp:"):
        rest = rest[5:]
    if "@" not in rest and "+40" in rest:  # RFC 3461 xtext that should have been undone
        rest = _XTEXT.sub(lambda m: chr(int(m[1], 16)), rest)
    found = _ANY.search(rest)
    if found:
        return clean(found[0])
    return rest or None
