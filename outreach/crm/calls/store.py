"""Calls: scripts, and what came of a call written down in one step: timeline, intent, next task, wishes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Row

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.audience.people.store import edit, edit_company, tag, untag
from outreach.crm.calls.order import OUTCOMES
from outreach.crm.store import ACTIVITIES, TASKS, add_task, note
from outreach.db.session import Database
from outreach.model import CallScript, Contact
from outreach.model.base import table
from outreach.model.task_titles import both

CONTACTS, SCRIPTS = table(Contact), table(CallScript)
#: The tag of people who do not want to be called; call lists leave them out.
DO_NOT_CALL = "do-not-call"


class CallRefused(ValueError):
    """A call that cannot be logged so; `code`: outcome, next."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)


@dataclass(frozen=True)
class Call:
    """What came of a call. `next_at` makes a task of `next_kind` (call, mail, sample, meeting); `task_id` is done."""

    contact_id: int
    outcome: str
    text: str = ""
    intent: str | None = None
    next_kind: str | None = None
    next_at: datetime | None = None
    channel: str = "phone"
    task_id: int | None = None


@dataclass(frozen=True)
class Logged:
    """The rows that a call made or changed; `undo` takes it back."""

    activity_id: int
    task_id: int | None
    undo: dict[str, Any]


class CallStore:
    """The telephone."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def log(self, call: Call, actor: Actor, now: datetime) -> Logged:
        """Write a call down. Raises CallRefused, LookupError."""
        if call.outcome not in OUTCOMES.values():
            raise CallRefused("outcome", f"choose what came of the call: {', '.join(OUTCOMES.values())}")
        if call.next_at is not None and call.next_at <= now:
            raise CallRefused("next", "the next step lies in the past")
        async with self.db.write() as conn:
            person = (await conn.execute(select(CONTACTS).where(CONTACTS.c.id == call.contact_id))).one_or_none()
            if person is None:
                raise LookupError(f"there is no contact {call.contact_id}")
            data = {"outcome": call.outcome, "channel": call.channel, "intent": call.intent}
            kind = "call" if call.channel == "phone" else "chat"
            line = await note(conn, kind, call.text, now, company_id=person.company_id, contact_id=person.id,
                              user_id=actor.id, data=data)  # fmt: skip
            before: dict[str, Any] = {}
            if call.intent:
                before = await edit(conn, person.id, {"intent": call.intent}, now)
                if person.company_id:
                    firm = await edit_company(conn, person.company_id, {"intent": call.intent}, now)
                    before |= {"company": person.company_id, "company_intent": firm["intent"]}
            stopped = call.outcome == "do_not_call" and bool(await tag(conn, [person.id], [DO_NOT_CALL]))
            done = await self._finish(conn, call, now)
            following = await self._follow(conn, call, person, actor, now)
            await append_audit(
                conn, actor, "call.logged", "contact", person.id, now=now, after={"outcome": call.outcome}
            )
        undo = {"activity": line, "contact": person.id, "made": following, "done": done, "stopped": stopped}
        undo |= before
        return Logged(line, following, undo)

    async def _finish(self, conn: Any, call: Call, now: datetime) -> int | None:
        """The task that asked for the call is done once somebody was reached."""
        if call.task_id is None or call.outcome in ("no_answer", "busy", "call_back"):
            return None
        mine = (TASKS.c.id == call.task_id) & (TASKS.c.contact_id == call.contact_id) & (TASKS.c.state == "open")
        done = await conn.execute(update(TASKS).where(mine).values(state="done", done_at=now, outcome=call.outcome))
        return call.task_id if done.rowcount else None

    async def _follow(self, conn: Any, call: Call, person: Row[Any], actor: Actor, now: datetime) -> int | None:
        if call.next_at is None:
            return None
        title = call.text.splitlines()[0][:120] if call.text else both("call")
        return await add_task(conn, call.next_kind or "call", title, now, owner_id=person.owner_id or actor.id,
                              company_id=person.company_id, contact_id=person.id, due=call.next_at)  # fmt: skip

    async def unlog(self, undo: Mapping[str, Any], actor: Actor, now: datetime) -> None:
        """Take a call back: its line, the task that it made, the one that it finished, the intent."""
        async with self.db.write() as conn:
            await conn.execute(delete(ACTIVITIES).where(ACTIVITIES.c.id == undo["activity"]))
            made = (TASKS.c.id == undo["made"]) & (TASKS.c.state == "open")
            await conn.execute(update(TASKS).where(made).values(state="dropped", done_at=now, outcome="undone"))
            done = (TASKS.c.id == undo["done"]) & (TASKS.c.state == "done")
            await conn.execute(update(TASKS).where(done).values(state="open", done_at=None, outcome=None))
            if "intent" in undo:
                await edit(conn, undo["contact"], {"intent": undo["intent"]}, now)
            if "company" in undo:
                await edit_company(conn, undo["company"], {"intent": undo["company_intent"]}, now)
            if undo["stopped"]:
                await untag(conn, [undo["contact"]], [DO_NOT_CALL])
            await append_audit(conn, actor, "call.undone", "contact", undo["contact"], now=now)

    # ---- scripts

    async def scripts(self) -> Sequence[Row[Any]]:
        """Return every script."""
        async with self.db.read() as conn:
            return (await conn.execute(select(SCRIPTS).order_by(SCRIPTS.c.name, SCRIPTS.c.language))).all()

    async def save_script(
        self, name: str, language: str, intent: str | None, body: str, actor: Actor, now: datetime
    ) -> int:
        """Store a script; the same name and language replaces."""
        values: dict[str, Any] = {"intent": intent, "body": body, "updated_at": now}
        async with self.db.write() as conn:
            same = (SCRIPTS.c.name == name) & (SCRIPTS.c.language == language)
            known = await conn.scalar(select(SCRIPTS.c.id).where(same))
            if known is not None:
                await conn.execute(update(SCRIPTS).where(SCRIPTS.c.id == known).values(**values))
            else:
                made = insert(SCRIPTS).values(name=name, language=language, **values).returning(SCRIPTS.c.id)
                known = (await conn.execute(made)).scalar_one()
            await append_audit(conn, actor, "script.saved", "call_script", known, now=now)
        return int(known)
