"""Reports of violations in the database. Nothing of the reporter is stored: only a receipt's hash leads back to one."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from outreach.access.roles import Actor
from outreach.access.secrets import token_hash
from outreach.access.store import append_audit
from outreach.db.session import Database
from outreach.model import Violation
from outreach.model.base import table

VIOLATIONS = table(Violation)
#: What stands before the subject of a report by somebody who is no member of the staff.
OUTSIDE = "outside:"
LONGEST = 20_000


class ViolationStore:
    """Each method is one transaction."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def report(self, about: str, text: str, now: datetime, *, outside: bool = False) -> str:
        """Store a report and return its receipt (64 random bits in hex), which stands nowhere else."""
        receipt = secrets.token_hex(8)
        subject = (OUTSIDE if outside else "") + about[:40]
        values = {"at": now, "about": subject, "text": text[:LONGEST], "state": "new"}
        async with self.db.write() as conn:
            added = insert(VIOLATIONS).values(receipt_hash=token_hash(receipt), **values).returning(VIOLATIONS.c.id)
            number = (await conn.execute(added)).scalar_one()
            # the trail says that there is a report; who made it stands nowhere
            await append_audit(conn, None, "violation.reported", "violation", number, now=now)
        return receipt

    async def of_receipt(self, receipt: str) -> Any | None:
        """Return the report that a receipt belongs to."""
        wanted = select(VIOLATIONS).where(VIOLATIONS.c.receipt_hash == token_hash(receipt.strip().lower()))
        async with self.db.read() as conn:
            return (await conn.execute(wanted)).one_or_none()

    async def newest(self, limit: int = 200) -> Sequence[Any]:
        """Return the reports, newest first."""
        async with self.db.read() as conn:
            return (await conn.execute(select(VIOLATIONS).order_by(VIOLATIONS.c.id.desc()).limit(limit))).all()

    async def from_outside(self, now: datetime) -> int:
        """Return how many came from outside in the hour before `now`."""
        lately = (VIOLATIONS.c.at > now - timedelta(hours=1)) & VIOLATIONS.c.about.startswith(OUTSIDE, autoescape=True)
        async with self.db.read() as conn:
            return int((await conn.execute(select(func.count()).select_from(VIOLATIONS).where(lately))).scalar_one())

    async def answer(self, number: int, text: str, actor: Actor, now: datetime, *, close: bool = False) -> None:
        """Answer a report: its reporter reads it with the receipt. Raises LookupError when there is none."""
        values = {"answer": text[:LONGEST], "state": "closed" if close else "open"}
        async with self.db.write() as conn:
            done = await conn.execute(update(VIOLATIONS).where(VIOLATIONS.c.id == number).values(**values))
            if done.rowcount != 1:
                raise LookupError(number)
            await append_audit(conn, actor, "violation.answered", "violation", number, now=now)
