"""The forecast of the end, before and during a campaign, and when its last mail then leaves: real runs, no faults."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from outreach.access.roles import OPERATOR
from outreach.app import campaigns as use
from outreach.app.build import App
from outreach.app.engine import Engine
from outreach.app.preflight import preflight
from outreach.app.progress import progress
from outreach.audience.importing.store import ImportOptions
from outreach.model import Message
from outreach.model.base import table
from tests.flow.house import CONFIG, START, Clock, approved, installed

M = table(Message).c
FREE = "limits = {{ per_minute = 0, per_hour = 0, per_day = 0 }}"
#: How often the worker looks: as seldom as the case allows.
OFTEN, HALF_HOUR, SELDOM = timedelta(minutes=1), timedelta(minutes=30), timedelta(hours=3)
WINDOW = '[schedule]\nwindow = "09:00-11:00"\nlocal_time = true'
PILOT = "[pilot]\nshare = 0.2\nwait_hours = 5"
#: Name → the mailbox's limits (and more of it), the campaign's own lines, the limit of a recipient's domain, the looks.
CASES = {
    "a minute": ("limits = {{ per_minute = 2 }}", "", 0, OFTEN),
    "a day": ("limits = {{ per_day = 15 }}", "", 0, SELDOM),
    "a young mailbox": (FREE + "\nwarmup = true", "", 0, SELDOM),
    "hours of two countries": ("limits = {{ per_hour = 6 }}", WINDOW, 0, HALF_HOUR),
    "a pilot": ("limits = {{ per_hour = 12 }}", PILOT, 0, HALF_HOUR),
    "one customer's domain": (FREE, "", 3, OFTEN),
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def people(app: App, folder: Path) -> None:
    rows = [f"p{n}@firm{n}.example,Pat,Firm {n},GB,customer" for n in range(22)]
    rows += [f"q{n}@big{n % 2}.example,Kim,Company {n},KR,customer" for n in range(12)]
    (folder / "all.csv").write_text("\n".join(["email,first_name,company,country,basis", *rows]))
    await app.audience.import_file(
        folder / "all.csv", ImportOptions(source="fair"), now=START, rejects=folder / "rejects.csv"
    )


async def last_sent(app: App) -> datetime:
    async with app.db.read() as conn:
        waiting = await conn.scalar(select(func.count()).where(M.state.in_(("planned", "queued", "deferred"))))
        found = await conn.scalar(select(func.max(M.handed_at)))
    assert not waiting
    assert found is not None
    return found


async def live(app: App, clock: Clock, look: timedelta, *, until: datetime | None = None) -> None:
    """Look now and then; a run that must wait is over at once, the next look goes on."""
    engine = Engine(app, clock=clock)
    for _ in range(250):
        await engine.tick()
        await engine.run_due()
        async with app.db.read() as conn:
            left = await conn.scalar(select(func.count()).where(M.state.not_in(("sent", "skipped"))))
        if not left or (until and clock() >= until):
            return
        clock.now += look


@pytest.mark.parametrize("case", CASES)
async def test_it_ends_when_it_was_said_to_end(case: str, tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    limits, more, per_domain, look = CASES[case]
    text = CONFIG.replace(FREE, limits).replace("domain_per_minute = 0", f"domain_per_minute = {per_domain}")
    async with installed(tmp_path, smtp_sink.port, text + "[sending]\nrun_seconds = 20\n") as app:
        app.outside.patience = 0.1  # no DNS is asked here
        await people(app, tmp_path)
        campaign = await approved(app, clock, more=more, segment="country in (GB, KR)")
        before = (await preflight(app, campaign, clock())).finishes_at
        await use.start(app, campaign, OPERATOR, clock())
        await live(app, clock, look, until=START + 3 * look)
        during = (await progress(app, campaign, clock())).ends_at
        await live(app, clock, look)
        ended = await last_sent(app)
    assert before is not None
    assert abs(before - ended) <= 2 * look, (before, ended)
    assert during is None or abs(during - ended) <= 2 * look, (during, ended)
    assert during is not None or ended <= START + 3 * look
