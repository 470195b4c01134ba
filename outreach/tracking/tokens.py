"""Signed opaque tokens for the links of a mail: nobody can guess one, and one tells nothing.

24 characters of base64url: one byte of kind and key number, six bytes of enciphered message id, one byte (two from 256
on) of link number, ten bytes of keyed blake2b. Keys are never dropped, only added: unsubscribe links live for ever.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["o", "c", "u", "p"]
KINDS: tuple[str, ...] = get_args(Kind)

#: 80 bits: a million guesses a second for a thousand years find one with probability 3e-8.
MAC_BYTES = 10
ID_BYTES = 6
MAX_ID = 1 << (8 * ID_BYTES)
#: From here on ids are those of a pilot's mails to the team (`PilotMail`): their links lead on and nothing is counted.
TEST_IDS = 1 << 47
MAX_NUMBER = 1 << 16
#: Six bits of the first byte hold the key's number.
MAX_KEYS = 64
HALF_BITS = 24
HALF = (1 << HALF_BITS) - 1
ROUNDS = 4

URL_SAFE = bytes.maketrans(b"+/", b"-_")
SHAPE = re.compile(r"[A-Za-z0-9_-]{24}(?:[A-Za-z0-9_-]{2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """What a genuine token says: kind, the message row's id, and for clicks the link's number."""

    kind: str
    message_id: int
    number: int


class _Key:
    """One key: a MAC state to copy (half the price of a new one) and a small permutation of message ids."""

    def __init__(self, key: bytes) -> None:
        self.mac = hashlib.blake2b(key=key, digest_size=MAC_BYTES, person=b"outreach-token")
        self.rounds = [
            hashlib.blake2b(bytes([r]), key=key, digest_size=HALF_BITS // 8, person=b"outreach-id")
            for r in range(ROUNDS)
        ]

    def encipher(self, message_id: int) -> bytes:
        """Four rounds of Feistel over 2 x 24 bits: ids neither show nor can be compared between mails."""
        left, right = message_id >> HALF_BITS, message_id & HALF
        for state in self.rounds:
            left, right = right, left ^ _mix(state, right)
        return (left << HALF_BITS | right).to_bytes(ID_BYTES, "big")

    def decipher(self, data: bytes) -> int:
        """Undo `encipher`."""
        value = int.from_bytes(data, "big")
        left, right = value >> HALF_BITS, value & HALF
        for state in reversed(self.rounds):
            left, right = right ^ _mix(state, left), left
        return left << HALF_BITS | right


def _mix(state: hashlib.blake2b, half: int) -> int:
    copy = state.copy()
    copy.update(half.to_bytes(HALF_BITS // 8, "big"))
    return int.from_bytes(copy.digest(), "big")


class MessageTokens:
    """The tokens of one message: the id is enciphered and hashed once for all its links."""

    __slots__ = ("_id", "_number", "_state")

    def __init__(self, key: _Key, key_number: int, message_id: int) -> None:
        self._id = key.encipher(message_id)
        self._number = key_number
        self._state = key.mac.copy()
        self._state.update(self._id)

    def sign(self, kind: str, number: int = 0) -> str:
        """Return a token. Raises ValueError on an unknown kind or a number out of 0..65535."""
        head = bytes((KINDS.index(kind) << 6 | self._number,))
        tail = number.to_bytes(1 if number < 256 else 2, "big") if 0 <= number < MAX_NUMBER else _refuse(number)
        state = self._state.copy()
        state.update(head + tail)
        return _spelled(head + self._id + tail + state.digest())

    def open(self) -> str:
        """The open pixel's token."""
        return self.sign("o")

    def click(self, number: int) -> str:
        """The token of link `number`."""
        return self.sign("c", number)

    def unsubscribe(self) -> str:
        """The one-click unsubscribe token."""
        return self.sign("u")

    def preferences(self) -> str:
        """The preference page's token."""
        return self.sign("p")


def _spelled(data: bytes) -> str:
    """Base64url without padding. The library's function takes twice as long, and a mail has a token for each link."""
    return b2a_base64(data, newline=False).translate(URL_SAFE, b"=").decode("ascii")


def _refuse(number: int) -> bytes:
    raise ValueError(f"link number {number} is not in 0..{MAX_NUMBER - 1}")


class Signer:
    """Signs with the newest key and knows all older ones. `keys`: oldest first, 16 to 64 bytes each."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not 0 < len(keys) <= MAX_KEYS or not all(16 <= len(key) <= 64 for key in keys):
            raise ValueError(f"give 1 to {MAX_KEYS} keys of 16 to 64 bytes, oldest first")
        self._keys = [_Key(key) for key in keys]
        self._newest = len(keys) - 1

    @classmethod
    def from_secret(cls, secret: bytes, generations: int = 1) -> Signer:
        """Derive the keys from the installation's secret; raise `generations` by one to rotate."""
        return cls(
            [
                hashlib.blake2b(bytes([number]), key=secret, digest_size=32, person=b"outreach-key").digest()
                for number in range(generations)
            ]
        )

    def for_message(self, message_id: int) -> MessageTokens:
        """The tokens of one message row. Raises ValueError if the id is not in 1..2^48-1."""
        if not 0 < message_id < MAX_ID:
            raise ValueError(f"message id {message_id} is out of range")
        return MessageTokens(self._keys[self._newest], self._newest, message_id)

    def sign(self, kind: str, message_id: int, number: int = 0) -> str:
        """Return one token."""
        return self.for_message(message_id).sign(kind, number)

    def verify(self, token: str) -> Token | None:
        """Return what a genuine token says, None for anything else. Takes the same time for every forgery."""
        if not SHAPE.fullmatch(token):
            return None
        data = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        head, enciphered, tail, mac = data[0], data[1:7], data[7:-MAC_BYTES], data[-MAC_BYTES:]
        key = self._keys[(head & 63) % len(self._keys)]
        state = key.mac.copy()
        state.update(enciphered + data[:1] + tail)
        genuine = hmac.compare_digest(state.digest(), mac) and (head & 63) < len(self._keys)
        if not genuine or not _is_canonical(data, token):
            return None
        return Token(KINDS[head >> 6], key.decipher(enciphered), int.from_bytes(tail, "big"))


def _is_canonical(data: bytes, token: str) -> bool:
    """One token, one spelling: base64's spare bits and a padded number would make others."""
    return _spelled(data) == token and not (len(data) == 19 and data[7] == 0)


@dataclass(frozen=True, slots=True)
class TrackedUrls:
    """The addresses of one message, with the names of content's `Urls`."""

    unsubscribe: str
    preferences: str
    open: str | None
    click_prefix: str | None
    tokens: MessageTokens

    def click(self, number: int, destination: str) -> str:
        """The tracked address of link `number`; the destination stands in the database, never in the URL."""
        return f"{self.click_prefix}{self.tokens.click(number)}" if self.click_prefix else destination


class UrlBuilder:
    """Builds public addresses under `base_url` (https://t.example.com, no final slash)."""

    def __init__(self, base_url: str, signer: Signer) -> None:
        self.base_url = base_url.rstrip("/")
        self.signer = signer

    def open(self, message_id: int) -> str:
        """The pixel."""
        return f"{self.base_url}/o/{self.signer.sign('o', message_id)}.gif"

    def click(self, message_id: int, number: int) -> str:
        """A link."""
        return f"{self.base_url}/c/{self.signer.sign('c', message_id, number)}"

    def unsubscribe(self, message_id: int) -> str:
        """The unsubscribe page, which is also the one-click address."""
        return f"{self.base_url}/u/{self.signer.sign('u', message_id)}"

    def preferences(self, message_id: int) -> str:
        """The preference page."""
        return f"{self.base_url}/p/{self.signer.sign('p', message_id)}"

    def urls(self, message_id: int, *, opens: bool = True, clicks: bool = True) -> TrackedUrls:
        """Every address of one message; without `opens` no pixel, without `clicks` links stay as they are."""
        tokens = self.signer.for_message(message_id)
        base = self.base_url
        return TrackedUrls(
            unsubscribe=f"{base}/u/{tokens.unsubscribe()}",
            preferences=f"{base}/p/{tokens.preferences()}",
            open=f"{base}/o/{tokens.open()}.gif" if opens else None,
            click_prefix=f"{base}/c/" if clicks else None,
            tokens=tokens,
        )
