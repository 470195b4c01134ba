"""A claimed message on its way over a link."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from outreach.outbox.message import Claimed, Outcome
from outreach.sending.link import Envelope, Link
from outreach.sending.retry import next_attempt
from outreach.sending.setup import Letter
from outreach.sending.trouble import Verdict

if TYPE_CHECKING:
    from collections.abc import Set


class Job:
    """A message with its envelope. slot: a place in the pace is held. over: its outcome is known."""

    __slots__ = ("envelope", "link", "links", "message", "over", "slot")

    link: Link

    def __init__(self, message: Claimed, links: tuple[tuple[int, str], ...], envelope: Envelope) -> None:
        self.message = message
        self.links = tuple(links)
        self.envelope = envelope
        self.slot = True
        self.over = False
        envelope.tag = self

    def end(self) -> None:
        """Its outcome is known. The circle with the envelope is opened: the collector would leave it for minutes."""
        self.over = True
        self.envelope.tag = None


def envelope_params(letter: Letter, size: int, features: Set[str]) -> str:
    """Return what follows the address in MAIL FROM, each part with a space before it."""
    found = f" SIZE={size}" if "size" in features else ""
    if letter.eight_bit and "8bitmime" in features:
        found += " BODY=8BITMIME"
    return found


def schedule(outcome: Outcome, verdict: Verdict, message: Claimed) -> None:
    """Set when the message is tried again; when it has been tried for too long, it fails as expired."""
    if outcome.action not in ("defer", "release"):
        return
    wait = timedelta(seconds=verdict.wait or 0)
    if verdict.counts:
        first = message.first_attempt_at or outcome.at
        outcome.due_at = next_attempt(message.attempts + 1, first, outcome.at, message.uid, at_least=wait)
        if outcome.due_at is None:
            outcome.action, outcome.reason = "fail", "expired"
    elif outcome.action == "defer" or wait:
        outcome.due_at = outcome.at + (wait or timedelta(minutes=1))
