"""Pure rules of secrets: what a password must be, how long guessing is held off, how tokens are hashed."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

#: NIST SP 800-63B section 3.1.1: length counts, composition rules do not; 64 characters and more are allowed.
PASSWORD_MIN = 10
PASSWORD_MAX = 256
#: Wrong guesses that are free, then the wait doubles: 30 s, 1 min, … 15 min. Long enough against a guesser, short
#: enough that a colleague cannot lock somebody out for the day.
FREE_GUESSES = 5
FIRST_WAIT_SECONDS = 30
LONGEST_WAIT_SECONDS = 900

#: Words that guessers try first, besides the own name; the length rule stops most others.
COMMON = frozenset(
    (
        "1234567890",
        "0123456789",
        "1q2w3e4r5t",
        "qwertyuiop",
        "password123",
        "password1234",
        "iloveyou123",
        "admin12345",
        "woaini1314",
        "a123456789",
        "aa12345678",
        "outreach123",
        "outreach2026",
        "changeme123",
        "letmein1234",
        "welcome1234",
        "11111111111",
        "88888888888",
    )
)


def password_fault(password: str, name: str) -> str | None:
    """Return why a password is refused (``short``, ``long``, ``common``, ``name``), or None."""
    if len(password) < PASSWORD_MIN:
        return "short"
    if len(password) > PASSWORD_MAX:
        return "long"
    low = password.lower()
    if low in COMMON or len(set(low)) < 4:
        return "common"
    if len(name) > 2 and name.lower() in low:
        own = low.replace(name.lower(), "")  # what a guesser who knows the name must still find
        if len(own) < 8 or len(set(own)) < 4:
            return "name"
    return None


def wait_after(failures: int) -> timedelta:
    """Return how long the next guess is refused after so many wrong ones in a row."""
    over = failures - FREE_GUESSES
    if over < 0:
        return timedelta()
    return timedelta(seconds=min(FIRST_WAIT_SECONDS * 2 ** min(over, 10), LONGEST_WAIT_SECONDS))


def token_hash(token: str) -> str:
    """Return what is stored of a token. Tokens carry 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def derived(token: str, purpose: str) -> str:
    """Return a value that only who holds `token` can make: the form token of a session (CSRF)."""
    return hmac.new(token.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def same(a: str, b: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(a.encode(), b.encode())


def recovery_key(code: str) -> str:
    """Return what is stored of a recovery code; dashes, blanks and case do not matter."""
    return token_hash("".join(char for char in code.lower() if char.isalnum()))
