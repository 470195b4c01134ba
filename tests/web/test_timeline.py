"""The timeline's pages join: lines of one moment, of both tables, are shown once each, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from outreach.model import Activity
from outreach.web.data.customer import ACTIVITIES, GROUPS, LINES, MAILS, Mark, timeline
from outreach.web.words import ACTIVITY
from tests.crm.conftest import NOW, Firm
from tests.crm.conftest import firm as firm
from tests.events.seeds import add, add_campaign, add_message, add_person


@pytest.mark.parametrize("group", ["", "mail"])
async def test_lines_of_one_moment_are_shown_once_each(firm: Firm, group: str) -> None:
    async with firm.db.write() as conn:
        contact, company = await add_person(conn, NOW, "ann@lumen.example")
        campaign = await add_campaign(conn, NOW)
        for number in range(2 * LINES):
            at = NOW - timedelta(days=number // 100)
            await add(conn, Activity, kind="sent", at=at, company_id=company, text=f"a{number}")
            await add_message(conn, NOW, campaign, contact, "ann@lumen.example", step=number, sent_at=at)
    seen: list[Mark] = []
    mark, more = None, True
    while more:
        async with firm.db.read() as conn:
            lines, more = await timeline(conn, company, group, mark)
        assert len(lines) <= LINES
        seen += [line.mark for line in lines]
        mark = Mark.read(str(lines[-1].mark))
    assert len(seen) == len(set(seen)) == 4 * LINES
    assert seen == sorted(seen, reverse=True)
    assert {one.source for one in seen} == {MAILS, ACTIVITIES}


@pytest.mark.parametrize("text", ["", "x", "2026-11-30", "2026-11-30T10:00:00", "2026-11-30T10:00:00+00:00~a~1"])
def test_what_is_no_mark_is_none(text: str) -> None:
    assert Mark.read(text) is None


def test_an_address_of_old_names_a_moment_alone() -> None:
    assert Mark.read(NOW.isoformat()) == Mark(NOW)


def test_every_kind_of_line_with_mail_in_it_stands_under_a_chip() -> None:
    """Warnings and work of the house (assigned, merged …) stand under "all" alone."""
    shown = {kind for kinds in GROUPS.values() for kind in kinds}
    mail = {"sent", "reply", "answer", "autoreply", "bounce", "delay", "unsubscribe", "complaint", "preference"}
    assert mail & set(ACTIVITY) <= shown
