"""Mail outside of the outbox (answers, tests, reports) counts for its mailbox's limits and keeps still on hold."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from outreach.access.roles import OPERATOR
from outreach.app import campaigns as use
from outreach.app import pilot
from outreach.app.build import App
from outreach.app.by_hand import sent_by_hand
from outreach.app.engine import Engine
from outreach.app.escalation import mail_managers
from outreach.app.post import Posted, identity_of, post
from outreach.app.reporting import send_weekly_if_due
from outreach.content.plain import plain_message
from outreach.db import instance
from outreach.model import InboundMail, Letter
from outreach.model.base import table
from outreach.sending.loading.worker import load
from outreach.sending.worker import MailboxRun
from tests.fakes.smtp import reply
from tests.flow.house import CONFIG, Clock, add_people, approved, installed, rows
from tests.flow.test_pilot import PILOT

LETTERS, MAILS = table(Letter), table(InboundMail)
LIMITED = CONFIG.replace("per_minute = 0, per_hour = 0, per_day = 0", "per_minute = 0, per_hour = 0, per_day = 10")


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def letter(app: App, clock: Clock, *recipients: str) -> Posted:
    box = app.settings.mailbox_named("sales")
    identity = identity_of(box, "Pat", recipients[0], clock(), "Li Na")
    return await post(app, box, recipients, plain_message(identity, "Re: Lamps", "Yes, gladly."), clock())


async def letters(app: App) -> int:
    async with app.db.read() as conn:
        return int(await conn.scalar(select(func.count()).select_from(LETTERS)) or 0)


async def run(app: App, clock: Clock) -> None:
    engine = Engine(app, clock=clock)
    await engine.tick()
    await engine.run_mailbox(app.settings.mailbox_named("sales"))


async def sent(app: App, campaign: int) -> int:
    found: list[Any] = await rows(app, campaign)
    return sum(row.state == "sent" for row in found)


async def test_what_people_answer_is_counted_for_the_days_limit(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    """A4: ten a day are ten a day, whoever wrote them."""
    async with installed(tmp_path, smtp_sink.port, LIMITED) as app:
        await add_people(app, tmp_path, 12)
        campaign = await approved(app, clock)
        await use.start(app, campaign, OPERATOR, clock())
        assert (await letter(app, clock, "a@firm1.example", "b@firm1.example")).outcome == "sent"
        assert (await letter(app, clock, "c@firm2.example")).outcome == "sent"
        await run(app, clock)
        assert await sent(app, campaign) == 7
        clock.now += timedelta(days=1, seconds=1)
        await run(app, clock)
        assert await sent(app, campaign) == 12


async def test_a_letter_during_a_run_is_counted_by_it(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    async with installed(tmp_path, smtp_sink.port, LIMITED) as app:
        box = app.settings.mailbox_named("sales")
        run = MailboxRun(app.outbox, await app.setup(box), app.server(box), app.composer(box), clock=clock)
        await run._load()
        await letter(app, clock, "a@firm1.example", "b@firm1.example")
        for _ in range(3):  # each renewal of the lease looks again, and counts nothing twice
            await run.past.count(run.pace, clock())
        assert run.pace.used(86_400, clock().timestamp()) == 2
        again = await load(app.outbox, run.setup, clock(), None)
        assert again.pace.used(86_400, clock().timestamp()) == 2


async def test_what_nobody_took_is_not_counted(tmp_path: Path, scripted_smtp: Any, clock: Clock) -> None:
    """Of three recipients the second is refused: the third was never offered."""
    async with installed(tmp_path, scripted_smtp.port) as app:
        scripted_smtp.on("RCPT", reply("550 5.1.1 no such user"), match="b@firm1.example")
        posted = await letter(app, clock, "a@firm1.example", "b@firm1.example", "c@firm1.example")
        assert posted.outcome == "refused"
        assert await letters(app) == 2


async def test_the_copy_of_a_letter_in_sent_is_not_counted_again(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        await letter(app, clock, "a@firm1.example")
        async with app.db.write() as conn:
            ours = await conn.scalar(select(LETTERS.c.message_id))
            copy = {"mailbox_id": 1, "folder": "Sent", "received_at": clock(), "sent_at": clock()}
            copy |= {"from_address": "sales@mingxu.example", "kind": "other", "state": "own"}
            for number, name in enumerate((ours, "hand@mingxu.example"), 1):
                values = {**copy, "uid": number, "key": str(number), "rfc_message_id": name}
                await conn.execute(insert(MAILS).values(**values))
        assert len(await sent_by_hand(app.db, [1], clock() - timedelta(days=1))) == 1


async def test_a_database_on_hold_sends_no_letter_either(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    """Restored or cloned: the team, managers and other programs hear nothing from the copy."""
    report = '[report]\nrecipients = ["boss@mingxu.example"]\nweekday = 2\nhour = 8\n'
    late = '[inbox]\nescalation_mailbox = "sales"\n'
    async with installed(tmp_path, smtp_sink.port, CONFIG + report + late) as app:
        await add_people(app, tmp_path, 20)
        campaign = await approved(app, clock, more=PILOT)
        await use.begin_pilot(app, campaign, OPERATOR, clock())
        async with app.db.write() as conn:
            await instance.hold(conn, "other_machine")
        posted = await letter(app, clock, "a@firm1.example")
        assert posted.outcome == "refused"
        assert "confirm-sending" in posted.text
        assert await pilot.mail_team(app, campaign, clock()) == 0
        assert await mail_managers(app, clock()) == 0
        assert not await send_weekly_if_due(app, clock())
        assert (await app.webhook_worker().run(clock())).taken_up == 0
        assert (smtp_sink.messages(), await letters(app)) == ([], 0)
        await instance.confirm(app.db, clock())
        assert (await letter(app, clock, "a@firm1.example")).outcome == "sent"
        assert await send_weekly_if_due(app, clock())
