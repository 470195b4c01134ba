"""A customer's file: deals, orders, files, cases, tasks and one timeline of everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Permission as P
from outreach.web.data.scope import owned
from outreach.web.data.tables import (
    ACTIVITY,
    ATTACHMENT,
    CAMPAIGN,
    COMPANY,
    CONTACT,
    CONTACT_TAG,
    DEAL,
    MESSAGE,
    ORDER,
    STORED_FILE,
    SURVEY,
    TAG,
    TASK,
    TICKET,
)

if TYPE_CHECKING:
    from outreach.web.routing import Staff

#: Lines of the timeline on a page; older ones are a press away.
LINES = 60
#: Chip of the timeline → kinds of activity that it shows.
GROUPS: dict[str, tuple[str, ...]] = {
    "mail": ("mail", "sent", "reply", "answer", "autoreply", "bounce", "delay", "unsubscribe", "complaint", "preference"),
    "talk": ("call", "chat", "meeting", "note"),
    "trade": (
        "inquiry", "sample", "quotation", "order", "conversion", "deal_inquiry", "deal_quotation", "deal_sample", "deal_order",
        "deal_shipped", "deal_paid", "deal_lost", "deal_approved", "deal_refused",
    ),
    "service": (
        "case_opened", "case_asked", "case_told", "case_answered", "case_helped", "case_not_helped", "case_drop",
        "case_expire", "case_reopen", "case_take_back", "survey",
    ),
    "file": ("file",),
}  # fmt: skip


#: The tables that lines come from, in the order of lines of one moment.
MAILS, ACTIVITIES = 1, 2


@dataclass(frozen=True, order=True)
class Mark:
    """Where a page of the timeline ends: its last line's moment, table and id, for one moment may have many lines."""

    at: datetime
    source: int = 0
    id: int = 0

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.source}~{self.id}"

    @classmethod
    def read(cls, text: str) -> Mark | None:
        """The mark that an address names, None where it names none."""
        moment, *numbers = text.split("~")
        try:
            at = datetime.fromisoformat(moment)
        except ValueError:
            return None
        if at.tzinfo is None or not all(number.isdecimal() and len(number) < 19 for number in numbers):
            return None
        return cls(at, *map(int, numbers[:2]))

    def before(self, moment: Any, source: int, number: Any) -> Any:
        """The condition: lines of that table that stand below this one."""
        if source > self.source:
            return moment < self.at
        return or_(moment < self.at, (moment == self.at) & (number < self.id if source == self.source else true()))


@dataclass(frozen=True)
class Line:
    """One line of the timeline: what happened when, to whom of theirs, by whom of ours."""

    mark: Mark
    kind: str
    text: str
    data: dict[str, Any]
    person: str = ""
    contact_id: int | None = None
    user_id: int | None = None

    @property
    def at(self) -> datetime:
        return self.mark.at


async def timeline(
    conn: AsyncConnection, company_id: int, group: str = "", before: Mark | None = None
) -> tuple[list[Line], bool]:
    """What happened with a company and its people, newest first, and whether there is more."""
    found: list[Line] = []
    asked = ((ACTIVITIES, _activities(company_id, group), _activity), (MAILS, _mails(company_id, group), _mail))
    for source, query, make in asked:
        if query is None:
            continue
        moment, number = query.selected_columns[0], query.selected_columns[1]
        limited = query.order_by(moment.desc(), number.desc()).limit(LINES + 1)
        if before is not None:
            limited = limited.where(before.before(moment, source, number))
        found += [make(row) for row in await conn.execute(limited)]
    found.sort(key=lambda line: line.mark, reverse=True)
    return found[:LINES], len(found) > LINES


def _activities(company_id: int, group: str) -> Any:
    people = select(CONTACT.c.id).where(CONTACT.c.company_id == company_id)
    columns = (
        ACTIVITY.c.at, ACTIVITY.c.id, ACTIVITY.c.kind, ACTIVITY.c.text, ACTIVITY.c.data, ACTIVITY.c.contact_id, ACTIVITY.c.user_id,
        CONTACT.c.first_name, CONTACT.c.last_name,
    )  # fmt: skip
    joined = ACTIVITY.outerjoin(CONTACT, CONTACT.c.id == ACTIVITY.c.contact_id)
    mine = or_(ACTIVITY.c.company_id == company_id, ACTIVITY.c.contact_id.in_(people))
    query = select(*columns).select_from(joined).where(mine)
    return query.where(ACTIVITY.c.kind.in_(GROUPS[group])) if group in GROUPS else query


def _activity(row: Any) -> Line:
    name = " ".join(part for part in (row.first_name, row.last_name) if part)
    return Line(Mark(row.at, ACTIVITIES, row.id), row.kind, row.text, row.data or {}, name, row.contact_id, row.user_id)


def _mails(company_id: int, group: str) -> Any:
    if group not in ("", "mail"):
        return None
    columns = (
        MESSAGE.c.sent_at, MESSAGE.c.id, MESSAGE.c.first_open_at, MESSAGE.c.first_click_at, MESSAGE.c.bounced_at, MESSAGE.c.campaign_id,
        MESSAGE.c.contact_id, CAMPAIGN.c.name, CONTACT.c.first_name, CONTACT.c.last_name,
    )  # fmt: skip
    joined = MESSAGE.join(CAMPAIGN, CAMPAIGN.c.id == MESSAGE.c.campaign_id).join(
        CONTACT, CONTACT.c.id == MESSAGE.c.contact_id
    )
    return (
        select(*columns).select_from(joined).where(CONTACT.c.company_id == company_id, MESSAGE.c.sent_at.is_not(None))
    )


def _mail(row: Any) -> Line:
    data = {"campaign_id": row.campaign_id, "opened": bool(row.first_open_at), "clicked": bool(row.first_click_at)}
    name = " ".join(part for part in (row.first_name, row.last_name) if part)
    data |= {"bounced": bool(row.bounced_at)}
    return Line(Mark(row.sent_at, MAILS, row.id), "mail", row.name, data, name, row.contact_id)


async def deals(conn: AsyncConnection, company_id: int) -> Sequence[Any]:
    """The deals of a customer, open ones first."""
    closed = DEAL.c.stage.in_(("paid", "lost"))
    query = select(DEAL).where(DEAL.c.company_id == company_id)
    return (await conn.execute(query.order_by(closed, DEAL.c.stage_at.desc()).limit(50))).all()


async def orders(conn: AsyncConnection, company_id: int) -> Sequence[Any]:
    """The orders of a customer, newest first."""
    query = select(ORDER).where(ORDER.c.company_id == company_id)
    return (await conn.execute(query.order_by(ORDER.c.ordered_on.desc(), ORDER.c.id.desc()).limit(50))).all()


async def surveys(conn: AsyncConnection, order_ids: Sequence[int]) -> dict[int, Any]:
    """What customers were asked and answered about these orders: asked_at, answered_at, score, text."""
    query = select(SURVEY.c.order_id, SURVEY.c.asked_at, SURVEY.c.answered_at, SURVEY.c.score, SURVEY.c.text)
    rows = await conn.execute(query.where(SURVEY.c.order_id.in_(order_ids)).order_by(SURVEY.c.id))
    return {row.order_id: row for row in rows}


async def files(conn: AsyncConnection, company_id: int) -> Sequence[Any]:
    """The files in a customer's folder, newest first, without their bytes."""
    joined = ATTACHMENT.join(STORED_FILE, STORED_FILE.c.id == ATTACHMENT.c.file_id)
    query = select(ATTACHMENT, STORED_FILE.c.size).select_from(joined).where(ATTACHMENT.c.company_id == company_id)
    return (await conn.execute(query.order_by(ATTACHMENT.c.id.desc()).limit(100))).all()


async def cases(conn: AsyncConnection, company_id: int) -> Sequence[Any]:
    """The cases of a customer, newest first."""
    query = select(TICKET).where(TICKET.c.company_id == company_id)
    return (await conn.execute(query.order_by(TICKET.c.id.desc()).limit(20))).all()


async def tasks(conn: AsyncConnection, company_id: int) -> Sequence[Any]:
    """What is to be done for a customer and its people."""
    people = select(CONTACT.c.id).where(CONTACT.c.company_id == company_id)
    mine = or_(TASK.c.company_id == company_id, TASK.c.contact_id.in_(people))
    query = select(TASK).where(mine, TASK.c.state == "open").order_by(TASK.c.due_at).limit(20)
    return (await conn.execute(query)).all()


async def interests(conn: AsyncConnection, company_id: int) -> list[str]:
    """What the people of a customer are interested in."""
    joined = TAG.join(CONTACT_TAG, CONTACT_TAG.c.tag_id == TAG.c.id).join(
        CONTACT, CONTACT.c.id == CONTACT_TAG.c.contact_id
    )
    query = select(TAG.c.name).select_from(joined).where(CONTACT.c.company_id == company_id, TAG.c.kind == "interest")
    return list((await conn.execute(query.group_by(TAG.c.name).order_by(func.count().desc()).limit(12))).scalars())


def visible_company(staff: Staff) -> Any:
    """The condition: companies that may be seen."""
    return (COMPANY.c.merged_into.is_(None)) & owned(staff, P.CONTACTS_VIEW, COMPANY.c.owner_id)


async def parts(conn: AsyncConnection, company_id: int) -> Sequence[Any]:
    """Customers that were merged into this one."""
    query = select(COMPANY.c.id, COMPANY.c.name).where(COMPANY.c.merged_into == company_id)
    return (await conn.execute(query.order_by(COMPANY.c.id).limit(20))).all()
