"""Sends one mail outside of the outbox: an answer to a customer, a test to oneself, a report. Not for campaigns.

It counts for its mailbox's quota, and nothing leaves a database that waits to be confirmed.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert

from outreach.config import ConfigError, MailboxSettings
from outreach.content.envelope import Identity
from outreach.db import instance
from outreach.model import Letter
from outreach.model.base import table
from outreach.sending.address import ready_for_dot
from outreach.sending.client import SessionTrouble, connect
from outreach.sending.link import Envelope, Link, Stage
from outreach.sending.phase import Broken, Phase
from outreach.sending.reply_code import Reply

if TYPE_CHECKING:
    from outreach.app.build import App

LETTERS = table(Letter)
MESSAGE_ID = re.compile(rb"^message-id:\s*<([^>\r\n]*)>", re.I | re.M)
#: RFC 5321 4.5.3.2.6: ten minutes for the reply to the dot; a person who waits for a page gets one.
PATIENCE = 60.0


@dataclass(frozen=True)
class Posted:
    """What became of the mail: ``sent``, ``refused`` (nothing was taken) or ``in_doubt`` (the server hung up)."""

    outcome: str
    text: str
    #: The same in Chinese where it is not a server's words: what the service itself kept back.
    zh: str = ""

    @property
    def held(self) -> bool:
        """Whether the service itself kept it back: the database waits to be confirmed, or a password is not there."""
        return bool(self.zh)

    def told(self, language: str) -> str:
        """Return the text for a reader of `language` (an IETF tag)."""
        return self.zh if self.zh and language.startswith("zh") else self.text


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


def on_hold(reason: str) -> Posted:
    """Say why nothing leaves, and what to do."""
    chinese, english = instance.HOLD_TEXTS.get(reason, (reason, reason))
    return Posted(
        "refused",
        f"sending is on hold: {english}. When the other one is surely off: outreach confirm-sending",
        f"发送已暂停：{chinese}。确认另一套系统已停用后，请管理员运行 outreach confirm-sending",
    )


async def post(app: App, box: MailboxSettings, recipients: Sequence[str], data: bytes, now: datetime) -> Posted:
    """Hand one mail to the mailbox's server for each recipient; the worst outcome counts.

    Counted for the quota before it is offered: a process that dies has counted one too many, never one too few. Never
    raises for mail trouble, nor where the server cannot be asked (a password that is not there): nothing was sent then.
    """
    try:
        server = app.server(box)
    except ConfigError as error:
        return Posted("refused", error.en, error.zh)
    reason = await instance.held(app.db)
    if reason is not None:
        return on_hold(reason)
    owner = _One()
    try:
        link, _ = await connect(server, owner)
    except (SessionTrouble, OSError, TimeoutError) as trouble:
        return Posted("refused", str(trouble))
    try:
        counted = await _count(app, box, len(recipients), data, now)
    except BaseException:
        link.quit()
        raise
    results = await _hand_over(link, owner, box.address, recipients, data)
    unused = counted[len(results) :]
    if unused:
        async with app.db.write() as conn:
            await conn.execute(delete(LETTERS).where(LETTERS.c.id.in_(unused)))
    worst = {"refused": 2, "in_doubt": 1, "sent": 0}
    return max(results, key=lambda posted: worst[posted.outcome])


async def _count(app: App, box: MailboxSettings, number: int, data: bytes, now: datetime) -> list[int]:
    found = MESSAGE_ID.search(data.partition(b"\r\n\r\n")[0])
    name = found[1].decode("ascii", "replace") if found else ""
    row = {"mailbox_id": app.mailbox_ids[box.name], "at": now, "message_id": name}
    async with app.db.write() as conn:
        return list(await conn.scalars(insert(LETTERS).returning(LETTERS.c.id), [row] * number))


async def _hand_over(link: Link, owner: _One, sender: str, recipients: Sequence[str], data: bytes) -> list[Posted]:
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
    return results
