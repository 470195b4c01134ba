"""Batches of opens and clicks on SQLite: the same rows and marks as EventStore.record_many, in one hop and raw.

The effects are the same pure functions; only the writing differs. PostgreSQL takes record_many itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table, Text, bindparam, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from outreach.db.hot import HotStatement
from outreach.events.changes.store import contact, message, settle_statement, unmark_statement, untouch_statement
from outreach.events.effects.table import effects_of
from outreach.events.facts import Facts
from outreach.events.kinds import (
    Change,
    MarkMessage,
    NewEvent,
    SettleInDoubt,
    TouchContact,
    UnmarkMessage,
    UntouchContact,
)
from outreach.events.rollup import counts_of
from outreach.events.store import bump_now
from outreach.model import Event

event: Table = Event.__table__  # type: ignore[attr-defined]

PLAIN = ("kind", "key", "message_id", "contact_id", "campaign_id", "machine", "why")
#: Written as text by this file: a moment stands in three rows and is converted once, a dict is serialised once.
READY = ("at", "recorded_at", "data", "effects")
INSERT = HotStatement(
    insert(event).values(
        {name: bindparam(f"p_{name}", None, type_=event.c[name].type) for name in PLAIN}
        | {name: bindparam(f"p_{name}", None, type_=Text()) for name in READY}
    )
)
MARKS = {
    name: HotStatement(
        update(message)
        .where(message.c.id == bindparam("p_row", None), message.c[name].is_(None))
        .values({name: bindparam("p_at", None, type_=Text())})
    )
    for name in ("first_open_at", "first_click_at", "machine_open_at", "machine_click_at")
}
TOUCHES = {
    name: HotStatement(
        update(contact)
        .where(
            contact.c.id == bindparam("p_row", None),
            or_(contact.c[name].is_(None), contact.c[name] < bindparam("p_at", None, type_=Text())),
        )
        .values({name: bindparam("p_at", None, type_=Text())})
    )
    for name in ("last_opened", "last_clicked")
}


def record_batch(
    conn: Connection, events: Sequence[NewEvent], facts: Mapping[int, Facts], now: datetime, *, again: bool
) -> int:
    """Keep the events, which are in order and whose messages are in `facts`; return how many were new.

    `again`: the batch may have been written before (its answer was lost), so keys are looked up first.
    """
    known = _known(conn, events) if again else frozenset()
    fresh = [one for one in events if one.key not in known]
    planned = [(one, effects_of(one, facts[one.message_id or 0])) for one in fresh]
    INSERT.execute_many(conn, [_row(one, facts[one.message_id or 0], changes, now) for one, changes in planned])
    _apply(conn, [change for _, changes in planned for change in changes], now)
    bump_now(conn, [count for one in fresh for count in counts_of(one, facts[one.message_id or 0])])
    return len(fresh)


def _known(conn: Connection, events: Sequence[NewEvent]) -> frozenset[str]:
    keys = [one.key for one in events]
    found: set[str] = set()
    for start in range(0, len(keys), 500):
        query = select(event.c.key).where(event.c.key.in_(keys[start : start + 500]))
        found.update(conn.execute(query).scalars())
    return frozenset(found)


def _row(one: NewEvent, facts: Facts, changes: Sequence[Change], now: datetime) -> dict[str, Any]:
    return {
        "p_kind": one.kind.value,
        "p_key": one.key,
        "p_at": stamp(one.at),
        "p_recorded_at": stamp(now),
        "p_message_id": facts.message_id,
        "p_contact_id": facts.contact_id,
        "p_campaign_id": facts.campaign_id,
        "p_machine": one.machine,
        "p_why": one.why,
        "p_data": json.dumps(one.data),
        "p_effects": _notes(tuple(change.note for change in changes)),
    }


@lru_cache(maxsize=4096)
def stamp(at: datetime) -> str:
    """A moment as SQLAlchemy writes it on SQLite: UTC, a blank, microseconds (model/types.py)."""
    return at.astimezone(UTC).isoformat(" ", "microseconds")[:26]


@lru_cache(maxsize=256)
def _notes(notes: tuple[str, ...]) -> str:
    return json.dumps(notes)


def _apply(conn: Connection, changes: Sequence[Change], now: datetime) -> None:
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
        elif isinstance(change, UnmarkMessage):
            if marks.get((change.field, change.message_id)) == change.at:
                del marks[change.field, change.message_id]
            conn.execute(unmark_statement(change))
        elif isinstance(change, SettleInDoubt):
            conn.execute(settle_statement(change, now))
        else:
            raise LookupError(f"{type(change).__name__} does not follow from an open or a click")
    for table, wanted in ((MARKS, marks), (TOUCHES, touches)):
        for name, statement in table.items():
            rows = [{"p_row": row, "p_at": stamp(at)} for (field, row), at in wanted.items() if field == name]
            if rows:
                statement.execute_many(conn, rows)
    for untouch in untouches:
        conn.execute(untouch_statement(untouch))
