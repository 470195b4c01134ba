"""Remembered dates: asked first, sent by a press or by themselves, once, in words of the person's language."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator
from datetime import date, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from outreach.access.roles import OPERATOR
from outreach.app import campaigns as use
from outreach.app.build import App
from outreach.app.occasions import find
from outreach.app.occasions import use as occasions
from outreach.app.sequences import use as sequences
from outreach.campaigns.store import CampaignError
from outreach.crm.occasion.state import IllegalDecision
from outreach.model import Contact, Occasion, Order
from outreach.model.base import table
from tests.app.sequence_house import approve, days, write_templates
from tests.flow.house import Clock, add_people, installed, work

CONTACTS, OCCASIONS = table(Contact), table(Occasion)
FILE = """
name = "Dates"
mailboxes = ["sales"]
template = "greeting"
{more}
[occasion]
kind = "{kind}"
{rules}
"""


@pytest.fixture
def clock() -> Clock:
    made = Clock()
    made.now = made.now.replace(hour=10)
    return made


@pytest.fixture
async def house(tmp_path: Path, smtp_sink: Any, clock: Clock) -> AsyncIterator[App]:
    write_greeting(tmp_path)
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 3)
        yield app


@pytest.fixture
async def on_both(tmp_path: Path, smtp_sink: Any, clock: Clock, database_url: str) -> AsyncIterator[App]:
    write_greeting(tmp_path)
    async with installed(tmp_path, smtp_sink.port, database=database_url) as app:
        await add_people(app, tmp_path, 3)
        yield app


def write_greeting(tmp_path: Path) -> None:
    write_templates(tmp_path)
    (tmp_path / "templates" / "greeting").mkdir()
    (tmp_path / "templates" / "greeting" / "template.toml").write_text(
        'fallback = "en"\n[subject]\nen = "{{ greeting }}, {{ first_name }}"\n[variables]\n'
        'first_name = { en = "friend" }\n[values]\ngreeting = { en = "Greetings" }\nwish = { en = "All the best." }\n'
    )
    (tmp_path / "templates" / "greeting" / "body.mjml").write_text(
        "<mjml><mj-body><mj-section><mj-column><mj-text>{{ wish }}</mj-text></mj-column></mj-section></mj-body></mjml>"
    )


async def running(app: App, clock: Clock, kind: str, rules: str = "", more: str = "") -> int:
    raw = tomllib.loads(FILE.format(kind=kind, rules=rules, more=more))
    number = await sequences.create(app, raw, OPERATOR, clock())
    await approve(app, number, clock)
    await use.start(app, number, OPERATOR, clock())
    return number


async def dates(app: App) -> list[Any]:
    async with app.db.read() as conn:
        return list((await conn.execute(select(OCCASIONS).order_by(OCCASIONS.c.id))).all())


async def change(app: App, contact: int, **values: Any) -> None:
    async with app.db.write() as conn:
        await conn.execute(update(CONTACTS).where(CONTACTS.c.id == contact).values(**values))


async def test_a_birthday_is_proposed_to_its_owner_and_sent_by_a_press(
    house: App, clock: Clock, smtp_sink: Any
) -> None:
    await change(house, 1, birthday=date(1980, 11, 28), language="de")  # a Saturday
    await running(house, clock, "birthday")
    await work(house, clock)
    (one,) = await dates(house)
    assert (one.state, one.on) == ("proposed", date(2026, 11, 28))
    (task,) = await house.crm.tasks()
    assert task.kind == "greeting"
    assert smtp_sink.count() == 0
    letter = await occasions.letter(house, one.id, clock())
    assert letter.mail.subject.startswith("Herzlichen Glückwunsch")
    leaves = await occasions.send(house, one.id, OPERATOR, clock())
    assert leaves.date() == date(2026, 11, 27), "on the working day before"
    with pytest.raises((IllegalDecision, CampaignError)):
        await occasions.send(house, one.id, OPERATOR, clock())
    assert await house.crm.tasks() == []
    await days(house, clock, 5)
    (mail,) = [message_from_bytes(m.data, policy=policy.default) for m in smtp_sink.messages()]
    assert mail["Subject"] == "Herzlichen Glückwunsch zum Geburtstag, Pat0"
    assert "Gesundheit" in mail.get_body(("plain",)).get_content()


async def test_no_and_silence_send_nothing(house: App, clock: Clock, smtp_sink: Any) -> None:
    await change(house, 1, birthday=date(1980, 11, 26))
    await change(house, 2, birthday=date(1980, 11, 26))
    await running(house, clock, "birthday")
    await work(house, clock)
    first, _ = await dates(house)
    await occasions.decline(house, first.id, OPERATOR, clock())
    await occasions.reconsider(house, first.id, OPERATOR, clock())
    assert len(await house.crm.tasks()) == 2
    await occasions.decline(house, first.id, OPERATOR, clock())
    await days(house, clock, 7)
    assert [one.state for one in await dates(house)] == ["declined", "missed"]
    assert await house.crm.tasks() == []
    assert smtp_sink.count() == 0


async def test_what_is_set_to_go_by_itself_goes_once_a_year(house: App, clock: Clock, smtp_sink: Any) -> None:
    await change(house, 1, birthday=date(1980, 11, 26))
    await running(house, clock, "birthday", "ask = false")
    await days(house, clock, 6)
    assert smtp_sink.recipients() == ["p0@firm0.example"]
    clock.pass_days(350)
    await days(house, clock, 20)
    assert smtp_sink.recipients() == ["p0@firm0.example"] * 2


async def test_a_holiday_of_their_country_comes_on_the_working_day_before(
    house: App, clock: Clock, smtp_sink: Any
) -> None:
    await change(house, 2, country="DE", language=None)
    await change(house, 3, country="CN")
    await running(house, clock, "holiday", 'ask = false\nholidays = ["christmas"]')
    clock.pass_days(24)
    await days(house, clock, 14)
    sent = {m.rcpt_tos[0].strip("<>"): message_from_bytes(m.data, policy=policy.default) for m in smtp_sink.messages()}
    assert sent["p0@firm0.example"]["Subject"] == "Merry Christmas, Pat0"
    assert sent["p1@firm1.example"]["Subject"] == "Frohe Weihnachten, Pat1"
    assert "p2@firm2.example" not in sent
    assert {one.due_at.date() for one in await dates(house)} == {date(2026, 12, 24)}


async def test_a_week_after_delivery_the_quality_is_asked_after(house: App, clock: Clock, smtp_sink: Any) -> None:
    async with house.db.write() as conn:
        for number, (company, contact) in enumerate(((1, 1), (2, None))):
            await conn.execute(
                insert(table(Order)).values(
                    company_id=company, contact_id=contact, number=f"PO-{number}", ordered_on=date(2026, 10, 1),
                    delivered_on=date(2026, 11, 20), amount=1.0, currency="USD",
                )
            )  # fmt: skip
    await running(house, clock, "quality", "ask = false")
    await days(house, clock, 2)
    assert smtp_sink.count() == 0
    await days(house, clock, 6)
    assert sorted(smtp_sink.recipients()) == ["p0@firm0.example", "p1@firm1.example"]
    assert {one.due_at.date() for one in await dates(house)} == {date(2026, 11, 27)}


async def test_anniversaries_and_long_silence(house: App, clock: Clock, smtp_sink: Any) -> None:
    async with house.db.write() as conn:
        await conn.execute(
            insert(table(Order)).values(
                company_id=1, number="PO-1", ordered_on=date(2024, 11, 26), amount=1.0, currency="USD"
            )
        )
    await change(house, 2, last_order=date(2026, 3, 1))
    await change(house, 3, last_order=date(2026, 3, 1), last_replied=clock() - timedelta(days=20))
    await running(house, clock, "anniversary", "ask = false")
    await running(house, clock, "reactivation", "ask = false\nmonths = 6")
    await days(house, clock, 10)
    assert sorted(smtp_sink.recipients()) == ["p0@firm0.example", "p1@firm1.example"]


async def test_those_who_were_written_to_leave_room_for_who_is_silent_for_longer(
    on_both: App, clock: Clock, smtp_sink: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look takes so many of the newest: whom it knows does not count; a new silence is another one."""
    monkeypatch.setattr(find, "SILENT_AT_ONCE", 1)
    await change(on_both, 1, last_order=date(2026, 3, 3), last_replied=clock() - timedelta(days=220))
    await change(on_both, 2, last_order=date(2026, 3, 2))
    await change(on_both, 3, last_order=date(2026, 3, 1))
    await running(on_both, clock, "reactivation", "ask = false\nmonths = 6")
    await days(on_both, clock, 10)
    assert sorted(smtp_sink.recipients()) == [f"p{n}@firm{n}.example" for n in range(3)]
    await change(on_both, 3, last_order=date(2026, 4, 1))
    await days(on_both, clock, 10)
    assert smtp_sink.recipients().count("p2@firm2.example") == 2


async def test_who_may_not_be_written_to_is_not_greeted(house: App, clock: Clock, smtp_sink: Any) -> None:
    await change(house, 1, birthday=date(1980, 11, 26))
    await house.suppression.add("p0@firm0.example", "manual", source="test", now=clock())
    await running(house, clock, "birthday", "ask = false")
    await days(house, clock, 4)
    assert smtp_sink.count() == 0
    assert [(one.state, one.reason) for one in await dates(house)] == [("skipped", "suppressed:manual")]


async def test_an_unknown_holiday_is_refused_by_name(house: App, clock: Clock) -> None:
    raw = tomllib.loads(FILE.format(kind="holiday", rules='holidays = ["ashura"]', more=""))
    with pytest.raises(CampaignError, match="ashura"):
        await sequences.create(house, raw, OPERATOR, clock())
