"""Addresses as the envelope needs them."""

from __future__ import annotations

import re

import idna

#: RFC 5321 4.5.3.1.3: a path is at most 256 octets, the brackets included.
PATH_LIMIT = 254
UNSAFE = re.compile(r"[\x00-\x20\x7f<>]")


class UnsupportedAddress(ValueError):
    """The address cannot stand in an envelope. The text says why."""


def envelope_address(address: str) -> str:
    """Return the address in ASCII: the domain in its IDNA form. Raises UnsupportedAddress.

    A local part outside ASCII would need SMTPUTF8 at every server on the way; mail that only some servers carry is
    better refused than lost.
    """
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or UNSAFE.search(address):
        raise UnsupportedAddress(f"{address!r} is no address")
    if not local.isascii():
        raise UnsupportedAddress(f"the part before @ of {address!r} is not ASCII: not supported")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except idna.IDNAError as error:
            raise UnsupportedAddress(f"the domain of {address!r} is not valid: {error}") from error
    if len(local) + 1 + len(domain) > PATH_LIMIT:
        raise UnsupportedAddress(f"{address[:40]!r}… is longer than {PATH_LIMIT} characters")
    return f"{local}@{domain}"


def ready_for_dot(data: bytes) -> bytes:
    """Return the message as it stands between DATA and the final dot: lines that begin with a dot get a second one.

    Composed messages have no such line; the scan is cheap, and one wrong byte here would cut a message short.
    Raises ValueError on bare CR or LF, which some servers take for a line's end (SMTP smuggling, CVE-2023-51764).
    """
    if data.count(b"\n") != data.count(b"\r\n") or data.count(b"\r") != data.count(b"\n"):
        raise ValueError("the message holds a bare CR or LF")
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    if b"\r\n." in data or data.startswith(b"."):
        data = data.replace(b"\r\n.", b"\r\n..")
        data = b"." + data if data.startswith(b".") else data
    return data
