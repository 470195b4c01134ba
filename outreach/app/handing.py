"""When somebody leaves: customers, open work and running sequences pass to a successor; the account and the mailboxes
are closed at once (C3). Looked at before, taken back after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Table, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Actor
from outreach.access.store import UserError, append_audit, change_user
from outreach.app.build import App
from outreach.crm.enrolment import store as enrolments
from outreach.db import stops
from outreach.model import (
    CalendarFeed,
    Campaign,
    Company,
    Contact,
    Deal,
    Enrolment,
    Handover,
    InboundMail,
    Mailbox,
    Message,
    OwnerChange,
    Task,
    Ticket,
    User,
)
from outreach.model.base import table

MAILBOXES, MESSAGES, USERS = table(Mailbox), table(Message), table(User)
HANDOVERS, CHANGES, FEEDS, CONTACTS = table(Handover), table(OwnerChange), table(CalendarFeed), table(Contact)
ENROLMENTS = table(Enrolment)
#: Mails of a sequence that have not left and may still leave from another mailbox.
UNSENT = ("planned", "queued", "deferred")
#: Why a mailbox is closed; one that is closed so still receives, but never sends again by itself.
HANDED_OVER = "handed_over"

#: What has an owner → the condition that it is still open, by column; None: everything.
OWNED: dict[str, tuple[Table, str, tuple[str, tuple[str, ...]] | None]] = {
    "companies": (table(Company), "owner_id", None),
    "contacts": (CONTACTS, "owner_id", None),
    "tasks": (table(Task), "owner_id", ("state", ("open",))),
    "deals": (table(Deal), "owner_id", ("stage", ("inquiry", "quotation", "sample", "order", "shipped"))),
    "cases": (table(Ticket), "owner_id", ("state", ("new", "open", "asked", "answered"))),
    "questions": (table(Ticket), "handed_to", ("state", ("asked",))),
    "received": (table(InboundMail), "owner_id", ("state", ("new",))),
    "campaigns": (
        table(Campaign),
        "owner_id",
        ("state", ("draft", "review", "approved", "scheduled", "pilot", "running", "paused")),
    ),
    "mailboxes": (MAILBOXES, "owner_id", None),
}


@dataclass
class Preview:
    """What would pass on. `unsent`: mails that wait in the mailboxes; `mailbox`: from where they would leave then."""

    leaving: int
    counts: dict[str, int] = field(default_factory=dict)
    unsent: int = 0
    sequences: int = 0
    mailboxes: list[str] = field(default_factory=list)
    mailbox: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


async def preview(app: App, leaving: int, successor: int | None = None) -> Preview:
    """Count what somebody has and what would become of the sequences. Nothing is changed."""
    async with app.db.read() as conn:
        found = Preview(leaving)
        for name, (owned, column, still) in OWNED.items():
            mine = _mine(owned, column, still, leaving)
            found.counts[name] = await conn.scalar(select(func.count()).select_from(owned).where(mine)) or 0
        boxes = await _mailboxes(conn, leaving)
        found.mailboxes = [box.address for box in boxes]
        waiting = MESSAGES.c.mailbox_id.in_([box.id for box in boxes]) & MESSAGES.c.state.in_(UNSENT)
        found.unsent = await conn.scalar(select(func.count()).select_from(MESSAGES).where(waiting)) or 0
        in_it = select(func.count()).select_from(ENROLMENTS).where(_enrolled([one.id for one in boxes]))
        found.sequences = await conn.scalar(in_it) or 0
        box = await _mailbox_of(conn, successor) if successor is not None else None
        found.mailbox = box.address if box is not None else None
    return found


async def transfer(
    app: App,
    leaving: int,
    successor: int,
    actor: Actor,
    now: datetime,
    *,
    sequences: str = "continue",
    close_account: bool = True,
) -> dict[str, Any]:
    """Pass everything on in one transaction and close the account; returns how many of each, and the hand-over's id.

    `sequences`: ``continue`` from the successor's mailbox, or ``stop``; without a mailbox of the successor's they
    stop. Raises UserError.
    """
    if leaving == successor:
        raise UserError("self", "name somebody else as the successor", "请选择另一位同事接手")
    async with app.db.write() as conn:
        await _able(conn, successor)
        await stops.hold(conn)
        boxes = await _mailboxes(conn, leaving)
        moved: dict[str, Any] = {}
        for name, (owned, column, still) in OWNED.items():
            moved[name] = await _pass_on(conn, owned, column, _mine(owned, column, still, leaving), successor)
        moved["unsent"] = await _sequences(conn, boxes, successor, sequences, now)
        moved["closed"] = {str(box.id): [box.state, box.paused_reason] for box in boxes}
        await _close_mailboxes(conn, [box.id for box in boxes])
        if close_account:
            await change_user(conn, leaving, {"disabled_at": now}, actor=actor, now=now, action="user.disabled")
            ours = (FEEDS.c.user_id == leaving) & FEEDS.c.revoked_at.is_(None)
            await conn.execute(update(FEEDS).where(ours).values(revoked_at=now))
        await _remember(conn, moved["companies"], leaving, successor, actor, "handed over", now)
        counts = _counts(moved)
        made = insert(HANDOVERS).values(
            from_id=leaving, to_id=successor, by_id=actor.id, at=now, counts=counts, moved=moved
        )
        number = int((await conn.execute(made.returning(HANDOVERS.c.id))).scalar_one())
        after = {"successor": successor, "handover": number, **counts}
        await append_audit(conn, actor, "user.transferred", "user", leaving, now=now, after=after)
    return {"from": leaving, "to": successor, "handover": number, **counts}


async def take_back(app: App, handover_id: int, actor: Actor, now: datetime) -> dict[str, int]:
    """Undo a hand-over: what is still the successor's goes back, the account and the mailboxes open again.

    Mails that were stopped stay stopped and sessions stay ended: nobody is mailed by an undo. Raises UserError.
    """
    async with app.db.write() as conn:
        row = (await conn.execute(select(HANDOVERS).where(HANDOVERS.c.id == handover_id))).one_or_none()
        if row is None or row.undone_at is not None:
            raise UserError(
                "unknown", "there is no such hand-over, or it was taken back already", "没有这次移交，或已撤回"
            )
        await stops.hold(conn)
        for name, (owned, column, _) in OWNED.items():
            back = owned.c.id.in_(row.moved[name]) & (owned.c[column] == row.to_id)
            await conn.execute(update(owned).where(back).values({column: row.from_id}))
        for number, (state, reason) in row.moved["closed"].items():
            box = (MAILBOXES.c.id == int(number)) & (MAILBOXES.c.paused_reason == HANDED_OVER)
            await conn.execute(update(MAILBOXES).where(box).values(state=state, paused_reason=reason))
        for number, was in row.moved["unsent"]["continue"].items():
            mail = (MESSAGES.c.id == int(number)) & MESSAGES.c.state.in_(UNSENT)
            await conn.execute(update(MESSAGES).where(mail).values(mailbox_id=was))
        for number, was in row.moved["unsent"]["enrolled"].items():
            person = (ENROLMENTS.c.id == int(number)) & ENROLMENTS.c.ended_at.is_(None)
            await conn.execute(update(ENROLMENTS).where(person).values(mailbox_id=was))
        await change_user(conn, row.from_id, {"disabled_at": None}, actor=actor, now=now, action="user.enabled")
        await _remember(conn, row.moved["companies"], row.to_id, row.from_id, actor, "undone", now)
        await conn.execute(update(HANDOVERS).where(HANDOVERS.c.id == handover_id).values(undone_at=now))
        await append_audit(conn, actor, "user.transfer_undone", "user", row.from_id, now=now)
    return {name: int(count) for name, count in row.counts.items()}


async def follow_up(app: App, now: datetime) -> int:
    """See to mails that were planned for a closed mailbox since: they go the way of their hand-over. Returns how many.

    A follow-up step is planned for the mailbox of the step before, which may have been handed over in between.
    """
    handed = select(HANDOVERS).where(HANDOVERS.c.undone_at.is_(None)).order_by(HANDOVERS.c.id.desc()).limit(20)
    late = 0
    async with app.db.write() as conn:
        for row in (await conn.execute(handed)).all():
            boxes = [int(number) for number in row.moved.get("closed", {})]
            open_ones = MESSAGES.c.mailbox_id.in_(boxes) & MESSAGES.c.state.in_(UNSENT)
            waits = select(MESSAGES.c.id).where(open_ones).limit(1)
            runs = select(ENROLMENTS.c.id).where(_enrolled(boxes)).limit(1)
            if not boxes or not (await conn.scalar(waits) or await conn.scalar(runs)):
                continue
            found = (await conn.execute(select(MAILBOXES).where(MAILBOXES.c.id.in_(boxes)))).all()
            closed = [box for box in found if box.paused_reason == HANDED_OVER]
            how = row.moved["unsent"]["how"]
            done = await _sequences(conn, closed, row.to_id, how, now)
            late += len(done["continue"]) + len(done["stop"])
    return late


async def _able(conn: AsyncConnection, successor: int) -> None:
    row = (await conn.execute(select(USERS.c.disabled_at).where(USERS.c.id == successor))).one_or_none()
    if row is None or row.disabled_at is not None:
        raise UserError(
            "unknown",
            "the successor's account is closed: name somebody who works here",
            "接手人的账号已关闭：请选择在职同事",
        )


def _mine(owned: Table, column: str, still: tuple[str, tuple[str, ...]] | None, user: int) -> Any:
    mine = owned.c[column] == user
    return mine & owned.c[still[0]].in_(still[1]) if still else mine


async def _pass_on(conn: AsyncConnection, owned: Table, column: str, which: Any, to: int) -> list[int]:
    ids = list((await conn.execute(select(owned.c.id).where(which))).scalars())
    await conn.execute(update(owned).where(which).values({column: to}))
    return ids


async def _mailboxes(conn: AsyncConnection, user: int) -> Sequence[Any]:
    """The mailboxes that are somebody's own; shared ones have no owner."""
    return (await conn.execute(select(MAILBOXES).where(MAILBOXES.c.owner_id == user))).all()


async def _mailbox_of(conn: AsyncConnection, user: int) -> Any | None:
    """The mailbox from which somebody writes: the own one, if it may send."""
    mine = (MAILBOXES.c.owner_id == user) & (MAILBOXES.c.state != "disabled")
    return (await conn.execute(select(MAILBOXES).where(mine).order_by(MAILBOXES.c.id).limit(1))).one_or_none()


async def _sequences(conn: AsyncConnection, boxes: Sequence[Any], to: int, how: str, now: datetime) -> dict[str, Any]:
    """Move or stop what waits in these mailboxes; people keep the mailbox that writes to them from now on."""
    ids = [box.id for box in boxes]
    done: dict[str, Any] = {"how": how, "continue": {}, "stop": [], "enrolled": {}}
    which = MESSAGES.c.mailbox_id.in_(ids) & MESSAGES.c.state.in_(UNSENT)
    rows = (await conn.execute(select(MESSAGES.c.id, MESSAGES.c.mailbox_id).where(which))).all()
    own = (MAILBOXES.c.owner_id == to) & (MAILBOXES.c.state != "disabled") & MAILBOXES.c.id.not_in(ids)
    box = (await conn.execute(select(MAILBOXES).where(own).order_by(MAILBOXES.c.id).limit(1))).one_or_none()
    goes_on = how == "continue" and box is not None
    if goes_on:
        running = await conn.execute(select(ENROLMENTS.c.id, ENROLMENTS.c.mailbox_id).where(_enrolled(ids)))
        done["enrolled"] = {str(row.id): row.mailbox_id for row in running}
    await enrolments.give_to(conn, ids, box.id if goes_on and box is not None else None, now)
    if goes_on and box is not None:
        await conn.execute(update(MESSAGES).where(which).values(mailbox_id=box.id))
        await conn.execute(update(CONTACTS).where(CONTACTS.c.mailbox_id.in_(ids)).values(mailbox_id=box.id))
        done["continue"] = {str(row.id): row.mailbox_id for row in rows}
    else:
        stopped = {"state": "cancelled", "reason": "owner_left", "settled_at": now}
        await conn.execute(update(MESSAGES).where(which).values(**stopped))
        await conn.execute(update(CONTACTS).where(CONTACTS.c.mailbox_id.in_(ids)).values(mailbox_id=None))
        done["stop"] = [row.id for row in rows]
    return done


def _enrolled(mailboxes: Sequence[int]) -> Any:
    return ENROLMENTS.c.mailbox_id.in_(mailboxes) & ENROLMENTS.c.ended_at.is_(None)


async def _close_mailboxes(conn: AsyncConnection, ids: Sequence[int]) -> None:
    closed = {"state": "disabled", "paused_reason": HANDED_OVER, "paused_until": None}
    await conn.execute(update(MAILBOXES).where(MAILBOXES.c.id.in_(ids)).values(**closed))


async def _remember(
    conn: AsyncConnection, companies: Sequence[int], was: int, to: int, actor: Actor, why: str, now: datetime
) -> None:
    rows = [
        {"company_id": number, "from_id": was, "to_id": to, "by_id": actor.id, "reason": why, "at": now}
        for number in companies
    ]
    if rows:
        await conn.execute(insert(CHANGES), rows)


def _counts(moved: dict[str, Any]) -> dict[str, int]:
    counts = {name: len(moved[name]) for name in OWNED}
    unsent = moved["unsent"]
    more = {"continued": len(unsent["continue"]), "stopped": len(unsent["stop"]), "enrolled": len(unsent["enrolled"])}
    return counts | more
