"""When a deferred message is tried again, decided without I/O."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

#: Minutes after the first, second, … attempt. RFC 5321 4.5.4.1 asks for at least 30 min between attempts in the long
#: run; the early ones are for greylisting, which opens after 5 to 15 minutes.
EARLY_MINUTES = (5, 15, 30, 60)
#: After these every two to three hours: 2.5 h ±20%.
LATE_MINUTES = 150
JITTER = 0.2
#: RFC 5321 4.5.4.1: "the give-up time generally needs to be at least 4-5 days".
GIVE_UP = timedelta(days=4)


def stable_fraction(seed: str) -> float:
    """Return a number in [0, 1) that depends on `seed` alone: jitter that a restart does not reroll."""
    digest = hashlib.blake2b(seed.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def delay(attempts: int, seed: str) -> timedelta:
    """Return how long to wait after attempt number `attempts` (1 for the first). `seed`: the message's uid."""
    if attempts <= len(EARLY_MINUTES):
        # greylisting counts from the first attempt: never earlier than said, up to 20% later
        spread = 1 + JITTER * stable_fraction(f"{seed}:{attempts}")
        return timedelta(minutes=EARLY_MINUTES[max(attempts, 1) - 1] * spread)
    spread = 1 - JITTER + 2 * JITTER * stable_fraction(f"{seed}:{attempts}")
    return timedelta(minutes=LATE_MINUTES * spread)


def next_attempt(
    attempts: int, first_at: datetime, now: datetime, seed: str, *, at_least: timedelta = timedelta(0)
) -> datetime | None:
    """Return when to try again after attempt number `attempts`, None when it is time to give up.

    first_at: when the first counted attempt was made. at_least: what the server or the provider asked for.
    """
    due = now + max(delay(attempts, seed), at_least)
    return due if due - first_at <= GIVE_UP else None


def link_rest(failures: int) -> timedelta:
    """Return how long a mailbox rests after `failures` (1, 2, …) sessions that did not come about: 1 to 30 minutes."""
    return timedelta(minutes=min(2 ** (max(failures, 1) - 1), 30))
