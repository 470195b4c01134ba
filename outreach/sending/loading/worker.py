"""Loads the pace of a mailbox from the rows: a restart, or another worker, goes on where the last one was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from outreach.outbox.message import Quota
from outreach.outbox.store import OutboxStore
from outreach.sending.setup import MailboxSetup
from outreach.sending.throttle import DAY, WINDOWS, Ceiling, DomainPace, Pace, load_ceilings, strictest

log = structlog.get_logger(__name__)

#: When others sent through these mailboxes since a moment: it counts for the limits.
ByHand = Callable[[Sequence[int], datetime], Awaitable[Sequence[datetime]]]


class Past:
    """What leaves through a mailbox past its runs: letters of the program, and what staff write by hand."""

    def __init__(self, store: OutboxStore, mailbox_id: int, by_hand: ByHand | None) -> None:
        self._store, self._mailbox_id, self._by_hand = store, mailbox_id, by_hand
        self._seen: Counter[datetime] = Counter()

    async def look(self, now: datetime) -> list[datetime]:
        """Return when mail left that the last look did not see, in a day."""
        since = now - timedelta(seconds=DAY)
        theirs = await self._by_hand((self._mailbox_id,), since) if self._by_hand else []
        found = Counter([*await self._store.letters_since(self._mailbox_id, since), *theirs])
        news = list((found - self._seen).elements())
        self._seen |= found
        return news

    async def count(self, pace: Pace, now: datetime) -> None:
        """Count it in the pace of a run that is under way; the run goes on where that cannot be told."""
        if pace.free:
            return
        try:
            for at in await self.look(now):
                pace.add(at.timestamp())
        except Exception as error:
            log.warning("mail by hand could not be counted", mailbox=self._mailbox_id, error=str(error))


@dataclass(frozen=True)
class Loaded:
    """The mailbox's row, its pace and that of recipient domains, the shared quota as it is now, its connections.

    past: what leaves past the runs; so far it is counted in the pace.
    """

    row: Any
    pace: Pace
    domains: DomainPace
    quota: Quota
    connections: int
    past: Past


async def load(store: OutboxStore, setup: MailboxSetup, now: datetime, by_hand: ByHand | None) -> Loaded:
    """Read what the limits of this mailbox depend on."""
    boxes = setup.quota.mailboxes or (setup.mailbox_id,)
    rows = {row.id: row for row in await store.mailboxes({*boxes, setup.mailbox_id})}
    own = load_ceilings(rows[setup.mailbox_id].ceiling)
    shared = [load_ceilings(rows[box].ceiling) for box in setup.quota.mailboxes if box in rows]
    began = setup.warmup_from.timestamp() if setup.warmup_from else None
    pace = Pace(setup.limits, ceilings=strictest(own, shared, now.timestamp()), warmup_from=began)
    hand: list[datetime] = []
    past = Past(store, setup.mailbox_id, by_hand)
    if not pace.free:
        await past.look(now)
        since = now - timedelta(seconds=DAY)
        others = tuple(box for box in boxes if box != setup.mailbox_id)
        for group in ((setup.mailbox_id,), others):
            ours = await store.handed_since(group, since) if group else []
            theirs = await by_hand(group, since) if by_hand and group else []
            hand += theirs
            for at in (*ours, *theirs):
                pace.add(at.timestamp(), own=group is not others)
    quota = setup.quota.lowered(_taught(pace, now), _spent(hand, now)) if setup.quota.mailboxes else setup.quota
    domains = await _domains(store, setup, now)
    return Loaded(rows[setup.mailbox_id], pace, domains, quota, _most(setup, own, now), past)


def _taught(pace: Pace, now: datetime) -> dict[int, int]:
    """What refusals taught about the quota, by the window's seconds."""
    seconds = dict(WINDOWS)
    found = {window: c.now(window, now.timestamp()) for window, c in pace.ceilings.items() if window in seconds}
    return {int(seconds[window]): max(int(limit), 1) for window, limit in found.items()}


def _spent(by_hand: Sequence[datetime], now: datetime) -> dict[int, int]:
    """What staff sent by hand: the database counts only our own."""
    ages = [(now - at).total_seconds() for at in by_hand]
    return {int(length): sum(age < length for age in ages) for _, length in WINDOWS}


def _most(setup: MailboxSetup, ceilings: Mapping[str, Ceiling], now: datetime) -> int:
    if "connections" not in ceilings:
        return setup.connections
    return min(setup.connections, int(ceilings["connections"].now("connections", now.timestamp())))


async def _domains(store: OutboxStore, setup: MailboxSetup, now: datetime) -> DomainPace:
    limit = setup.quota.domain_per_minute
    history = await store.domains_since(now - timedelta(minutes=1)) if limit else ()
    return DomainPace(limit, ((name, at.timestamp()) for name, at in history))
