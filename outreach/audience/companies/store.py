"""Merge two companies into one, with everything that hangs on them, so that it can be undone."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Table, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.db.bulk import chunks
from outreach.model import (
    Activity,
    Attachment,
    Company,
    Contact,
    Deal,
    GradeReview,
    InboundMail,
    Message,
    Order,
    OwnerChange,
    Survey,
    Task,
    Ticket,
)
from outreach.model.base import table
from outreach.model.refusal import InTwo

COMPANY = table(Company)


class MergeRefused(InTwo, ValueError):
    """Two companies cannot be merged, or not be taken apart; the text says why."""


UNDONE = ("this merge has been undone already", "这次合并已经撤销过了")
#: What belongs to a company. Everything follows in a merge: no customer's history is lost (C3).
BELONGS: tuple[Table, ...] = (
    table(Contact), table(Deal), table(Order), table(Activity), table(Task), table(Message), table(InboundMail),
    table(Ticket), table(Attachment), table(Survey), table(OwnerChange), table(GradeReview),
)  # fmt: skip
#: Where a dropped company keeps what takes the merge back.
UNDO = "_merge"
#: What the kept company takes over where it has nothing itself.
_FILLED = ("country", "city", "industry", "grade", "intent", "source", "phone", "owner_id", "note")


async def merge(conn: AsyncConnection, keep: int, drop: int, now: datetime) -> dict[str, Any]:
    """Make `drop` a part of `keep`; return what undoes it (JSON). Raises LookupError, ValueError.

    The dropped row stays and points to the kept one, so that a later import of its domain finds the right company.
    """
    if keep == drop:
        raise MergeRefused("a company cannot be merged with itself", "客户不能与自己合并")
    kept, dropped = await _row(conn, keep), await _row(conn, drop)
    if kept["merged_into"] or dropped["merged_into"]:
        raise MergeRefused("one of the companies is already part of another", "其中一个客户已并入另一个客户")
    moved = {source.name: await _move(conn, source, drop, keep) for source in BELONGS}
    filled = {name: dropped[name] for name in _FILLED if kept[name] in (None, "") and dropped[name] not in (None, "")}
    if "country" in filled:
        filled["region"] = dropped["region"]
    before = {name: kept[name] for name in filled}
    await conn.execute(update(COMPANY).where(COMPANY.c.id == keep).values(filled | {"updated_at": now}))
    parts = select(COMPANY.c.id).where(COMPANY.c.merged_into == drop)
    earlier = list((await conn.execute(parts)).scalars())
    pointing = [drop, *earlier]
    await conn.execute(update(COMPANY).where(COMPANY.c.id.in_(pointing)).values(merged_into=keep, updated_at=now))
    undo = {"keep": keep, "drop": drop, "moved": moved, "before": _plain(before), "earlier": earlier}
    # kept with the dropped row: too long for a cookie, and a merge may be taken apart next week as well
    kept_undo = {**dropped["attributes"], UNDO: undo}
    await conn.execute(update(COMPANY).where(COMPANY.c.id == drop).values(attributes=kept_undo))
    return undo


async def undo_of(conn: AsyncConnection, drop: int) -> dict[str, Any]:
    """Return what undoes the merge of a dropped company. Raises LookupError, ValueError where it was no merge."""
    undo: dict[str, Any] | None = (await _row(conn, drop))["attributes"].get(UNDO)
    if undo is None:
        raise MergeRefused(*UNDONE)
    return undo


async def unmerge(conn: AsyncConnection, undo: dict[str, Any], now: datetime) -> None:
    """Take a merge back. Rows that came or moved on since stay where they are. Raises ValueError on foreign data."""
    keep, drop = int(undo["keep"]), int(undo["drop"])
    dropped = await _row(conn, drop)
    if dropped["merged_into"] != keep:
        raise MergeRefused(*UNDONE)
    for source in BELONGS:
        for part in chunks([int(number) for number in undo["moved"].get(source.name, [])]):
            back = update(source).where(source.c.id.in_(part), source.c.company_id == keep)
            await conn.execute(back.values(company_id=drop))
    before = {name: value for name, value in undo["before"].items() if name in (*_FILLED, "region")}
    await conn.execute(update(COMPANY).where(COMPANY.c.id == keep).values(before | {"updated_at": now}))
    without = {name: value for name, value in dropped["attributes"].items() if name != UNDO}
    own = {"merged_into": None, "updated_at": now, "attributes": without}
    await conn.execute(update(COMPANY).where(COMPANY.c.id == drop).values(own))
    earlier = COMPANY.c.id.in_([int(number) for number in undo["earlier"]])
    await conn.execute(update(COMPANY).where(earlier, COMPANY.c.merged_into == keep).values(merged_into=drop))


async def join(conn: AsyncConnection, contact_id: int, company_id: int, owner_id: int | None, now: datetime) -> None:
    """Make a person a contact of a company. The company that was made for them alone a moment ago is deleted."""
    people = table(Contact)
    was = await conn.scalar(select(people.c.company_id).where(people.c.id == contact_id))
    values = {"company_id": company_id, "owner_id": owner_id, "updated_at": now}
    await conn.execute(update(people).where(people.c.id == contact_id).values(**values))
    if was is None or was == company_id:
        return
    for source in BELONGS:
        if await conn.scalar(select(source.c.id).where(source.c.company_id == was).limit(1)) is not None:
            return
    await conn.execute(delete(COMPANY).where(COMPANY.c.id == was, COMPANY.c.created_at == now))


async def _row(conn: AsyncConnection, number: int) -> dict[str, Any]:
    row = (await conn.execute(select(COMPANY).where(COMPANY.c.id == number))).first()
    if row is None:
        raise LookupError(f"there is no company {number}")
    return dict(row._mapping)


async def _move(conn: AsyncConnection, source: Table, old: int, new: int) -> list[int]:
    ids = list((await conn.execute(select(source.c.id).where(source.c.company_id == old))).scalars())
    await conn.execute(update(source).where(source.c.company_id == old).values(company_id=new))
    return ids


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
