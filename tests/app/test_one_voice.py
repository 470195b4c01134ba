"""One voice before anything is sent: the preflight says who hears from a colleague these days."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert, select, update

from outreach.app.preflight import preflight
from outreach.model import Contact, Mailbox, Message, User
from outreach.model.base import table
from tests.app.sequence_house import write_templates
from tests.flow.house import Clock, add_people, approved, drafted, installed

CONTACTS, MAILBOXES, MESSAGES, USERS = table(Contact), table(Mailbox), table(Message), table(User)


async def test_who_hears_from_a_colleague_is_left_out_before_the_freeze(tmp_path: Path, database_url: str) -> None:
    clock = Clock()
    write_templates(tmp_path)
    async with installed(tmp_path, 9, database=database_url) as app:
        await add_people(app, tmp_path, 3)
        # anna's own mailbox, which is not in the configuration any more, wrote to the first customer last week
        other = {"name": "anna", "address": "anna@mingxu.example", "domain": "mingxu.example", "created_at": clock()}
        await approved(app, clock, template="hello")
        async with app.db.write() as conn:
            users = {row.name: row.id for row in await conn.execute(select(USERS.c.id, USERS.c.name))}
            await conn.execute(update(MAILBOXES).values(owner_id=users["zhou"]))
            box = insert(MAILBOXES).values(**other, owner_id=users["anna"]).returning(MAILBOXES.c.id)
            number = (await conn.execute(box)).scalar_one()
            person = (await conn.execute(select(CONTACTS).order_by(CONTACTS.c.id).limit(1))).one()
            sent = clock() - timedelta(days=6)
            await conn.execute(
                insert(MESSAGES).values(
                    uid="u", message_id="u@mingxu.example", campaign_id=1, step=9, contact_id=person.id,
                    company_id=person.company_id, address="p0@firm0.example", address_key="k", domain="firm0.example",
                    mailbox_id=number, state="sent", due_at=sent, handed_at=sent, sent_at=sent,
                )
            )  # fmt: skip
        campaign = await drafted(app, clock, "Second", template="hello")
        found = await preflight(app, campaign, clock())
        assert (found.recipients, found.skipped) == (2, {"colleague_cap": 1})
        later = await preflight(app, campaign, clock() + timedelta(days=9))
        assert later.skipped == {}
