"""When somebody leaves: customers, open work and received mail pass to a successor, and the account is closed (C3)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Table, update

from outreach.access.roles import Actor
from outreach.access.store import UserError, append_audit, change_user
from outreach.app.build import App
from outreach.model import Campaign, Company, Contact, Deal, InboundMail, Mailbox, Task
from outreach.model.base import table

#: What has an owner → the condition that it is still open, by column; None: everything.
OWNED: dict[str, tuple[Table, tuple[str, tuple[str, ...]] | None]] = {
    "companies": (table(Company), None),
    "contacts": (table(Contact), None),
    "tasks": (table(Task), ("state", ("open",))),
    "deals": (table(Deal), None),
    "received": (table(InboundMail), ("state", ("new",))),
    "campaigns": (
        table(Campaign),
        ("state", ("draft", "review", "approved", "scheduled", "pilot", "running", "paused")),
    ),
    "mailboxes": (table(Mailbox), None),
}


async def transfer(app: App, leaving: int, successor: int, actor: Actor, now: datetime) -> dict[str, Any]:
    """Pass everything on in one transaction and close the account; returns how many of each. Raises UserError."""
    if leaving == successor:
        raise UserError("self", "name somebody else as the successor")
    counts: dict[str, Any] = {}
    async with app.db.write() as conn:
        for name, (owned, still) in OWNED.items():
            mine = owned.c.owner_id == leaving
            if still:
                mine &= owned.c[still[0]].in_(still[1])
            counts[name] = (await conn.execute(update(owned).where(mine).values(owner_id=successor))).rowcount
        await change_user(conn, leaving, {"disabled_at": now}, actor=actor, now=now, action="user.disabled")
        after = {"successor": successor, **counts}
        await append_audit(conn, actor, "user.transferred", "user", leaving, now=now, after=after)
    return {"from": leaving, "to": successor, **counts}
