"""Sends one mail by hand: an answer to a customer, a test to oneself, a report. Not for campaigns."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from outreach.config import MailboxSettings
from outreach.content.envelope import Identity
from outreach.sending.address import ready_for_dot
from outreach.sending.client import Server, SessionTrouble, connect
from outreach.sending.link import Envelope, Link, Stage
from outreach.sending.phase import Broken, Phase
from outreach.sending.reply_code import Reply

#: RFC 5321 4.5.3.2.6: ten minutes for the reply to the dot; a person who waits for a page gets one.
PATIENCE = 60.0


@dataclass(frozen=True)
class Posted:
    """What became of the mail: ``sent``, ``refused`` (nothing was taken) or ``in_doubt`` (the server hung up)."""

    outcome: str
    text: str


def identity_of(
    box: MailboxSettings,
    name: str,
    address: str,
    now: datetime,
    sender: str,
    *,
    answers: str | None = None,
    references: tuple[str, ...] = (),
) -> Identity:
    """Return who writes to whom in a new mail. `sender`: the name in From; `answers`: the Message-ID it replies to."""
    uid = uuid.uuid4().hex
    return Identity(
        uid=uid,
        message_id=f"{uid}@{box.domain}",
        from_name=sender,
        from_address=box.address,
        to_name=name,
        to_address=address,
        date=now,
        in_reply_to=answers,
        references=references,
    )


class _One:
    """Owner of a link that carries envelopes one after another and tells how each ended."""

    def __init__(self) -> None:
        self.over: asyncio.Queue[Posted] = asyncio.Queue()

    def ready(self, link: Link, envelope: Envelope) -> None:
        link.hand_over(envelope)

    def answered(self, link: Link, envelope: Envelope, phase: Phase, reply: Reply) -> None:
        taken = phase is Phase.DOT and 200 <= reply.code < 300
        self.over.put_nowait(Posted("sent" if taken else "refused", f"{reply.code} {reply.text}"))

    def free(self, link: Link) -> None:
        pass

    def lost(self, link: Link, broken: Broken, unfinished: list[Envelope]) -> None:
        for envelope in unfinished:
            gone = envelope.stage >= Stage.DOT_GONE
            self.over.put_nowait(Posted("in_doubt" if gone else "refused", str(broken)))


async def post(server: Server, sender: str, recipients: Sequence[str], data: bytes) -> Posted:
    """Hand one mail to the server for each recipient; the worst outcome counts. Never raises for mail trouble."""
    owner = _One()
    try:
        link, _ = await connect(server, owner)
    except (SessionTrouble, OSError, TimeoutError) as trouble:
        return Posted("refused", str(trouble))
    results: list[Posted] = []
    try:
        for recipient in recipients:
            link.offer(Envelope(sender, recipient, ready_for_dot(data)))
            try:
                results.append(await asyncio.wait_for(owner.over.get(), PATIENCE))
            except TimeoutError:
                results.append(Posted("in_doubt", "the server did not answer in time"))
                break
            if results[-1].outcome != "sent":
                break
    finally:
        link.quit()
    worst = {"refused": 2, "in_doubt": 1, "sent": 0}
    return max(results, key=lambda posted: worst[posted.outcome])
