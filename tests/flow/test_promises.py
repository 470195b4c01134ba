"""Promises that cross every stage: what was approved is what is sent, and nobody is written to against their will."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update

from outreach.access.roles import OPERATOR
from outreach.app import campaigns as use
from outreach.app.clock import utc_now
from outreach.audience.importing.store import ImportOptions
from outreach.campaigns import definition
from outreach.campaigns.approval import ApprovalRefused
from outreach.campaigns.state import IllegalTransition
from outreach.campaigns.store import CampaignError
from outreach.db import instance
from outreach.demo.answers import _bounce, _reply
from outreach.demo.fate import Fate
from outreach.demo.server import Accepted
from outreach.events.kinds import EventKind, NewEvent
from outreach.inbox.store import Fetched, InboxStore
from outreach.inbox.wire import answer, reading
from outreach.model import Campaign, TemplateVersion
from outreach.model.base import table
from tests.flow.house import FILE, Clock, actor, add_people, approved, drafted, installed, rows, work

FOLLOW_UP = '[[step]]\nafter_days = 2\nonly_if = "no reply"\ntemplate = "follow-up"\n'


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_an_approved_campaign_reaches_everybody_once(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 30)
        campaign = await approved(app, clock)
        await use.start(app, campaign, OPERATOR, clock())
        await work(app, clock)
        assert sorted(smtp_sink.recipients()) == sorted(f"p{n}@firm{n}.example" for n in range(30))
        assert (await use.status(app, campaign))["state"] == "finished"


async def test_every_mail_that_leaves_carries_what_the_law_asks_for(
    tmp_path: Path, smtp_sink: Any, clock: Clock
) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 5)
        campaign = await approved(app, clock)
        await use.start(app, campaign, OPERATOR, clock())
        await work(app, clock)
        uids = {row.uid for row in await rows(app, campaign)}  # type: ignore[attr-defined]
        for sunk in smtp_sink.messages():
            mail = message_from_bytes(sunk.data, policy=policy.default)
            body = mail.get_body(("plain",))
            assert body is not None
            assert "88 Guangming Road" in body.get_content()
            assert mail["List-Unsubscribe"].startswith("<http")
            assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
            assert mail["List-Id"]
            assert mail["X-Outreach-Message"] in uids


async def test_what_is_not_approved_is_not_sent(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 3)
        campaign = await drafted(app, clock)
        with pytest.raises(IllegalTransition):
            await use.start(app, campaign, OPERATOR, clock())
        await use.submit(app, campaign, OPERATOR, clock())
        with pytest.raises(ApprovalRefused):
            await use.approve(app, campaign, OPERATOR, clock())
        await use.approve(app, campaign, await actor(app, "anna"), clock())
        with pytest.raises(IllegalTransition):
            await use.start(app, campaign, OPERATOR, clock())
        await work(app, clock)
        assert smtp_sink.count() == 0


async def test_an_edit_voids_the_approvals(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 3)
        campaign = await approved(app, clock)
        changed = definition.parse(FILE.format(name="Trial", more='goal = "another"'))
        await use.edit(app, campaign, changed, OPERATOR, clock())
        with pytest.raises(IllegalTransition):
            await use.start(app, campaign, OPERATOR, clock())
        await work(app, clock)
        assert smtp_sink.count() == 0


@pytest.mark.parametrize("behind", ["campaign", "template", "recipient"])
async def test_a_change_behind_our_back_voids_them_too(
    tmp_path: Path, smtp_sink: Any, clock: Clock, behind: str
) -> None:
    """One byte changed in the database, and nothing leaves."""
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 3)
        campaign = await approved(app, clock)
        async with app.db.write() as conn:
            if behind == "campaign":
                await conn.execute(update(table(Campaign)).values(segment="country = GB "))
            elif behind == "template":
                files = table(TemplateVersion).c.files
                row = (await conn.execute(table(TemplateVersion).select())).one()
                texts = {**row.files, "body.mjml": row.files["body.mjml"].replace("e", "é", 1)}
                await conn.execute(update(table(TemplateVersion)).values({files: texts}))
            else:
                await conn.execute(text("UPDATE campaign_recipient SET address = 'x' || address WHERE contact_id = 1"))
        with pytest.raises(CampaignError, match="changed after it was approved"):
            await use.start(app, campaign, OPERATOR, clock())
        await work(app, clock)
        assert smtp_sink.count() == 0


async def test_who_is_suppressed_gets_nothing(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    """Before the preflight, after the approval, and after the messages were queued."""
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 4)
        await app.suppression.add("p0@firm0.example", "manual", source="test", now=clock())
        campaign = await approved(app, clock)
        await app.suppression.add("p1@firm1.example", "manual", source="test", now=clock())
        await use.start(app, campaign, OPERATOR, clock())
        await app.suppression.add("firm2.example", "manual", source="test", now=clock())
        await work(app, clock)
        assert smtp_sink.recipients() == ["p3@firm3.example"]
        status = await use.status(app, campaign)
        assert sum(status["skipped"].values()) == 3


async def test_importing_twice_changes_nothing(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 20)
        again = await app.audience.import_file(
            tmp_path / "people.csv", ImportOptions(source="fair"), now=clock(), rejects=tmp_path / "r.csv"
        )
        assert (again.added, again.updated, again.rejected) == (0, 0, 0)
        assert await app.audience.count("country = GB", clock()) == 20


async def test_a_bounce_a_reply_and_a_one_click_each_stop_further_mail(
    tmp_path: Path, smtp_sink: Any, clock: Clock
) -> None:
    """(d) The follow-up reaches only the one who did none of it."""
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 4)
        campaign = await approved(app, clock, more=FOLLOW_UP)
        await use.start(app, campaign, OPERATOR, clock())
        await work(app, clock)
        sent = {row.address: row for row in await rows(app, campaign)}  # type: ignore[attr-defined]
        mails = {m.rcpt_tos[0].strip("<>"): m.data for m in smtp_sink.messages()}
        clock.now += timedelta(hours=2)
        await _receive(app, clock, _bounce(_accepted(mails, 0), Fate(bounce="hard"), clock()))
        await _receive(app, clock, _reply(_accepted(mails, 1), "Please send us your price list.", clock()))
        event = NewEvent(
            EventKind.UNSUBSCRIBE,
            "unsubscribe:1",
            clock(),
            message_id=sent["p2@firm2.example"].id,
            data={"via": "one-click"},
        )
        async with app.db.write() as conn:
            await app.events.record(conn, event, clock())
        clock.pass_days(6)
        await work(app, clock)
        second = {row.address: row for row in await rows(app, campaign) if row.step == 1}  # type: ignore[attr-defined]
        assert second["p3@firm3.example"].state == "sent"
        assert {second[a].state for a in second if a != "p3@firm3.example"} == {"skipped"}
        assert smtp_sink.count() == 5
        tasks = await app.crm.tasks()
        assert "reply" in {task.kind for task in tasks}


def _accepted(mails: dict[str, bytes], number: int) -> Accepted:
    address = f"p{number}@firm{number}.example"
    return Accepted(address, mails[address].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


async def _receive(app: Any, clock: Clock, raw: bytes) -> None:
    store = InboxStore(app.db, app.events, own_addresses=["sales@mingxu.example"], read_token=lambda token: None)
    mark = await store.mark_of(app.mailbox_ids["sales"], "INBOX")
    found = reading(answer(raw, summary=True))
    seen = await store.take(app.mailbox_ids["sales"], mark, Fetched("INBOX", 1, raw, clock()), found, clock())
    assert seen.new
    again = await store.take(app.mailbox_ids["sales"], mark, Fetched("INBOX", 2, raw, clock()), found, clock())
    assert not again.new


async def test_a_reply_makes_a_task_that_is_due_the_same_working_day(
    tmp_path: Path, smtp_sink: Any, clock: Clock
) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 1)
        campaign = await approved(app, clock)
        await use.start(app, campaign, OPERATOR, clock())
        await work(app, clock)
        mails = {m.rcpt_tos[0].strip("<>"): m.data for m in smtp_sink.messages()}
        clock.now = clock.now.replace(hour=5)  # 13:00 in Shanghai, a Tuesday
        clock.pass_days(1)
        await _receive(app, clock, _reply(_accepted(mails, 0), "What is the lead time?", clock()))
        (task,) = await app.crm.tasks()
        assert task.due_at == clock.now.replace(hour=10, minute=0)
        assert task.owner_name == "zhou"


async def test_a_copy_of_the_installation_does_not_send(
    tmp_path: Path, smtp_sink: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that turns up on another machine waits for a word of confirmation."""
    monkeypatch.setenv("OUTREACH_STATE_DIR", str(tmp_path / "state"))
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 2)
        campaign = await approved(app, clock)
        await use.start(app, campaign, OPERATOR, clock())
        monkeypatch.setenv("OUTREACH_MACHINE", "another")
        assert await instance.arrive(app.db, utc_now()) == "other_machine"
        await work(app, clock)
        assert smtp_sink.count() == 0
        assert await instance.confirm(app.db, utc_now()) == "other_machine"
        assert await instance.arrive(app.db, utc_now()) is None
        await work(app, clock)
        assert smtp_sink.count() == 2


async def test_a_restored_database_is_recognised(
    tmp_path: Path, smtp_sink: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTREACH_STATE_DIR", str(tmp_path / "state"))
    async with installed(tmp_path, smtp_sink.port) as app:
        for _ in range(3):
            assert await instance.arrive(app.db, utc_now()) is None
        async with app.db.write() as conn:
            await conn.execute(text("UPDATE instance SET generation = 1"))
        assert await instance.arrive(app.db, utc_now()) == "restored"
