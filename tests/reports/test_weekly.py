"""The week's report equals a count by hand, in every form, on both databases."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from outreach.db.session import Database
from outreach.events.kinds import INQUIRY_INTENTS, EventKind, NewEvent
from outreach.events.store import bump
from outreach.model import Message, Task
from outreach.reports.indicators.store import IndicatorStore
from outreach.reports.metrics import NAMES
from outreach.reports.period import Period
from outreach.reports.store import ReportStore
from outreach.reports.weekly import Report, make_report
from tests.events.seeds import add, add_campaign, add_mailbox, add_message, add_person, add_user, event_store

WEEK = Period.parse("2026-W47")
NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)
REGIONS = ("Europe", "Americas", "Asia", "Africa")
EDGES = (WEEK.start, WEEK.end - timedelta(seconds=1), WEEK.start - timedelta(seconds=1), WEEK.end)


@dataclass
class Happened:
    """The test's own record of what it did, counted by hand afterwards."""

    what: str
    at: datetime
    message: int
    region: str
    campaign: int


def inside(at: datetime) -> bool:
    return WEEK.start <= at < WEEK.end


async def live(db: Database, mails: int) -> list[Happened]:
    """Play two weeks of mail: every event goes the way that real ones go."""
    dice, events, log = random.Random(8), event_store()[0], []
    async with db.write() as conn:
        owner, box = await add_user(conn, NOW), await add_mailbox(conn, NOW)
        begun = WEEK.previous.start
        campaigns = [await add_campaign(conn, begun, name) for name in ("Show", "Price list")]
        for number in range(mails):
            region, campaign = dice.choice(REGIONS), dice.choice(campaigns)
            address = f"p{number}@buyer{number}.example"
            person, company = await add_person(
                conn, begun, address, region=region, owner_id=owner, industry=dice.choice(["lighting", None])
            )
            sent = dice.choice(EDGES) if number < 40 else begun + timedelta(seconds=dice.randrange(14 * 86_400))
            message = await add_message(
                conn, sent, campaign, person, address, company_id=company, mailbox_id=box, sent_at=sent,
                handed_at=sent, tz=dice.choice(["Europe/Berlin", None]),
            )  # fmt: skip
            await bump(conn, [(campaign, sent, "sent", False, 1)])
            log.append(Happened("sent", sent, message, region, campaign))
            for event, names in _fates(dice, message, sent):
                await _record(conn, events, event)
                log += [Happened(name, event.at, message, region, campaign) for name in names]
    return log


async def _record(conn: Any, events: Any, event: NewEvent) -> None:
    if event.kind in (EventKind.OPEN, EventKind.CLICK):
        await events.record_many(conn, [event], NOW)
    else:
        assert await events.record(conn, event, NOW) is not None


def _fates(dice: random.Random, message: int, sent: datetime) -> list[tuple[NewEvent, list[str]]]:
    later = sent + timedelta(hours=dice.randrange(1, 60))

    def happening(what: EventKind, /, **data: Any) -> NewEvent:
        machine = data.pop("machine", False)
        return NewEvent(what, f"{what}:{message}:{machine}", later, message, machine=machine, data=data)

    if dice.random() < 0.1:
        hard = dice.random() < 0.5
        return [(happening(EventKind.BOUNCE, hard=hard), ["bounced", *(["bounced_hard"] if hard else [])])]
    found: list[tuple[NewEvent, list[str]]] = []
    if dice.random() < 0.2:
        found.append((happening(EventKind.OPEN, machine=True), ["opened_machine"]))
    opened = dice.random() < 0.4
    if opened:
        found.append((happening(EventKind.OPEN), ["opened"]))
    if dice.random() < 0.2:
        found.append((happening(EventKind.CLICK, number=1), ["clicked", *([] if opened else ["opened"])]))
    if dice.random() < 0.1:
        intent = dice.choice(["price", "thanks", None])
        names = ["replied", *(["inquiries"] if intent in INQUIRY_INTENTS else [])]
        found.append((happening(EventKind.REPLY, intent=intent), names))
    if dice.random() < 0.05:
        found.append((happening(EventKind.UNSUBSCRIBE), ["unsubscribed"]))
    if dice.random() < 0.02:
        found.append((happening(EventKind.COMPLAINT), ["complained"]))
    if dice.random() < 0.05:
        found.append((happening(EventKind.AUTOREPLY), ["autoreplied"]))
    if dice.random() < 0.03:
        found.append((happening(EventKind.CONVERSION, kind="order", amount=9.5), ["orders"]))
    return found


def by_hand(log: list[Happened], period: Period) -> Counter[str]:
    """Count what lies in the period; accepted is what was sent in it and never bounced."""
    bounced = {entry.message for entry in log if entry.what == "bounced"}
    counts = Counter(entry.what for entry in log if period.start <= entry.at < period.end)
    sent = [entry for entry in log if entry.what == "sent" and period.start <= entry.at < period.end]
    counts["accepted"] = sum(entry.message not in bounced for entry in sent)
    return counts


@pytest.fixture
async def played(db: Database) -> tuple[Database, list[Happened]]:
    return db, await live(db, 160)


async def report_on(db: Database, **options: Any) -> Report:
    return await make_report(ReportStore(db), WEEK, NOW, **options)


async def test_the_report_equals_a_count_by_hand(played: tuple[Database, list[Happened]]) -> None:
    db, log = played
    written = (await report_on(db, language="en")).json()
    for figures, period in ((written["totals"], WEEK), (written["previous"], WEEK.previous)):
        hand = by_hand(log, period)
        assert {name: figures[name] for name in NAMES} == {name: hand[name] for name in NAMES}
    assert written["totals"]["sent"] > 50
    names = {1: "Show", 2: "Price list"}
    for dimension in ("region", "campaign"):
        for row in written["by"][dimension]:
            mine = [entry for entry in log if row["name"] in (entry.region, names[entry.campaign])]
            hand = by_hand(mine, WEEK)
            assert {name: row[name] for name in NAMES} == {name: hand[name] for name in NAMES}
    for dimension, rows in written["by"].items():
        assert sum(row["sent"] for row in rows) == written["totals"]["sent"], dimension


async def test_all_forms_say_the_same(played: tuple[Database, list[Happened]], tmp_path: Path) -> None:
    db, _ = played
    async with db.write() as conn:
        for n, done in enumerate((timedelta(hours=1), None)):
            when = {"due_at": WEEK.start + timedelta(hours=8), "created_at": WEEK.start}
            finished = {"state": "done", "done_at": WEEK.start + done} if done else {"state": "open"}
            await add(conn, Task, kind="reply", title=f"t{n}", data={}, **when, **finished)
    house = IndicatorStore(db, lambda amount, _: amount)
    report = await report_on(db, company="Minxu <Lighting>", base_url="https://crm.example", house=house)
    files = report.write(tmp_path, {"html", "json", "xlsx", "pdf"})
    assert [path.suffix for path in files] == [".html", ".json", ".xlsx", ".pdf"]
    written = json.loads(files[1].read_text("utf-8"))
    totals = written["totals"]
    html = files[0].read_text("utf-8")
    for sentence in report.advice.sentences:
        assert re.sub(r"\W", "", sentence) in re.sub(r"\W", "", re.sub(r"<[^>]+>", "", html))
    assert f"{totals['sent']:,}</td>" in html
    assert "Minxu &lt;Lighting&gt;" in html
    assert not re.search(r"<script|src=\"https?:|@import|url\(", html)
    sheet = load_workbook(BytesIO(files[2].read_bytes()))["概览"]
    found = {row[0].value: row[1].value for row in sheet.iter_rows(min_row=2)}
    assert found["已发出"] == totals["sent"]
    assert found["回复"] == totals["replied"]
    assert files[3].read_bytes().startswith(b"%PDF-")
    (in_time,) = (one for one in written["indicators"] if one["name"] == "replies_in_time")
    assert (in_time["value"], in_time["part"], in_time["whole"]) == (50, 1, 2)
    assert "来信按时答复率</td><td" in re.sub(r' style="[^"]*"', "", html).replace(' class="num"', "")
    assert "来信按时答复率: 50.0% (1 / 2 · 样本小)" in report.text()
    figures = load_workbook(BytesIO(files[2].read_bytes()))["指标"]
    assert ["来信按时答复率", "50.0%"] in [[cell.value for cell in row[:2]] for row in figures.iter_rows(min_row=2)]


async def test_the_mail_is_the_page_with_the_sheet_attached(played: tuple[Database, list[Happened]]) -> None:
    report = await report_on(played[0], language="en", company="Minxu")
    mail = message_from_bytes(report.mail("a@x.example", ["b@x.example"], "1@x.example"), policy=policy.default)
    kinds = [part.get_content_type() for part in mail.walk() if not part.is_multipart()]
    sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert kinds == ["text/plain", "text/html", "image/png", sheet]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Subject"] == "Weekly report 2026-W47 · Minxu"
    html = mail.get_body(("html",)).get_content()
    assert "cid:" in html
    assert len(html) < 102_000  # Gmail clips what is longer


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_an_empty_week_is_a_report_too(db: Database, language: str, tmp_path: Path) -> None:
    report = await report_on(db, language=language)
    assert len(report.write(tmp_path, {"html", "json", "xlsx", "pdf"})) == 4
    assert len(report.advice.sentences) == 5


async def test_a_salesperson_sees_only_own_customers(played: tuple[Database, list[Happened]]) -> None:
    db, log = played
    store = ReportStore(db)
    nobody = await make_report(store, WEEK, NOW, owners=[987])
    owner = await make_report(store, WEEK, NOW, owners=[1])
    assert nobody.json()["totals"]["sent"] == 0
    assert owner.json()["totals"]["sent"] == by_hand(log, WEEK)["sent"]


async def test_answers_are_counted_by_owner(db: Database) -> None:
    async with db.write() as conn:
        owner = await add_user(conn, NOW, "wu.hao")
        for hours, intent in ((2, "price"), (30, None), (None, "sample")):
            came = WEEK.start + timedelta(days=1)
            done = came + timedelta(hours=hours) if hours else None
            await add(
                conn, Task, kind="reply", title="t", owner_id=owner, due_at=came + timedelta(hours=8), created_at=came,
                done_at=done, data={"intent": intent},
            )  # fmt: skip
    report = await report_on(db, language="en")
    assert report.advice.sentences[2].startswith("Answered in time: 33.3% (1 of 3), median 16 h 00 min; 1 still wait")


async def test_one_campaigns_figures(played: tuple[Database, list[Happened]]) -> None:
    db, log = played
    found = await ReportStore(db).campaign(1)
    mine = [entry for entry in log if entry.campaign == 1]
    assert found.sent == sum(entry.what == "sent" for entry in mine)
    assert found.replied == sum(entry.what == "replied" for entry in mine)
    hours = await ReportStore(db).campaign_hours(1)
    assert sum(n for _, kind, _, n in hours if kind == "sent") == found.sent


async def test_a_report_stays_what_it_was(db: Database) -> None:
    store = ReportStore(db)
    assert await store.last("weekly", "2026-W47") is None
    kept = await store.keep("weekly", "2026-W47", {"totals": {"sent": 3}}, NOW)
    await store.mark_sent(kept, NOW)
    found = await store.last("weekly", "2026-W47")
    assert found is not None
    assert (found["figures"]["totals"]["sent"], found["sent_at"]) == (3, NOW)


async def test_the_roll_ups_agree_with_the_marks(played: tuple[Database, list[Happened]]) -> None:
    """Two ways of counting meet: the trend (roll-ups) and the totals (marks on messages)."""
    db, log = played
    report = await report_on(db)
    assert report.data.trend[-1].sent == by_hand(log, WEEK)["sent"]
    assert report.data.trend[-1].replied == by_hand(log, WEEK)["replied"]
    async with db.read() as conn:
        rows = (await conn.execute(select(Message.sent_at))).scalars().all()
    assert sum(inside(at) for at in rows if at) == report.data.trend[-1].sent
