"""From a mail in the mailbox to what people see: inquiries, absences, late answers, corrections, the archive."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from benchmarks.inbox_chaos import chaos
from outreach.access.roles import OPERATOR
from outreach.access.store import NewUser
from outreach.app import campaigns as use
from outreach.app import corrections
from outreach.app.archiving import SentArchive
from outreach.app.build import App
from outreach.app.escalation import escalate, mail_managers
from outreach.app.inbox import InboxHost
from outreach.inbox.archive.store import raw_mail
from outreach.inbox.store import Fetched
from outreach.inbox.wire import answer, reading
from outreach.model import Activity, ArchivedMail, Company, Contact, EmailAddress, InboundMail, Role, Task, User
from outreach.model.base import table
from tests.flow.house import Clock, add_people, approved, installed, rows, work

TASKS, CONTACTS, USERS = table(Task), table(Contact), table(User)


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def receive(app: App, clock: Clock, sender: str, text: str, subject: str = "Inquiry", **headers: str) -> None:
    """A mail arrives at sales@mingxu.example and is filed."""
    mail = EmailMessage()
    fixed = {
        "From": sender,
        "To": "sales@mingxu.example",
        "Subject": subject,
        "Message-ID": f"<{clock()}{sender[-9:]}>",
    }
    for name, value in {**fixed, "Date": clock().strftime("%a, %d %b %Y %H:%M:%S +0000"), **headers}.items():
        mail[name.replace("_", "-")] = value.replace(" ", "-") if name == "Message-ID" else value
    mail.set_content(text)
    store = InboxHost(app, clock=clock).store
    mark = await store.mark_of(app.mailbox_ids["sales"], "INBOX")
    found = reading(answer(mail.as_bytes(), summary=True))
    await store.take(mark.id, mark, Fetched("INBOX", mark.last_uid + 1, mail.as_bytes(), clock()), found, clock())


async def all_of(app: App, model: Any) -> list[Any]:
    async with app.db.read() as conn:
        return list((await conn.execute(select(table(model)).order_by(table(model).c.id))).all())


INQUIRY = "Dear Sirs, please send us your price list and a quotation for 500 LED panels."


# -- inquiries ----------------------------------------------------------------------------------------------------------


async def test_an_inquiry_at_a_shared_mailbox_becomes_a_customer_with_an_owner(tmp_path: Path, clock: Clock) -> None:
    async with installed(tmp_path, 1) as app:
        await receive(app, clock, "Carla Weiss <carla@lampen-haus.de>", INQUIRY)
        (company,), (contact,) = await all_of(app, Company), await all_of(app, Contact)
        zhou = next(user for user in await all_of(app, User) if user.name == "zhou")
        assert (company.name, company.domain, company.country, company.owner_id) == (
            "Lampen Haus", "lampen-haus.de", "DE", zhou.id,
        )  # fmt: skip
        assert (contact.first_name, contact.last_name, contact.source, contact.basis) == (
            "Carla", "Weiss", "inbox", "inquiry",
        )  # fmt: skip
        (task,) = await all_of(app, Task)
        assert (task.kind, task.owner_id, task.contact_id) == ("reply", zhou.id, contact.id)
        assert task.due_at == datetime(2026, 11, 25, 10, tzinfo=UTC), "it came at 16:00: by the next close of business"
        (mail,) = await all_of(app, InboundMail)
        assert (mail.kind, mail.intent, mail.contact_id) == ("reply", "price", contact.id)


async def test_who_writes_again_is_the_same_customer(tmp_path: Path, clock: Clock) -> None:
    async with installed(tmp_path, 1) as app:
        for _ in range(2):
            await receive(app, clock, "Carla Weiss <carla@lampen-haus.de>", INQUIRY)
            clock.pass_days(1)
        await receive(app, clock, "Karl Weiss <karl@lampen-haus.de>", INQUIRY)
        assert len(await all_of(app, Company)) == 1
        assert len(await all_of(app, EmailAddress)) == 2
        assert len(await all_of(app, Task)) == 3


async def test_a_lead_goes_to_the_colleague_who_may_have_the_customer(tmp_path: Path, clock: Clock) -> None:
    async with installed(tmp_path, 1) as app:
        await receive(app, clock, "Carla Weiss <carla@lampen-haus.de>", INQUIRY)
        other = await app.access.add_user(NewUser("xu", [Role.SALESPERSON], email="xu@mingxu.example"), now=clock())
        async with app.db.write() as conn:
            await conn.execute(update(table(Company)).values(owner_id=other))
        await receive(app, clock, "Jan Weiss <jan@lampen-haus.at>", INQUIRY)
        first, second = await all_of(app, Company)
        assert (first.domain, second.domain) == ("lampen-haus.de", "lampen-haus.at")
        assert second.owner_id == other
        line = [line for line in await all_of(app, Activity) if line.kind == "inquiry"][-1]
        assert line.data == {"source": "inbox", "alike": [first.id]}
        async with app.db.write() as conn:
            await conn.execute(update(table(User)).where(table(User).c.id == other).values(disabled_at=clock()))
        await receive(app, clock, "Eva Weiss <eva@lampen-haus.ch>", INQUIRY)
        assert (await all_of(app, Company))[-1].owner_id not in (other, None), "whose account is closed gets nothing"


async def test_an_erased_person_is_not_registered_again_but_answered(tmp_path: Path, clock: Clock) -> None:
    async with installed(tmp_path, 1) as app:
        await receive(app, clock, "carla@lampen-haus.de", INQUIRY)
        await app.audience.erase("carla@lampen-haus.de", now=clock())
        clock.pass_days(1)
        await receive(app, clock, "carla@lampen-haus.de", INQUIRY)
        assert not [row for row in await all_of(app, EmailAddress) if row.normal == "carla@lampen-haus.de"]
        assert [task.state for task in await all_of(app, Task)][-1] == "open"


# -- absences -----------------------------------------------------------------------------------------------------------


async def begun(app: App, tmp_path: Path, clock: Clock) -> int:
    """Two people have the first mail of a campaign; who does not reply gets another two days later."""
    await add_people(app, tmp_path, 2)
    more = '[[step]]\nafter_days = 2\nonly_if = "no reply"\ntemplate = "follow-up"\n'
    campaign = await approved(app, clock, more=more)
    await use.start(app, campaign, OPERATOR, clock())
    await work(app, clock)
    return campaign


async def test_nobody_is_written_to_before_the_day_of_return(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        campaign = await begun(app, tmp_path, clock)
        note = "I am out of the office and will be back on 10 December 2026."
        await receive(app, clock, "p0@firm0.example", note, "Automatic reply: Lamps", Auto_Submitted="auto-replied")
        clock.pass_days(7)
        await work(app, clock)
        assert smtp_sink.recipients().count("p1@firm1.example") == 2, "who is there gets the follow-up"
        assert smtp_sink.recipients().count("p0@firm0.example") == 1, "who is away does not"
        clock.pass_days(10)
        await work(app, clock)
        assert smtp_sink.recipients().count("p0@firm0.example") == 2, "an absence is no reply: it goes on afterwards"
        first = (await rows(app, campaign))[0]
        assert first.replied_at is None and first.autoreplied_at is not None  # type: ignore[attr-defined]  # noqa: PT018


@pytest.mark.parametrize(
    "note", ["I no longer work at Firm 0.", "您好，本人已离职。", "Ich bin nicht mehr bei Firm 0 tätig."]
)
async def test_who_left_gets_no_more_mail_though_no_successor_is_named(
    tmp_path: Path, smtp_sink: Any, clock: Clock, note: str
) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        await begun(app, tmp_path, clock)
        await receive(app, clock, "p0@firm0.example", note, "Automatic reply: Lamps", Auto_Submitted="auto-replied")
        assert [task.state for task in await all_of(app, Task) if task.kind == "left"] == ["open"]
        clock.pass_days(7)
        await work(app, clock)
        assert smtp_sink.recipients().count("p1@firm1.example") == 2
        assert smtp_sink.recipients().count("p0@firm0.example") == 1, "who has left gets no follow-up"


# -- late answers -------------------------------------------------------------------------------------------------------


async def test_a_late_answer_reaches_the_manager_once_on_the_page_and_by_mail(
    tmp_path: Path, smtp_sink: Any, clock: Clock
) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        boss = await app.access.add_user(NewUser("wang", [Role.MANAGER], email="wang@mingxu.example"), now=clock())
        app.settings = app.settings.model_copy(
            update={"inbox": app.settings.inbox.model_copy(update={"escalation_mailbox": "sales"})}
        )
        await receive(app, clock, "Carla <carla@lampen-haus.de>", INQUIRY)
        assert await escalate(app, clock()) == 0
        clock.pass_days(2)
        assert await escalate(app, clock()) == 1
        assert await escalate(app, clock()) == 0
        late = [task for task in await all_of(app, Task) if task.kind == "late"]
        assert [(task.owner_id, task.state) for task in late] == [(boss, "open")]
        assert "zhou" in late[0].title
        assert (await mail_managers(app, clock()), await mail_managers(app, clock())) == (1, 0)
        assert smtp_sink.recipients() == ["wang@mingxu.example"]
        async with app.db.write() as conn:
            await conn.execute(update(TASKS).where(TASKS.c.kind == "reply").values(state="done"))
        await escalate(app, clock())
        assert {task.state for task in await all_of(app, Task)} == {"done"}, "the manager's task ends with the work"


# -- corrections --------------------------------------------------------------------------------------------------------


async def test_a_successor_is_entered_only_when_a_person_says_so(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 1)
        campaign = await approved(app, clock)
        await use.start(app, campaign, OPERATOR, clock())
        await work(app, clock)
        gone = "Pat no longer works at Firm 0. Please contact my successor Eva Long at eva.long@firm0.example."
        await receive(app, clock, "p0@firm0.example", gone, "Automatic reply", Auto_Submitted="auto-replied")
        assert len(await all_of(app, Contact)) == 1
        (proposal,) = await corrections.proposals(app)
        assert (proposal["change"], proposal["address"]) == ("successor", "eva.long@firm0.example")
        done = await corrections.accept(app, proposal["id"], OPERATOR, clock())
        new = (await all_of(app, Contact))[-1]
        assert (new.id, new.basis, new.source) == (done["contact_id"], "customer", "inbox")
        assert await corrections.proposals(app) == []
        with pytest.raises(corrections.CorrectionError):
            await corrections.accept(app, proposal["id"], OPERATOR, clock())


async def test_another_address_is_added_when_a_person_says_so(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 1)
        campaign = await approved(app, clock)
        await use.start(app, campaign, OPERATOR, clock())
        await work(app, clock)
        sent = (await rows(app, campaign))[0]
        thread = f"<{sent.message_id}>"  # type: ignore[attr-defined]
        await receive(app, clock, "Pat <pat77@home.example>", "Please quote.", "Re: Lamps", In_Reply_To=thread)
        (proposal,) = await corrections.proposals(app)
        assert proposal["change"] == "another_address"
        await corrections.accept(app, proposal["id"], OPERATOR, clock())
        addresses = await all_of(app, EmailAddress)
        assert [(a.normal, a.is_primary) for a in addresses] == [
            ("p0@firm0.example", True),
            ("pat77@home.example", False),
        ]
        assert len({a.contact_id for a in addresses}) == 1


def body_of(raw: bytes) -> bytes:
    """From the Message-ID on, which no server has touched, whatever the line ends."""
    return raw.replace(b"\r\n", b"\n").partition(b"\nMessage-ID:")[2].strip()


# -- the archive --------------------------------------------------------------------------------------------------------


async def test_what_left_is_archived_as_it_left(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 5)
        campaign = await approved(app, clock)
        await use.start(app, campaign, OPERATOR, clock())
        await work(app, clock)
        archive = SentArchive(app)
        assert (await archive.run(clock()), await archive.run(clock()), await SentArchive(app).run(clock())) == (
            5,
            0,
            0,
        )
        kept = await all_of(app, ArchivedMail)
        async with app.db.read() as conn:
            bytes_kept = {await raw_mail(conn, row.id) for row in kept}
        sunk = {body_of(mail.data) for mail in smtp_sink.messages()}
        assert {body_of(raw) for raw in bytes_kept if raw} == sunk
        assert {row.direction for row in kept} == {"out"}


# -- chaos --------------------------------------------------------------------------------------------------------------


@pytest.mark.dovecot
def test_readers_are_killed_and_uids_renumbered_and_each_mail_has_its_effect_once() -> None:
    """A small run of `python -m benchmarks.inbox_chaos`."""
    outcome = chaos(240, resets=3, kills=4, seed=datetime(2026, 1, 1, tzinfo=UTC).year, quiet=True)
    assert outcome.wrong == {}
    assert outcome.resets == 3
