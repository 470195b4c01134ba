"""Keys of addresses: what is left of a person after erasure, enough to recognise and not to read."""

from __future__ import annotations

import hashlib


def normalise_address(address: str) -> str:
    """Lower-case an address for comparison.

    RFC 5321 lets the local part be case-sensitive; no mailbox provider of today is, and two rows for one person are
    worse than the theoretical loss.
    """
    return address.strip().lower()


def address_key(address: str, secret: bytes) -> str:
    """Return ``a:`` + 32 hex digits, a keyed blake2b of the normalised address. `secret` is 16 to 64 bytes."""
    digest = hashlib.blake2b(normalise_address(address).encode(), key=secret, digest_size=16)
    return "a:" + digest.hexdigest()


def domain_key(domain: str) -> str:
    """Return the key under which a whole domain is suppressed: ``d:`` + the lower-case domain."""
    return "d:" + domain.strip().lower().rstrip(".")
