"""Suggestions of staff on record (G3): made by anybody, decided by a manager, with what they brought."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Row

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.db.session import Database
from outreach.model import Suggestion, User
from outreach.model.base import table

SUGGESTIONS, USERS = table(Suggestion), table(User)
STATES = ("new", "adopted", "declined")
LONGEST, MOST = 4000, 200


class SuggestionRefused(ValueError):
    """A suggestion that cannot be stored so; `code`: text, state, amount, reason."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)


class SuggestionStore:
    """Amounts are in the company's currency."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def make(self, text: str, actor: Actor, now: datetime) -> int:
        """Put a suggestion on record; return its id. Raises SuggestionRefused."""
        plain = text.strip()[:LONGEST]
        if not plain:
            raise SuggestionRefused("text", "write what could be better")
        values = {"user_id": actor.id, "at": now, "text": plain, "state": "new"}
        async with self.db.write() as conn:
            made = insert(SUGGESTIONS).values(**values).returning(SUGGESTIONS.c.id)
            number = int((await conn.execute(made)).scalar_one())
            await append_audit(conn, actor, "suggestion.made", "suggestion", number, now=now)
        return number

    async def decide(
        self, number: int, state: str, actor: Actor, now: datetime, *, answer: str = "", amount: float | None = None
    ) -> dict[str, Any]:
        """Say what becomes of it, and what it brought; return what stood there, which `put_back` takes.

        Raises SuggestionRefused, LookupError.
        """
        if state not in STATES:
            raise SuggestionRefused("state", f"a suggestion is {', '.join(STATES)}")
        if state == "declined" and not answer.strip():
            raise SuggestionRefused("reason", "say why not: the next suggestion depends on it")
        if amount is not None and not 0 <= amount < 1e12:
            raise SuggestionRefused("amount", "an amount is a number that is not below zero")
        values: dict[str, Any] = {"state": state, "answer": answer.strip()[:LONGEST] or None}
        values |= {"amount": amount if state == "adopted" else None}
        values |= {"decided_by": actor.id, "decided_at": now}
        return await self._change(number, values, actor, now)

    async def put_back(self, number: int, values: dict[str, Any], actor: Actor, now: datetime) -> None:
        """Undo a decision."""
        await self._change(number, values, actor, now)

    async def _change(self, number: int, values: dict[str, Any], actor: Actor, now: datetime) -> dict[str, Any]:
        async with self.db.write() as conn:
            row = (await conn.execute(select(SUGGESTIONS).where(SUGGESTIONS.c.id == number))).one_or_none()
            if row is None:
                raise LookupError(f"there is no suggestion {number}")
            before = {name: row._mapping[name] for name in values}
            await conn.execute(update(SUGGESTIONS).where(SUGGESTIONS.c.id == number).values(**values))
            told: Any = {"before": {"state": row.state}, "after": {"state": values["state"]}}
            await append_audit(conn, actor, "suggestion.decided", "suggestion", number, now=now, **told)
        return before

    async def listed(self, *, user_id: int | None = None) -> Sequence[Row[Any]]:
        """Return suggestions with their author's name, undecided first, then the newest; `user_id`: only theirs."""
        name = func.coalesce(func.nullif(USERS.c.display_name, ""), USERS.c.name).label("author")
        query = select(SUGGESTIONS, name).select_from(SUGGESTIONS.outerjoin(USERS, USERS.c.id == SUGGESTIONS.c.user_id))
        if user_id is not None:
            query = query.where(SUGGESTIONS.c.user_id == user_id)
        query = query.order_by(SUGGESTIONS.c.state != "new", SUGGESTIONS.c.at.desc()).limit(MOST)
        async with self.db.read() as conn:
            return (await conn.execute(query)).all()
