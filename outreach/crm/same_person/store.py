"""Make two contacts one, with everything that hangs on them, so that it can be undone."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Table, UniqueConstraint, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from outreach.crm.enrolment.store import stop
from outreach.crm.same_person.wishes import careful, joined
from outreach.db import stops
from outreach.db.bulk import chunks
from outreach.model import (
    CampaignRecipient,
    Contact,
    ContactTag,
    EmailAddress,
    Enrolment,
    Message,
    Preference,
    Suppression,
)
from outreach.model.base import table
from outreach.model.merged.store import mark, part_of
from outreach.model.refusal import InTwo
from outreach.model.types import UtcDateTime
from outreach.outbox.store import stop_for
from outreach.suppression.store import CARRIED_OVER, is_suppressed, suppress

CONTACT, ADDRESS, MESSAGE, SUPPRESSION = table(Contact), table(EmailAddress), table(Message), table(Suppression)
TAGS, PREFERENCE, RECIPIENT, ENROLMENT = (
    table(ContactTag), table(Preference), table(CampaignRecipient), table(Enrolment),
)  # fmt: skip
#: Why a mail, a sequence or a place in an audience ended: the other contact of the same person has it.
REASON = "merged"
#: A person's own word, or the staff's on the person: it holds for all their addresses. A bounce is an address's matter.
_WORDS = ("unsubscribed", "complained", "manual")
#: Mails in these states have reached the person, or may have.
_LEFT = ("handing_over", "sent", "in_doubt")


class NotOne(InTwo, ValueError):
    """Two contacts cannot be made one, or not be taken apart; the text says why."""


_CHANGED = NotOne(
    "something of this person was changed since: they stay one contact", "此联系人之后已有改动，不能再撤销合并"
)


def moving() -> list[Table]:
    """Every table with rows of a contact, but for the two that are joined row by row. None can be forgotten here."""
    apart = (TAGS, PREFERENCE)
    return [one for one in SQLModel.metadata.sorted_tables if "contact_id" in one.c and one not in apart]


async def merge(conn: AsyncConnection, keep: int, drop: int, now: datetime) -> dict[str, Any]:
    """Make `drop` a part of `keep`; return what undoes it (JSON). Raises LookupError, NotOne.

    What a rule of the database does not let move (both were in one campaign) stays with the empty row of `drop`.
    """
    if keep == drop:
        raise NotOne("a contact cannot be merged with itself", "联系人不能与自己合并")
    await stops.hold(conn)
    kept, dropped = await _row(conn, keep), await _row(conn, drop)
    if kept["erased_at"] or dropped["erased_at"]:
        raise NotOne("one of the contacts was erased or is part of another", "其中一个联系人已被删除或已并入他人")
    await _once_only(conn, keep, drop, now)
    told: dict[str, Any] = {"keep": keep, "drop": drop, "at": now.isoformat(), "dropped": _plain(dropped)}
    told["words"] = await _suppressed(conn, keep, drop, now)
    told["primary"] = await _second(conn, keep, drop)
    told["tags"] = await _tags(conn, keep, drop)
    told["choices"] = await _choices(conn, keep, drop, now)
    told["moved"] = {source.name: await _move(conn, source, drop, keep) for source in moving()}
    parts = update(CONTACT).where(CONTACT.c.source == mark(drop), CONTACT.c.erased_at.is_not(None))
    told["parts"] = list((await conn.execute(parts.values(source=mark(keep)).returning(CONTACT.c.id))).scalars())
    changed = joined(kept, dropped)
    told |= {"before": _plain({name: kept[name] for name in changed}), "after": _plain(changed)}
    await conn.execute(update(CONTACT).where(CONTACT.c.id == keep).values(changed | {"updated_at": now}))
    empty: dict[str, Any] = {one.name: None for one in CONTACT.c if one.nullable}
    empty |= {"source": mark(keep), "basis": "none", "attributes": {}, "tracking": False, "region": "Other"}
    await conn.execute(update(CONTACT).where(CONTACT.c.id == drop).values(empty | {"erased_at": now}))
    return told


async def unmerge(conn: AsyncConnection, told: dict[str, Any], now: datetime) -> None:
    """Take a merge back. Mails and sequences that were called off stay so. Raises NotOne where something changed."""
    keep, drop = int(told["keep"]), int(told["drop"])
    await stops.hold(conn)
    kept, dropped = await _row(conn, keep), await _row(conn, drop)
    after = _back(told["after"])
    same = all(kept[name] == value for name, value in after.items())
    if part_of(dropped["source"], dropped["erased_at"] is not None) != keep or kept["erased_at"] or not same:
        raise _CHANGED
    if (
        kept["updated_at"] != datetime.fromisoformat(told["at"])
        or await _chosen(conn, keep) != told["choices"]["after"]
    ):
        raise _CHANGED
    for source in moving():
        for part in chunks([int(number) for number in told["moved"].get(source.name, [])]):
            back = update(source).where(source.c.id.in_(part), source.c.contact_id == keep)
            await conn.execute(back.values(contact_id=drop))
    for part in chunks(told["primary"]):
        await conn.execute(update(ADDRESS).where(ADDRESS.c.id.in_(part)).values(is_primary=True))
    new = and_(TAGS.c.contact_id == keep, TAGS.c.tag_id.in_(told["tags"]["new"]))
    await conn.execute(delete(TAGS).where(new))
    for tag_id in told["tags"]["all"]:
        await conn.execute(insert(TAGS).values(tag_id=tag_id, contact_id=drop))
    await conn.execute(delete(PREFERENCE).where(PREFERENCE.c.contact_id == keep))
    for number, choice in ((keep, told["choices"]["kept"]), (drop, told["choices"]["dropped"])):
        if choice is not None:
            at = datetime.fromisoformat(choice["at"])
            await conn.execute(insert(PREFERENCE).values({**choice, "at": at, "contact_id": number}))
    added = and_(SUPPRESSION.c.key.in_(told["words"]), SUPPRESSION.c.source == CARRIED_OVER)
    await conn.execute(delete(SUPPRESSION).where(added))
    await conn.execute(update(CONTACT).where(CONTACT.c.id == keep).values(_back(told["before"]) | {"updated_at": now}))
    own = {name: value for name, value in _back(told["dropped"]).items() if name != "id"}
    await conn.execute(update(CONTACT).where(CONTACT.c.id == drop).values(own | {"updated_at": now}))
    await conn.execute(update(CONTACT).where(CONTACT.c.id.in_(told["parts"])).values(source=mark(drop)))


async def _once_only(conn: AsyncConnection, keep: int, drop: int, now: datetime) -> None:
    """Where both are in one campaign, one of them gets no more of it; nobody is in a sequence twice."""
    for campaign_id in sorted(await _campaigns(conn, keep) & await _campaigns(conn, drop)):
        by_kept, by_dropped = await _last(conn, campaign_id, keep), await _last(conn, campaign_id, drop)
        silent = [drop, keep] if by_dropped > by_kept else [drop]
        await stop_for(conn, silent, campaign_id=campaign_id, reason=REASON, now=now)
        without = [number for number in silent if (by_kept if number == keep else by_dropped) < 0]
        mine = and_(RECIPIENT.c.campaign_id == campaign_id, RECIPIENT.c.contact_id.in_(without))
        await conn.execute(update(RECIPIENT).where(mine, RECIPIENT.c.skip_reason.is_(None)).values(skip_reason=REASON))
    both = [ENROLMENT.c.campaign_id.in_(_in(ENROLMENT, one)) for one in (keep, drop)]
    await stop(conn, and_(ENROLMENT.c.contact_id.in_((keep, drop)), *both), REASON, now)
    live = ENROLMENT.alias()
    under_way = select(live.c.id).where(live.c.contact_id == keep, live.c.state.in_(("active", "waiting", "paused")))
    await stop(conn, and_(ENROLMENT.c.contact_id == drop, under_way.exists()), REASON, now)


def _in(source: Table, contact_id: int) -> Any:
    other = source.alias()
    return select(other.c.campaign_id).where(other.c.contact_id == contact_id)


async def _campaigns(conn: AsyncConnection, contact_id: int) -> set[int]:
    found: set[int] = set()
    for source in (MESSAGE, RECIPIENT):
        found |= set((await conn.execute(_in(source, contact_id))).scalars())
    return found


async def _last(conn: AsyncConnection, campaign_id: int, contact_id: int) -> int:
    """The last step that has left to a contact; -1: none."""
    mine = and_(MESSAGE.c.campaign_id == campaign_id, MESSAGE.c.contact_id == contact_id, MESSAGE.c.state.in_(_LEFT))
    step: int | None = await conn.scalar(select(func.max(MESSAGE.c.step)).where(mine))
    return -1 if step is None else step


async def _suppressed(conn: AsyncConnection, keep: int, drop: int, now: datetime) -> list[str]:
    """What one address's person has said holds for all their addresses now; returns the keys that are new."""
    mine = select(ADDRESS.c.key, ADDRESS.c.address).where(ADDRESS.c.contact_id.in_((keep, drop)))
    keys = {row.key: row.address for row in await conn.execute(mine)}
    there = await is_suppressed(conn, keys)
    word = next((word for word in _WORDS if word in there.values()), None)
    new = sorted(keys.keys() - there.keys()) if word else []
    for key in new:
        await suppress(conn, key, str(word), source=CARRIED_OVER, now=now, address=keys[key])
    return new


async def _second(conn: AsyncConnection, keep: int, drop: int) -> list[int]:
    """Mails go where they went; returns the addresses of the dropped one that were first."""
    if (
        await conn.scalar(select(ADDRESS.c.id).where(ADDRESS.c.contact_id == keep, ADDRESS.c.is_primary).limit(1))
        is None
    ):
        return []
    first = update(ADDRESS).where(ADDRESS.c.contact_id == drop, ADDRESS.c.is_primary).values(is_primary=False)
    return list((await conn.execute(first.returning(ADDRESS.c.id))).scalars())


async def _tags(conn: AsyncConnection, keep: int, drop: int) -> dict[str, list[int]]:
    have, had = [
        set((await conn.execute(select(TAGS.c.tag_id).where(TAGS.c.contact_id == number))).scalars())
        for number in (keep, drop)
    ]
    new = sorted(had - have)
    for tag_id in new:
        await conn.execute(insert(TAGS).values(tag_id=tag_id, contact_id=keep))
    await conn.execute(delete(TAGS).where(TAGS.c.contact_id == drop))
    return {"new": new, "all": sorted(had)}


async def _choices(conn: AsyncConnection, keep: int, drop: int, now: datetime) -> dict[str, Any]:
    kept, dropped = await _chosen(conn, keep), await _chosen(conn, drop)
    chosen = careful(kept, dropped)
    await conn.execute(delete(PREFERENCE).where(PREFERENCE.c.contact_id.in_((keep, drop))))
    if chosen is not None:
        await conn.execute(insert(PREFERENCE).values(contact_id=keep, at=now, **chosen))
    return {"kept": kept, "dropped": dropped, "after": await _chosen(conn, keep)}


async def _chosen(conn: AsyncConnection, contact_id: int) -> dict[str, Any] | None:
    row = (await conn.execute(select(PREFERENCE).where(PREFERENCE.c.contact_id == contact_id))).one_or_none()
    return None if row is None else _plain({name: row._mapping[name] for name in _CHOICE})


_CHOICE = ("topics_off", "mails_per_month", "at")


async def _move(conn: AsyncConnection, source: Table, old: int, new: int) -> list[int]:
    """Give a table's rows to the other contact; returns those that a rule of the database let go."""
    there = source.alias()
    taken = [
        select(there.c.id)
        .where(there.c.contact_id == new, *(there.c[name] == source.c[name] for name in names))
        .exists()
        for names in _alone(source)
    ]
    free = update(source).where(source.c.contact_id == old, ~or_(*taken) if taken else source.c.id.is_not(None))
    return list((await conn.execute(free.values(contact_id=new).returning(source.c.id))).scalars())


def _alone(source: Table) -> list[list[str]]:
    """What else a row must share with another so that both cannot be of one contact."""
    unique = (rule for rule in source.constraints if isinstance(rule, UniqueConstraint))
    rules = [[one.name for one in rule.columns] for rule in unique]
    return [[name for name in names if name != "contact_id"] for names in rules if "contact_id" in names]


async def _row(conn: AsyncConnection, number: int) -> dict[str, Any]:
    row = (await conn.execute(select(CONTACT).where(CONTACT.c.id == number).with_for_update())).one_or_none()
    if row is None:
        raise LookupError(f"there is no contact {number}")
    return dict(row._mapping)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


def _back(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a contact's columns out of JSON."""
    found = dict(values)
    for name, value in values.items():
        if value is not None and isinstance(CONTACT.c[name].type, UtcDateTime):
            found[name] = datetime.fromisoformat(value)
        elif value is not None and isinstance(CONTACT.c[name].type, Date):
            found[name] = date.fromisoformat(value)
    return found
