"""The pilot end to end: the team's mails, the sample, what the figures say, release and stop."""

from __future__ import annotations

import re
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from outreach.access.roles import OPERATOR
from outreach.app import campaigns as use
from outreach.app.build import App
from outreach.campaigns.definition import DefinitionError, from_dict
from outreach.events.kinds import EventKind, NewEvent
from outreach.model import Event, PilotMail
from outreach.model.base import table
from outreach.tracking.views import PublicApp
from tests.fakes.smtp import reply
from tests.flow.house import Clock, add_people, approved, installed, rows, work

PILOT = '[pilot]\nshare = 0.3\nwait_hours = 24\nteam = ["chen@mingxu.example", "wang@mingxu.example"]\n'
MAILS = table(PilotMail)


def mails(sink: Any) -> list[EmailMessage]:
    return [message_from_bytes(sunk.data, policy=policy.default) for sunk in sink.messages()]  # type: ignore[misc]


def body(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def without_links(html: str) -> str:
    return re.sub(r"http://127\.0\.0\.1:8000/\w/[\w.-]+", "LINK", html)


async def begun(app: App, tmp_path: Path, clock: Clock, more: str = PILOT, people: int = 60) -> int:
    await add_people(app, tmp_path, people)
    campaign = await approved(app, clock, more=more)
    await use.begin_pilot(app, campaign, OPERATOR, clock())
    await work(app, clock)
    return campaign


async def test_the_team_gets_the_approved_mail_marked_and_uncounted(tmp_path: Path, smtp_sink: Any) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port) as app:
        campaign = await begun(app, tmp_path, clock)
        sample: list[Any] = [row for row in await rows(app, campaign) if row.is_pilot]
        got = mails(smtp_sink)
        tests = [mail for mail in got if mail["X-Outreach-Test"]]
        assert sorted(mail["To"].addresses[0].addr_spec for mail in tests) == [
            "chen@mingxu.example", "wang@mingxu.example",
        ]  # fmt: skip
        assert len(got) == len(sample) + 2
        first = next(m for m in got if m["To"].addresses[0].addr_spec == sample[0].address)
        assert tests[0]["Subject"] == first["Subject"]
        assert without_links(body(tests[0])) == without_links(body(first))
        found = await use.status(app, campaign)
        assert (found["sent"], found["planned"]) == (len(sample), 60)
        for _ in range(2):  # another tick, and another start of the program, send nothing again
            await work(app, clock)
        assert len(smtp_sink.messages()) == len(got)


async def test_a_colleagues_clicks_lead_on_and_count_nowhere(tmp_path: Path, smtp_sink: Any) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port) as app:
        campaign = await begun(app, tmp_path, clock)
        mail = next(mail for mail in mails(smtp_sink) if mail["X-Outreach-Test"])
        public = PublicApp(None, app.public_services(clock))
        transport = httpx.ASGITransport(app=public)
        async with httpx.AsyncClient(transport=transport, base_url="http://t.example") as web:
            links = re.findall(r"http://127\.0\.0\.1:8000(/c/[\w-]+)", body(mail))
            answers = [await web.get(link) for link in links]
            assert {answer.status_code for answer in answers} == {302, 404}  # 404: the link that only machines see
            leave = mail["List-Unsubscribe"].strip("<>").removeprefix("http://127.0.0.1:8000")
            said = await web.post(leave, data={"List-Unsubscribe": "One-Click"})
            assert said.status_code == 200
        await public.stop()
        async with app.db.read() as conn:
            assert (await conn.execute(select(table(Event)).where(table(Event).c.kind != "reply"))).all() == []
        assert (await use.status(app, campaign))["unsubscribed"] == 0
        assert "mailto:" not in str(mail["List-Unsubscribe"])


async def test_each_variant_reaches_the_team(tmp_path: Path, smtp_sink: Any) -> None:
    clock = Clock()
    more = PILOT + '[[variant]]\nname = "a"\nsubject = "One"\n[[variant]]\nname = "b"\nsubject = "Two"\n'
    async with installed(tmp_path, smtp_sink.port) as app:
        await begun(app, tmp_path, clock, more)
        tests = [mail for mail in mails(smtp_sink) if mail["X-Outreach-Test"]]
        assert sorted(mail["Subject"] for mail in tests) == ["One", "One", "Two", "Two"]


async def test_what_a_dead_process_had_in_hand_is_not_sent_again(tmp_path: Path, smtp_sink: Any) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port) as app:
        campaign = await begun(app, tmp_path, clock)
        before = len(smtp_sink.messages())
        async with app.db.write() as conn:
            await conn.execute(update(MAILS).values(state="handing_over"))
        clock.pass_days(0.1)
        await work(app, clock)
        found = await use.pilot_results(app, campaign)
        assert {mail["state"] for mail in found["team"]} == {"in_doubt"}
        assert len(smtp_sink.messages()) == before


async def test_a_refused_colleague_is_tried_again_and_given_up_in_the_end(tmp_path: Path, scripted_smtp: Any) -> None:
    clock = Clock()
    scripted_smtp.on("RCPT", reply("451 4.7.1 try later"), match="chen@")
    scripted_smtp.on("RCPT", reply("550 5.1.1 no such user"), match="wang@")
    async with installed(tmp_path, scripted_smtp.port) as app:
        campaign = await begun(app, tmp_path, clock, people=20)
        states = {m["address"]: m["state"] for m in (await use.pilot_results(app, campaign))["team"]}
        assert states == {"chen@mingxu.example": "queued", "wang@mingxu.example": "failed"}
        for _ in range(6):
            clock.now += timedelta(minutes=6)
            await work(app, clock)
        found = {m["address"]: m for m in (await use.pilot_results(app, campaign))["team"]}
        assert found["chen@mingxu.example"]["state"] == "failed"
        assert "451 4.7.1" in found["chen@mingxu.example"]["text"]
        assert (await use.status(app, campaign))["state"] == "pilot"


async def test_the_results_page_says_what_to_do(tmp_path: Path, smtp_sink: Any) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port) as app:
        campaign = await begun(app, tmp_path, clock, people=200)
        found = await use.pilot_results(app, campaign)
        assert found["recommendation"] == "release"
        assert found["sample"]["delivered"] == found["sample"]["sent"] > 30
        sample: list[Any] = [row for row in await rows(app, campaign) if row.is_pilot]
        async with app.db.write() as conn:
            for row in sample[:8]:
                data = {"hard": True, "reason": "userunknown", "address": row.address}
                event = NewEvent(EventKind.BOUNCE, f"bounce:{row.id}", clock(), row.id, data=data)
                await app.events.record(conn, event, clock())
        found = await use.pilot_results(app, campaign)
        assert found["recommendation"] == "stop"
        assert found["harm"] == f"8 of {len(sample)} bounced"
        clock.pass_days(1.1)
        await work(app, clock)
        assert (await use.status(app, campaign))["state"] == "paused"


def test_a_team_that_is_none_is_refused() -> None:
    base = {"name": "T", "segment": "country = GB", "template": "product-launch", "mailboxes": ["sales"]}
    with pytest.raises(DefinitionError, match="no e-mail address"):
        from_dict(base | {"pilot": {"team": ["chen"]}})
    with pytest.raises(DefinitionError, match="20"):
        from_dict(base | {"pilot": {"team": [f"c{n}@m.example" for n in range(21)]}})
