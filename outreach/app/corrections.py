"""Corrections of the address book that a mail proposed: a person takes them or leaves them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.app.build import App
from outreach.audience.row import RowRefused
from outreach.crm.proposals import KINDS, proposal_of
from outreach.model import Activity, Basis, Company, Contact, EmailAddress, Task, TaskState
from outreach.model.base import table
from outreach.model.keys import address_key, normalise_address
from outreach.model.refusal import InTwo

TASKS, CONTACTS, COMPANIES = table(Task), table(Contact), table(Company)
ADDRESSES, ACTIVITIES = table(EmailAddress), table(Activity)


class CorrectionError(InTwo):
    """It cannot be taken over; the text says why and what to do."""


async def proposals(app: App) -> list[dict[str, Any]]:
    """Return the open proposals, oldest first."""
    query = select(TASKS).where(TASKS.c.state == TaskState.OPEN.value, TASKS.c.kind.in_(KINDS)).order_by(TASKS.c.id)
    async with app.db.read() as conn:
        rows = (await conn.execute(query)).all()
    return [
        {"id": row.id, "contact_id": row.contact_id, "title": row.title, **found}
        for row in rows
        if (found := proposal_of(row.kind, row.data)) is not None
    ]


async def accept(app: App, task_id: int, actor: Actor, now: datetime) -> dict[str, Any]:
    """Apply the proposal of a task and close it, in one transaction. Raises LookupError, CorrectionError."""
    async with app.db.write() as conn:
        task = (await conn.execute(select(TASKS).where(TASKS.c.id == task_id))).one_or_none()
        proposal = proposal_of(task.kind, task.data) if task is not None else None
        if task is None or proposal is None:
            raise LookupError(f"task {task_id} proposes nothing")
        if task.state != TaskState.OPEN.value:
            raise CorrectionError(
                "somebody has decided this already: look at the contact", "已经有人处理过了：请查看该联系人"
            )
        done = await _apply(app, conn, task, proposal, now)
        closed = {"state": TaskState.DONE.value, "done_at": now, "outcome": "accepted"}
        await conn.execute(update(TASKS).where(TASKS.c.id == task_id).values(**closed))
        values = {"kind": "note", "at": now, "contact_id": task.contact_id, "company_id": task.company_id}
        text = f"{proposal['change']}: {proposal.get('address') or ''}"
        await conn.execute(insert(ACTIVITIES).values(**values, user_id=actor.id, text=text, data=proposal))
        after = {"task_id": task_id, "change": proposal["change"], **done}
        await append_audit(conn, actor, "contact.corrected", "contact", task.contact_id, now=now, after=after)
    return {"id": task_id, "change": proposal["change"], **done}


async def _apply(app: App, conn: AsyncConnection, task: Any, proposal: dict[str, Any], now: datetime) -> dict[str, Any]:
    change, address = proposal["change"], proposal.get("address")
    if change in ("moved", "another_address"):
        return await _add_address(app, conn, task.contact_id, str(address), now, first=change == "moved")
    if change == "wrong_person":
        await conn.execute(update(CONTACTS).where(CONTACTS.c.id == task.contact_id).values(left_at=now))
    if not address:
        return {}
    return await _add_colleague(app, conn, task.contact_id, str(address), proposal.get("name") or "", now)


async def _add_address(
    app: App, conn: AsyncConnection, contact_id: int, address: str, now: datetime, *, first: bool
) -> dict[str, Any]:
    """Give the contact one more address; `first`: mail goes there from now on."""
    normal = normalise_address(address)
    holder = await conn.scalar(select(ADDRESSES.c.contact_id).where(ADDRESSES.c.normal == normal))
    if holder is not None:
        raise CorrectionError(
            "another contact has this address already: merge the two instead",
            "已有另一个联系人使用这个地址：请改为合并两者",
        )
    if first:
        await conn.execute(update(ADDRESSES).where(ADDRESSES.c.contact_id == contact_id).values(is_primary=False))
    values = {
        "contact_id": contact_id,
        "address": address,
        "normal": normal,
        "domain": normal.rpartition("@")[2],
        "key": address_key(normal, app.secret),
        "is_primary": first,
        "is_role": False,
        "created_at": now,
    }
    await conn.execute(insert(ADDRESSES).values(**values))
    return {"contact_id": contact_id}


async def _add_colleague(
    app: App, conn: AsyncConnection, contact_id: int, address: str, name: str, now: datetime
) -> dict[str, Any]:
    """Enter somebody of the same company. What the other one consented to is not this one's consent."""
    row = (
        await conn.execute(
            select(CONTACTS.c.basis, CONTACTS.c.owner_id, CONTACTS.c.country, COMPANIES.c.name.label("company"))
            .select_from(CONTACTS.outerjoin(COMPANIES, COMPANIES.c.id == CONTACTS.c.company_id))
            .where(CONTACTS.c.id == contact_id)
        )
    ).one()
    first, _, last = name.strip().rpartition(" ")
    values = {"email": address, "first_name": first or last, "last_name": last if first else ""}
    values |= {"company": row.company or "", "country": row.country or ""}
    basis = Basis.NONE.value if row.basis == Basis.CONSENT.value else row.basis
    given = {key: value for key, value in values.items() if value}
    try:
        new = await app.audience.add_contact_in(
            conn, given, source="inbox", basis=basis, now=now, owner_id=row.owner_id
        )
    except RowRefused as refused:
        raise CorrectionError(refused.message(), refused.message("zh")) from refused
    return {"contact_id": new}
