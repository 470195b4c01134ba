"""Keeps events: once each, with what follows from them, in the transaction of the caller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table, bindparam, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.db import stops
from outreach.db.hot import HotStatement
from outreach.events.changes.store import DEFAULT_APPLIERS, STOPS, Applier, contact, message, upsert
from outreach.events.effects.table import effects_of
from outreach.events.facts import Facts
from outreach.events.kinds import Change, EventKind, MarkMessage, NewEvent, TouchContact, UnmarkMessage, UntouchContact
from outreach.events.lookup.store import load_facts, load_many
from outreach.events.rollup import Count, counts_of, sum_counts
from outreach.model import Event, Rollup

rollup: Table = Rollup.__table__  # type: ignore[attr-defined]

#: Kinds that come by the thousand and whose effects can be written as sets.
BULK = frozenset({EventKind.OPEN, EventKind.CLICK})


class EventStore:
    """Records events and applies what follows.

    `secret` keys the addresses that no contact has. `appliers` say how a change is written, by its type; those of the
    crm (CreateTask, AddActivity) must be given, because the crm stands above this stage.
    """

    def __init__(self, secret: bytes, appliers: Mapping[type[Change], Applier]) -> None:
        self.secret = secret
        self.appliers: dict[type[Change], Applier] = {**DEFAULT_APPLIERS, **appliers}

    async def record(self, conn: AsyncConnection, event: NewEvent, now: datetime) -> int | None:
        """Keep the event with its effects; return its id, or None if it was known (then nothing changes)."""
        facts = await load_facts(conn, event, self.secret)
        changes = effects_of(event, facts)
        if any(isinstance(change, STOPS) for change in changes):
            await stops.hold(conn)  # before any row of ours is locked: hand-overs take this lock first, too
        statement = upsert(conn, Event).values(_row(event, facts, changes, now)).on_conflict_do_nothing()
        event_id: int | None = (await conn.execute(statement.returning(Event.id))).scalar_one_or_none()
        if event_id is None:
            return None
        for change in changes:
            await self.apply(conn, change, event_id, now)
        await bump(conn, counts_of(event, facts))
        return event_id

    async def apply(self, conn: AsyncConnection, change: Change, event_id: int, now: datetime) -> None:
        """Write one change. Raises LookupError if nobody was given who can: nothing is lost silently."""
        applier = self.appliers.get(type(change))
        if applier is None:
            raise LookupError(f"nobody applies {type(change).__name__}: give EventStore an applier for it")
        await applier(conn, change, event_id, now)

    async def record_many(
        self, conn: AsyncConnection, events: Sequence[NewEvent], now: datetime, facts: dict[int, Facts] | None = None
    ) -> int:
        """Keep a batch of opens and clicks; return how many were new. Other kinds raise ValueError.

        `facts` of the messages, where they were read already (lookup.load_many). An event of a message that is gone
        is dropped: its token was ours, its row was erased.
        """
        if wrong := {event.kind for event in events} - BULK:
            raise ValueError(f"record_many is for opens and clicks, not {sorted(wrong)}")
        if facts is None:
            facts = await load_many(conn, (event.message_id for event in events if event.message_id))
        known = [event for event in sorted(events, key=lambda e: e.at) if event.message_id in facts]
        planned = {e.key: (e, effects_of(e, facts[e.message_id or 0])) for e in known}
        new = await _insert_many(conn, [_row(e, facts[e.message_id or 0], c, now) for e, c in planned.values()])
        await self._apply_many(conn, [change for key in new for change in planned[key][1]], now)
        fresh = [planned[key][0] for key in new]
        await bump(conn, [count for e in fresh for count in counts_of(e, facts[e.message_id or 0])])
        return len(fresh)

    async def _apply_many(self, conn: AsyncConnection, changes: list[Change], now: datetime) -> None:
        marks: dict[tuple[str, int], datetime] = {}
        touches: dict[tuple[str, int], datetime] = {}
        untouches: list[UntouchContact] = []
        for change in changes:
            if isinstance(change, MarkMessage):
                marks.setdefault((change.field, change.message_id), change.at)
            elif isinstance(change, TouchContact):
                touches[change.field, change.contact_id] = change.at
            elif isinstance(change, UntouchContact):
                untouches.append(change)
            else:
                if isinstance(change, UnmarkMessage) and marks.get((change.field, change.message_id)) == change.at:
                    del marks[change.field, change.message_id]
                await self.apply(conn, change, 0, now)
        await _mark_many(conn, marks)
        await _touch_many(conn, touches)
        for change in untouches:
            await self.apply(conn, change, 0, now)


def _row(event: NewEvent, facts: Facts, changes: list[Change], now: datetime) -> dict[str, Any]:
    return {
        "kind": str(event.kind),
        "key": event.key,
        "at": event.at,
        "recorded_at": now,
        "message_id": facts.message_id,
        "contact_id": facts.contact_id,
        "campaign_id": facts.campaign_id,
        "inbound_id": event.inbound_id,
        "machine": event.machine,
        "why": event.why,
        "data": event.data,
        "effects": [change.note for change in changes],
    }


async def _insert_many(conn: AsyncConnection, rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    statement = upsert(conn, Event).on_conflict_do_nothing().returning(Event.key)
    new = set((await conn.execute(statement, rows)).scalars())
    return [row["key"] for row in rows if row["key"] in new]


async def _mark_many(conn: AsyncConnection, marks: Mapping[tuple[str, int], datetime]) -> None:
    for field in sorted({field for field, _ in marks}):
        free = message.c[field].is_(None)
        statement = update(message).where(message.c.id == bindparam("row"), free).values({field: bindparam("moment")})
        rows = [{"row": row, "moment": at} for (name, row), at in sorted(marks.items()) if name == field]
        await conn.execute(statement, rows)


async def _touch_many(conn: AsyncConnection, touches: Mapping[tuple[str, int], datetime]) -> None:
    for field in sorted({field for field, _ in touches}):
        column = contact.c[field]
        older = or_(column.is_(None), column < bindparam("moment", type_=column.type))
        statement = update(contact).where(contact.c.id == bindparam("row"), older)
        rows = [{"row": row, "moment": at} for (name, row), at in sorted(touches.items()) if name == field]
        await conn.execute(statement.values({field: bindparam("moment", type_=column.type)}), rows)


async def bump(conn: AsyncConnection, counts: Iterable[Count]) -> None:
    """Add to the roll-ups: (campaign, moment, kind, machine, how many). Each moment falls into its UTC hour."""
    await conn.run_sync(bump_now, counts)


def bump_now(conn: Connection, counts: Iterable[Count]) -> None:
    """Do what `bump` does, in a transaction that is not asynchronous (the hand-over's)."""
    names = ("campaign_id", "hour", "kind", "machine", "count")
    rows = [dict(zip(names, row, strict=True)) for row in sum_counts(counts)]
    if rows:
        _adding(conn.dialect.name).execute_many(conn, rows)


@lru_cache
def _adding(dialect: str) -> HotStatement:
    """The statement that adds to a roll-up, made once: every committed hand-over executes it."""
    new = (postgresql if dialect == "postgresql" else sqlite).insert(rollup)
    new = new.values({name: bindparam(name, None) for name in ("campaign_id", "hour", "kind", "machine", "count")})
    return HotStatement(
        new.on_conflict_do_update(
            index_elements=["campaign_id", "hour", "kind", "machine"],
            set_={"count": rollup.c.count + new.excluded.count},
        )
    )
