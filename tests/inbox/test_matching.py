"""What a mail belongs to, how sure that is, who wrote it, and what may follow; on SQLite and PostgreSQL.

Whoever can write a mail can write a bounce: forgeries of every kind change nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from outreach.app.build import APPLIERS
from outreach.db.session import Database
from outreach.events.store import EventStore
from outreach.inbox.leads import Lead
from outreach.inbox.store import Fetched, InboundSeen, InboxStore
from outreach.inbox.wire import answer, reading
from outreach.model import Activity, Contact, EmailAddress, Event, InboundMail, Mailbox, Message, Suppression, Task
from outreach.model.base import table
from tests.events.seeds import add_campaign, add_message, add_person, add_user
from tests.fakes.schema import make_tables

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
SIGNED = "goodTOKENgoodTOKENgoodTO"
BOUNCE = """\
From: MAILER-DAEMON@mx.buyer.example
To: sales@us.example
Subject: Undelivered Mail Returned to Sender
Date: Tue, 24 Nov 2026 07:00:00 +0000
Message-ID: <{id}@mx.buyer.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

<{who}>: host mx.buyer.example said: 550 5.1.1 User unknown (in reply to RCPT TO command)

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.buyer.example

Final-Recipient: rfc822; {who}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown

--b
Content-Type: message/rfc822

{returned}
Subject: Lamps
To: {who}

{body}
--b--
"""


@dataclass
class Place:
    """Anna (contact, message) and Bo at buyer.example; Carl, whom we never wrote to, at other.example."""

    db: Database
    store: InboxStore
    anna: int
    bo: int
    company: int
    message: int
    step: int = 0
    leads: list[Lead] = field(default_factory=list)

    async def take(self, raw: str | bytes, **fetched: Any) -> InboundSeen:
        data = raw if isinstance(raw, bytes) else raw.replace("\n", "\r\n").encode()
        found = reading(answer(data, summary=True))
        self.step += 1
        mark = await self.store.mark_of(1, "INBOX")
        return await self.store.take(1, mark, Fetched("INBOX", self.step, data, NOW, **fetched), found, NOW)

    async def row(self, model: type, **columns: Any) -> Any:
        rows = table(model)
        query = select(rows)
        for name, value in columns.items():
            query = query.where(rows.c[name] == value)
        async with self.db.read() as conn:
            return (await conn.execute(query.order_by(rows.c.id.desc()).limit(1))).one()

    async def count(self, model: type, **columns: Any) -> int:
        rows = table(model)
        query = select(func.count()).select_from(rows)
        for name, value in columns.items():
            query = query.where(rows.c[name] == value)
        async with self.db.read() as conn:
            return int(await conn.scalar(query) or 0)

    async def tasks(self) -> list[str]:
        async with self.db.read() as conn:
            return list((await conn.execute(select(table(Task).c.kind).order_by(table(Task).c.id))).scalars())


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[Place]:
    db = Database(database_url)
    await make_tables(db)
    async with db.write() as conn:
        box = {"name": "sales", "address": "sales@us.example", "domain": "us.example", "created_at": NOW}
        await conn.execute(insert(table(Mailbox)).values(**box))
        owner = await add_user(conn, NOW)
        campaign = await add_campaign(conn, NOW)
        anna, company = await add_person(conn, NOW, "anna@buyer.example", owner_id=owner, first_name="Anna")
        bo, _ = await add_person(conn, NOW, "bo@buyer.example", owner_id=owner, first_name="Bo")
        message = await add_message(conn, NOW, campaign, anna, "anna@buyer.example", company_id=company)
        for number, (who, address) in enumerate(((anna, "anna@buyer.example"), (bo, "bo@buyer.example")), 1):
            later = {"step": number, "state": "queued", "sent_at": None, "handed_at": None, "company_id": company}
            await add_message(conn, NOW, campaign, who, address, **later)
    store = InboxStore(
        db,
        EventStore(b"k" * 32, APPLIERS),
        own_addresses=["sales@us.example"],
        read_token=lambda token: message if token == SIGNED else None,
    )
    yield Place(db, store, anna, bo, company, message)
    await db.close()


async def ours(place: Place) -> Any:
    return await place.row(Message, id=place.message)


def letter(sender: str, text: str = "Please send a quotation.", **headers: str) -> bytes:
    mail = EmailMessage()
    fixed = {
        "From": sender,
        "To": "sales@us.example",
        "Subject": "Re: Lamps",
        "Date": "Tue, 24 Nov 2026 07:00:00 +0000",
    }
    number = hashlib.sha256(repr((sender, text, headers)).encode()).hexdigest()[:12]
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in {**fixed, "Message-ID": f"<{number}@x.example>", **given}.items():
        mail[name] = value
    mail.set_content(text)
    return mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


# -- bounces: what proves, and what is forged ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("returned", "body", "certainty"),
    [
        ("Message-ID: <{rfc}>", "Dear Anna", "message_id"),
        ("Message-ID: <changed@relay.example>\nX-Outreach-Message: {uid}", "Dear Anna", "header"),
        ("Message-ID: <changed@relay.example>", "https://t.us.example/u/" + SIGNED, "token"),
    ],
)
async def test_a_real_bounce_is_believed_by_any_of_three_proofs(
    place: Place, returned: str, body: str, certainty: str
) -> None:
    row = await ours(place)
    known = returned.format(rfc=row.message_id, uid=row.uid)
    await place.take(BOUNCE.format(id=1, who="anna@buyer.example", returned=known, body=body))
    filed = await place.row(InboundMail)
    assert (filed.certainty, filed.message_id, filed.contact_id) == (certainty, place.message, place.anna)
    assert (await ours(place)).bounce_hard is True
    assert await place.count(Suppression) == 1


@pytest.mark.parametrize(
    ("who", "returned", "body"),
    [
        ("anna@buyer.example", "Message-ID: <guess@us.example>", "Dear Anna"),
        ("anna@buyer.example", "Message-ID: <guess@us.example>", "https://t.us.example/u/forgedTOKENforgedTOKEN01"),
        ("anna@buyer.example", "X-Outreach-Message: guessed", "Dear Anna"),
        ("bo@buyer.example", "Message-ID: <{rfc}>", "the right message, another recipient"),
        ("bo@buyer.example", "X-Outreach-Message: {uid}", "the right header, another recipient"),
        ("bo@buyer.example", "Message-ID: <x@y.example>", "https://t.us.example/u/" + SIGNED),
    ],
)
async def test_a_forged_bounce_changes_nothing(place: Place, who: str, returned: str, body: str) -> None:
    row = await ours(place)
    known = returned.format(rfc=row.message_id, uid=row.uid)
    await place.take(BOUNCE.format(id=1, who=who, returned=known, body=body))
    assert await place.count(InboundMail, kind="bounce") == 1, "it is filed"
    assert await place.count(Event) == await place.count(Suppression) == 0
    assert (await ours(place)).bounced_at is None
    assert await place.count(Message, state="queued") == 2


async def test_a_bounce_that_names_nobody_changes_nothing(place: Place) -> None:
    row = await ours(place)
    prose = f"From: MAILER-DAEMON@buyer.example\nTo: sales@us.example\nSubject: failure notice\nMessage-ID: <1@b.example>\n\n" \
        f"Delivery has failed. 550 5.1.1 user unknown\n\nMessage-ID: <{row.message_id}>\n"  # fmt: skip
    await place.take(prose)
    assert await place.count(Suppression) == 0
    assert (await ours(place)).bounced_at is None


async def test_a_forged_complaint_changes_nothing(place: Place) -> None:
    arf = (
        "From: fbl@provider.example\nTo: sales@us.example\nSubject: complaint\nMessage-ID: <c@p.example>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n--b\nContent-Type: text/plain\n\nx\n--b\n'
        "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\nUser-Agent: x/1\n"
        "Original-Rcpt-To: anna@buyer.example\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <{id}>\n"
        "To: anna@buyer.example\nSubject: Lamps\n\nDear\n--b--\n"
    )
    await place.take(arf.format(id="guess@us.example"))
    assert (await place.count(InboundMail, kind="complaint"), await place.count(Suppression)) == (1, 0)
    await place.take(arf.format(id=(await ours(place)).message_id))
    assert (await place.row(Suppression)).reason == "complained"


# -- people -------------------------------------------------------------------------------------------------------------


async def test_an_answer_without_a_thread_is_known_by_its_sender(place: Place) -> None:
    await place.take(letter("Anna <ANNA@buyer.example>"))
    filed = await place.row(InboundMail)
    assert (filed.certainty, filed.message_id, filed.contact_id) == ("address", place.message, place.anna)
    assert (await ours(place)).replied_at is not None
    assert await place.tasks() == ["reply"]
    assert await place.count(Message, state="queued") == 1, "Anna's follow-up stops, Bo's does not"


async def test_a_colleague_who_is_not_known_answers_for_the_company(place: Place) -> None:
    await place.take(letter("Eva <eva@buyer.example>"))
    filed = await place.row(InboundMail)
    assert (filed.certainty, filed.company_id) == ("company", place.company)
    assert await place.count(Message, state="queued") == 0, "nobody there gets a follow-up of this campaign"
    assert await place.tasks() == ["address_book", "reply"]
    proposal = (await place.row(Task, kind="address_book")).data["proposal"]
    assert (proposal["change"], proposal["address"]) == ("colleague", "eva@buyer.example")
    assert await place.count(Contact) == 2, "proposed, not entered"


async def test_a_known_colleague_answers_for_both(place: Place) -> None:
    """Bo answers what Anna got: neither gets a follow-up, and the mail stands in Bo's file."""
    await place.take(letter("Bo <bo@buyer.example>", In_Reply_To=f"<{(await ours(place)).message_id}>"))
    filed = await place.row(InboundMail)
    assert (filed.certainty, filed.message_id, filed.contact_id) == ("message_id", place.message, place.bo)
    assert await place.count(Message, state="queued") == 0
    assert (await place.row(Contact, id=place.bo)).last_replied is not None
    assert await place.tasks() == ["reply"]


async def test_an_answer_from_a_private_address_proposes_it(place: Place) -> None:
    await place.take(letter("Anna <anna77@gmail.example>", In_Reply_To=f"<{(await ours(place)).message_id}>"))
    proposal = (await place.row(Task, kind="address_book")).data["proposal"]
    assert (proposal["change"], proposal["address"]) == ("another_address", "anna77@gmail.example")
    assert await place.count(EmailAddress) == 2


async def test_a_colleagues_absence_does_not_pause_whom_we_wrote_to(place: Place) -> None:
    note = "I am out of the office until 3 December 2026."
    await place.take(letter("Eva <eva@buyer.example>", note, Auto_Submitted="auto-replied"))
    assert (await place.row(Contact, id=place.anna)).paused_until is None
    await place.take(letter("Anna <anna@buyer.example>", note, Auto_Submitted="auto-replied"))
    assert (await place.row(Contact, id=place.anna)).paused_until is not None
    assert (await ours(place)).replied_at is None, "an auto-reply is no reply"
    assert await place.count(Message, state="queued") == 2, "and stops no sequence"


async def test_a_colleague_who_wants_no_more_mail_speaks_for_the_own_address(place: Place) -> None:
    """Without proof that it answers Anna's mail, Anna stays: who leaves is who wrote."""
    await place.take(letter("Eva <eva@buyer.example>", "Please unsubscribe me from this list."))
    assert (await place.row(Suppression)).address == "eva@buyer.example"
    thread = f"<{(await ours(place)).message_id}>"
    await place.take(letter("Bo <bo@buyer.example>", "Please remove me from your mailing list.", In_Reply_To=thread))
    listed = {"eva@buyer.example", "bo@buyer.example", "anna@buyer.example"}
    async with place.db.read() as conn:
        assert set((await conn.execute(select(table(Suppression).c.address))).scalars()) == listed


# -- our own mail -------------------------------------------------------------------------------------------------------


async def test_what_we_wrote_is_never_a_reply(place: Place) -> None:
    thread = f"<{(await ours(place)).message_id}>"
    await place.take(letter("Sales <sales@us.example>", In_Reply_To=thread))
    assert (await place.row(InboundMail)).state == "own"
    assert await place.count(Event) == 0
    assert (await ours(place)).replied_at is None


async def test_a_letter_by_hand_answers_what_waits(place: Place) -> None:
    """A salesperson answers in Outlook: the copy in Sent closes the task and stands in the timeline."""
    await place.take(letter("Anna <anna@buyer.example>"))
    waiting = await place.row(InboundMail, kind="reply")
    thread = f"<{waiting.rfc_message_id}>"
    mine = letter("Sales <sales@us.example>", "Dear Anna, 12 dollars.", In_Reply_To=thread, To="anna@buyer.example")
    await place.take(mine, sent=True)
    assert (await place.row(Task)).state == "done"
    answered = await place.row(InboundMail, id=waiting.id)
    assert (answered.state, answered.answered_at is not None) == ("closed", True)
    assert "12 dollars" in (await place.row(Activity, kind="sent")).text
    assert (await place.row(Contact, id=place.anna)).last_contacted is not None


async def test_a_letter_by_hand_is_the_mailbox_owners(place: Place) -> None:
    """Whoever else has the customer in a sequence learns of it; who wrote from a shared mailbox is not known."""
    await place.take(letter("Sales <sales@us.example>", "Hello Anna.", To="anna@buyer.example"), sent=True)
    assert (await place.row(Activity, kind="sent")).user_id is None
    async with place.db.write() as conn:
        owner = await conn.scalar(select(table(Contact).c.owner_id).where(table(Contact).c.id == place.anna))
        await conn.execute(table(Mailbox).update().values(owner_id=owner))
        await conn.execute(table(Activity).delete())
    await place.take(letter("Sales <sales@us.example>", "Hello again.", To="anna@buyer.example"), sent=True)
    assert (await place.row(Activity, kind="sent")).user_id == owner


async def test_a_copy_in_sent_settles_a_doubt(place: Place) -> None:
    doubt = {"state": "in_doubt", "sent_at": None, "mailbox_id": 1}
    async with place.db.write() as conn:
        await conn.execute(table(Message).update().where(table(Message).c.id == place.message).values(doubt))
    row = await ours(place)
    copy = letter("Sales <sales@us.example>", X_Outreach_Message=row.uid, Message_ID=f"<{row.message_id}>")
    assert (await place.take(copy, sent=True)).kind == "own"
    assert (await ours(place)).state == "sent"
    assert await place.count(InboundMail) == 0, "our own bulk mail is in the archive, not among what came in"


# -- strangers ----------------------------------------------------------------------------------------------------------


class Desk:
    """Enters leads in place of app/leads.py."""

    def __init__(self, place: Place) -> None:
        self.place = place

    async def register(self, conn: Any, lead: Lead, mailbox_id: int, now: datetime) -> tuple[int, int | None]:
        self.place.leads.append(lead)
        return self.place.bo, self.place.company


INQUIRY = "Dear Sirs, we are interested in your LED panels. Please send us your price list and a quotation for 500 pcs."


async def test_an_inquiry_of_a_stranger_is_registered_and_waits_for_an_answer(place: Place) -> None:
    place.store.registrar = Desk(place)
    await place.take(letter("Carl <carl@other.example>", INQUIRY).replace(b"Re: Lamps", b"Inquiry"))
    assert [(lead.address, lead.intent) for lead in place.leads] == [("carl@other.example", "price")]
    filed = await place.row(InboundMail)
    assert (filed.kind, filed.certainty, filed.contact_id) == ("reply", "lead", place.bo)
    assert await place.tasks() == ["reply"]


async def test_a_letter_of_a_known_contact_waits_for_an_answer_whatever_it_says(place: Place) -> None:
    await place.take(letter("Bo <bo@buyer.example>", "Greetings from the fair.").replace(b"Re: Lamps", b"Hello"))
    assert (await place.row(InboundMail)).kind == "reply"
    assert await place.tasks() == ["reply"]
    assert await place.count(Message, state="queued") == 1, "and no follow-up crosses it"


@pytest.mark.parametrize(
    "headers",
    [
        {"List_Unsubscribe": "<mailto:x@list.example>"},
        {"Auto_Submitted": "auto-generated"},
        {"Precedence": "bulk"},
    ],
)
async def test_newsletters_and_machines_are_no_inquiries(place: Place, headers: dict[str, str]) -> None:
    place.store.registrar = Desk(place)
    await place.take(letter("Shop <carl@other.example>", INQUIRY, **headers).replace(b"Re: Lamps", b"Inquiry"))
    await place.take(letter("Shop <noreply@other.example>", INQUIRY).replace(b"Re: Lamps", b"Inquiry"))
    await place.take(letter("Boss <boss@us.example>", INQUIRY).replace(b"Re: Lamps", b"Inquiry"))
    await place.take(letter("Eve <eve@junk.example>", INQUIRY).replace(b"Re: Lamps", b"Inquiry"), junk=True)
    assert place.leads == []
    assert await place.tasks() == []
