"""The work plan and the calendar feed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from outreach.crm.agenda.ical import Entry, calendar
from outreach.crm.agenda.plan import plan
from outreach.crm.agenda.store import AgendaStore
from outreach.crm.files.store import FileRefused, FileStore, Upload
from outreach.crm.store import add_task
from outreach.model import StoredFile
from tests.crm.conftest import NOW, Firm
from tests.events.seeds import count

MOMENTS = st.datetimes(datetime(2026, 11, 1), datetime(2026, 12, 31), timezones=st.just(UTC))


@given(st.lists(MOMENTS, max_size=30), MOMENTS, st.sampled_from(["Asia/Shanghai", "America/Denver", "UTC"]))
def test_each_task_stands_in_one_place_of_the_plan(dues: list[datetime], now: datetime, zone: str) -> None:
    made = plan(dues, lambda due: due, now, zone)
    placed = [*made.late, *made.now, *(due for day in made.days.values() for due in day), *made.later]
    assert sorted(placed) == sorted(dues)
    assert made.count == len(dues)
    assert all(due < now for due in made.late)
    assert all(due >= now for due in placed[len(made.late) :])
    assert len(made.days) <= 8


def test_a_week_ends_on_sunday_and_the_weekend_looks_at_the_next() -> None:
    tuesday = plan([], lambda due: due, NOW, "Asia/Shanghai")
    assert [day.isoformat() for day in tuesday.days][-1] == "2026-11-29"
    saturday = plan([], lambda due: due, NOW + timedelta(days=4), "Asia/Shanghai")
    assert [day.isoformat() for day in saturday.days][-1] == "2026-12-06"


def test_the_feed_is_what_calendars_read() -> None:
    entry = Entry("task-1@outreach", "Anrufen; 询盘, Möbel\nzwei", NOW, NOW, link="https://x.example/contacts/1")
    event = next(iter(Calendar.from_ical(calendar("outreach", [entry], NOW)).walk("VEVENT")))
    assert str(event["summary"]) == "Anrufen; 询盘, Möbel\nzwei"
    assert event.decoded("dtend") == NOW
    assert event.decoded("dtend") - event.decoded("dtstart") == timedelta(minutes=30)


async def test_a_feed_is_secret_revocable_and_ends_with_its_owner(firm: Firm) -> None:
    agenda, zhou = AgendaStore(firm.db), firm.actor("zhou")
    async with firm.db.write() as conn:
        for who, title in (("zhou", "Mine"), ("wang", "Hers")):
            await add_task(conn, "call", title, NOW, owner_id=firm.users[who], company_id=firm.companies["Brandt"])
    first = await agenda.open(zhou, NOW)
    told = await agenda.read(first, "https://x.example", NOW)
    assert told is not None
    assert b"Mine" in told
    assert b"Hers" not in told
    second = await agenda.open(zhou, NOW)
    assert await agenda.read(first, "https://x.example", NOW) is None
    assert await agenda.read(second, "https://x.example", NOW) is not None
    await agenda.close(zhou, NOW)
    assert await agenda.read(second, "https://x.example", NOW) is None
    assert await agenda.read("", "https://x.example", NOW) is None


async def test_the_same_bytes_are_stored_once(firm: Firm) -> None:
    files, zhou = FileStore(firm.db), firm.actor("zhou")
    brandt, safa = firm.companies["Brandt"], firm.companies["Safa"]
    first = await files.attach(brandt, Upload("a/b\\price.pdf", b"%PDF"), zhou, NOW)
    assert await files.attach(brandt, Upload("price.pdf", b"%PDF"), zhou, NOW) == first
    second = await files.attach(safa, Upload("other.pdf", b"%PDF"), zhou, NOW)
    assert await count(firm.db, StoredFile) == 1
    row = await files.get(first)
    assert row is not None
    assert (row.name, row.media_type, row.content) == ("price.pdf", "application/pdf", b"%PDF")
    await files.remove(first, zhou, NOW)
    assert await count(firm.db, StoredFile) == 1
    await files.remove(second, zhou, NOW)
    assert await count(firm.db, StoredFile) == 0


@pytest.mark.parametrize(("content", "code"), [(b"", "empty"), (b"x" * 20_000_001, "large")])
async def test_empty_and_huge_files_are_refused(firm: Firm, content: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as error:
        await FileStore(firm.db).attach(firm.companies["Brandt"], Upload("x.bin", content), firm.actor("zhou"), NOW)
    assert error.value.code == code
