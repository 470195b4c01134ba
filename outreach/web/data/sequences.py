"""What the pages of sequences and remembered dates show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Table, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Permission as P
from outreach.model import Enrolment, Occasion
from outreach.web.data.matching import says
from outreach.web.data.people import PERSON, named
from outreach.web.data.scope import owned
from outreach.web.data.tables import ADDRESS, CAMPAIGN, COMPANY, CONTACT, MAILBOX, MESSAGE, TASK, USER

if TYPE_CHECKING:
    from outreach.web.routing import Staff

ENROLMENT: Table = Enrolment.__table__  # type: ignore[attr-defined]
OCCASION: Table = Occasion.__table__  # type: ignore[attr-defined]
E, D = ENROLMENT.c, OCCASION.c
PAGE = 50
IN_IT = E.state.in_(("active", "waiting", "paused"))


def visible(staff: Staff) -> ColumnElement[bool]:
    """One's own, and all that run: whoever may enrol customers uses them."""
    return or_(owned(staff, P.CAMPAIGNS_VIEW, CAMPAIGN.c.owner_id), CAMPAIGN.c.state == "running")


async def listing(conn: AsyncConnection, staff: Staff, kind: str) -> Sequence[Any]:
    """Sequences (or remembered dates) that are not over, newest first, with their people counted."""
    if kind == "sequence":
        told = _told(E.campaign_id, ENROLMENT, {"within": IN_IT, "all": E.id > 0, "replied": E.reason == "replied"})
    else:
        kinds = {"within": D.state == "proposed", "all": D.state == "queued", "replied": D.state == "missed"}
        told = _told(D.campaign_id, OCCASION, kinds)
    query = (
        select(CAMPAIGN, USER.c.display_name.label("owner"), told.c.within, told.c.all, told.c.replied)
        .outerjoin(told, told.c.campaign_id == CAMPAIGN.c.id)
        .outerjoin(USER, USER.c.id == CAMPAIGN.c.owner_id)
        .where(CAMPAIGN.c.kind == kind, CAMPAIGN.c.state != "cancelled", visible(staff))
    )
    return (await conn.execute(query.order_by(CAMPAIGN.c.id.desc()))).all()


def _told(key: Any, table: Table, kinds: dict[str, ColumnElement[bool]]) -> Any:
    columns = [func.count(case((condition, 1))).label(name) for name, condition in kinds.items()]
    return select(key.label("campaign_id"), *columns).select_from(table).group_by(key).subquery()


async def by_step(conn: AsyncConnection, campaign_id: int) -> dict[int, dict[str, int]]:
    """For each step: mails sent and answered, people who wait for it."""
    m = MESSAGE.c
    found: dict[int, dict[str, int]] = {}
    mails = select(m.step, func.count(m.sent_at).label("sent"), func.count(m.replied_at).label("replied"))
    for row in await conn.execute(mails.where(m.campaign_id == campaign_id).group_by(m.step)):
        found[row.step] = {"sent": row.sent, "replied": row.replied}
    waiting = select(E.step, func.count().label("n")).where(E.campaign_id == campaign_id, IN_IT).group_by(E.step)
    for row in await conn.execute(waiting):
        if row.step is not None:
            found.setdefault(row.step, {})["waiting"] = row.n
    return found


async def people(
    conn: AsyncConnection, staff: Staff, campaign_id: int, state: str, search: str, offset: int
) -> tuple[Sequence[Any], int]:
    """One page of who is or was in a sequence: those whom the visitor may see."""
    parts = [E.campaign_id == campaign_id, owned(staff, P.CONTACTS_VIEW, CONTACT.c.owner_id)]
    if state:
        parts.append(E.state == state)
    if search:
        parts.append(named(search) | says(search, COMPANY.c.name))
    base = ENROLMENT.join(CONTACT, CONTACT.c.id == E.contact_id).outerjoin(
        COMPANY, COMPANY.c.id == CONTACT.c.company_id
    )
    total = (await conn.execute(select(func.count()).select_from(base).where(and_(*parts)))).scalar_one()
    columns = (E.state, E.reason, E.via, E.step, E.due_at, E.paused_until, E.enrolled_at, E.ended_at, E.notes)
    query = (
        select(
            *columns, *PERSON, CONTACT.c.paused_until.label("away_until"), MAILBOX.c.name.label("mailbox"),
            ADDRESS.c.address,
        )
        .select_from(
            base.outerjoin(MAILBOX, MAILBOX.c.id == E.mailbox_id).outerjoin(
                ADDRESS, and_(ADDRESS.c.contact_id == E.contact_id, ADDRESS.c.is_primary.is_(True))
            )
        )
        .where(and_(*parts))
        .order_by(E.ended_at.is_not(None), E.due_at.is_(None), E.due_at, E.id.desc())
        .limit(PAGE)
        .offset(offset)
    )  # fmt: skip
    return (await conn.execute(query)).all(), int(total)


async def of_contact(conn: AsyncConnection, contact_id: int) -> Sequence[Any]:
    """The sequences that a person is or was in, the present one first."""
    query = select(ENROLMENT, CAMPAIGN.c.name, CAMPAIGN.c.state.label("campaign_state"), CAMPAIGN.c.definition)
    query = query.join(CAMPAIGN, CAMPAIGN.c.id == E.campaign_id).where(E.contact_id == contact_id)
    return (await conn.execute(query.order_by(E.ended_at.is_not(None), E.id.desc()))).all()


async def owner_of_contact(conn: AsyncConnection, contact_id: int) -> Any | None:
    """The row with a contact's `owner_id`, None for an unknown contact."""
    owner = func.coalesce(CONTACT.c.owner_id, COMPANY.c.owner_id).label("owner_id")
    base = CONTACT.outerjoin(COMPANY, COMPANY.c.id == CONTACT.c.company_id)
    query = select(owner).select_from(base).where(CONTACT.c.id == contact_id, CONTACT.c.erased_at.is_(None))
    return (await conn.execute(query)).one_or_none()


async def open_to_all(conn: AsyncConnection) -> Sequence[Any]:
    """The sequences that take people in now."""
    query = select(CAMPAIGN.c.id, CAMPAIGN.c.name).where(CAMPAIGN.c.kind == "sequence", CAMPAIGN.c.state == "running")
    return (await conn.execute(query.order_by(CAMPAIGN.c.name))).all()


async def waiting(conn: AsyncConnection, staff: Staff) -> Sequence[Any]:
    """Remembered dates that wait for their owner's word, the nearest first."""
    base = (
        OCCASION.join(CAMPAIGN, CAMPAIGN.c.id == D.campaign_id)
        .join(CONTACT, CONTACT.c.id == D.contact_id)
        .outerjoin(COMPANY, COMPANY.c.id == CONTACT.c.company_id)
        .outerjoin(TASK, TASK.c.id == D.task_id)
        .outerjoin(USER, USER.c.id == TASK.c.owner_id)
    )
    columns = (
        D.id,
        D.kind,
        D.name,
        D.on,
        D.due_at,
        CAMPAIGN.c.name.label("campaign"),
        USER.c.display_name.label("owner"),
    )
    mine = owned(staff, P.CONTACTS_VIEW, CONTACT.c.owner_id)
    query = select(*columns, *PERSON).select_from(base).where(D.state == "proposed", mine)
    return (await conn.execute(query.order_by(D.due_at, D.id).limit(200))).all()


async def occasion(conn: AsyncConnection, occasion_id: int) -> Any | None:
    """A remembered date with its person, owner and campaign."""
    base = (
        OCCASION.join(CAMPAIGN, CAMPAIGN.c.id == D.campaign_id)
        .join(CONTACT, CONTACT.c.id == D.contact_id)
        .outerjoin(COMPANY, COMPANY.c.id == CONTACT.c.company_id)
        .outerjoin(ADDRESS, and_(ADDRESS.c.contact_id == D.contact_id, ADDRESS.c.is_primary.is_(True)))
    )
    more = (
        CAMPAIGN.c.name.label("campaign"),
        CAMPAIGN.c.state.label("campaign_state"),
        ADDRESS.c.address,
        CONTACT.c.owner_id,
    )
    query = select(OCCASION, *more, *PERSON).select_from(base).where(D.id == occasion_id).limit(1)
    return (await conn.execute(query)).one_or_none()


async def dates(conn: AsyncConnection, campaign_id: int, staff: Staff) -> Sequence[Any]:
    """The last remembered dates of a campaign, with what became of them."""
    base = OCCASION.join(CONTACT, CONTACT.c.id == D.contact_id).outerjoin(COMPANY, COMPANY.c.id == CONTACT.c.company_id)
    message = and_(
        MESSAGE.c.campaign_id == D.campaign_id, MESSAGE.c.contact_id == D.contact_id, MESSAGE.c.step == D.key
    )
    columns = (D.id, D.kind, D.name, D.on, D.due_at, D.state, D.reason, MESSAGE.c.sent_at)
    query = select(*columns, *PERSON).select_from(base.outerjoin(MESSAGE, message))
    mine = owned(staff, P.CONTACTS_VIEW, CONTACT.c.owner_id)
    return (
        await conn.execute(query.where(D.campaign_id == campaign_id, mine).order_by(D.due_at.desc()).limit(PAGE))
    ).all()
