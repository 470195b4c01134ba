"""Makes two contacts one, without stopping the campaigns that others in the same audience are to get.

An approval covers the frozen audience. A merge gives a place in it to the other contact of the same person, or takes it
away: nobody gets anything more. So the approvals that held are bound to the audience as it stands then, on record.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.app.build import App
from outreach.app.erasure import bind_again, bound
from outreach.crm.same_person.store import merge, unmerge
from outreach.db import stops
from outreach.model.merged.store import parts


async def merge_contacts(app: App, keep: int, drop: int, actor: Actor, now: datetime) -> dict[str, Any]:
    """Make `drop` a part of `keep`; return what undoes it. Raises LookupError, NotOne."""
    async with app.db.write() as conn:
        await stops.hold(conn)
        people = [keep, drop, *await parts(conn, keep), *await parts(conn, drop)]
        campaigns = await bound(app, conn, people)
        told = await merge(conn, keep, drop, now)
        for number in campaigns:
            await bind_again(app, conn, number, "two recipients are one person", now)
        both: dict[str, Any] = {"keep": keep, "drop": drop}
        moved = {name: len(ids) for name, ids in told["moved"].items() if ids}
        change: dict[str, Any] = {
            "before": both | {"merged_into": None},
            "after": both | {"merged_into": keep, "moved": moved},
        }
        await append_audit(conn, actor, "contact.merged", "contact", keep, now=now, **change)
    return told


async def take_apart(app: App, told: dict[str, Any], actor: Actor, now: datetime) -> None:
    """Take a merge back. Raises LookupError, NotOne where something changed since."""
    keep, drop = int(told["keep"]), int(told["drop"])
    async with app.db.write() as conn:
        await stops.hold(conn)
        campaigns = await bound(app, conn, [keep, drop])
        await unmerge(conn, told, now)
        for number in campaigns:
            await bind_again(app, conn, number, "two recipients are two again", now)
        both: dict[str, Any] = {"keep": keep, "drop": drop}
        change: dict[str, Any] = {"before": both | {"merged_into": keep}, "after": both | {"merged_into": None}}
        await append_audit(conn, actor, "contact.merge_undone", "contact", keep, now=now, **change)
