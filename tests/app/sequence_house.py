"""A running sequence in an installation: shorthands for its tests."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event, select

from outreach.access.roles import OPERATOR
from outreach.app import campaigns as use
from outreach.app.build import App
from outreach.app.sequences import use as sequences
from outreach.model import Contact, Enrolment
from outreach.model.base import table
from tests.flow.house import APPROVERS, Clock, actor, work

ENROLMENTS, CONTACTS = table(Enrolment), table(Contact)

MANIFEST = """fallback = "en"
[subject]
en = "{subject}, {{{{ first_name }}}}"
[preview]
en = "A few words."
[variables]
first_name = {{ en = "friend" }}
"""
BODY = """<mjml><mj-body><mj-section><mj-column><mj-text>Dear {{{{ first_name }}}},</mj-text>
<mj-text>{words}</mj-text></mj-column></mj-section></mj-body></mjml>
"""
TEMPLATES = {
    "hello": ("New lamps", "Our new lamps are here: brighter, lighter, made to last."),
    "again": ("One question", "May I ask which of them would fit your shop best?"),
    "invitation": ("The fair", "We would be glad to see you at our stand in Frankfurt."),
}


def write_templates(folder: Path) -> None:
    """Three short letters: the shipped ones take a second to compile."""
    for name, (subject, words) in TEMPLATES.items():
        place = folder / "templates" / name
        place.mkdir(parents=True)
        (place / "template.toml").write_text(MANIFEST.format(subject=subject))
        (place / "body.mjml").write_text(BODY.format(words=words))


THREE_STEPS = """
name = "New customers"
mailboxes = ["sales"]
[[step]]
after_days = 0
template = "hello"
[[step]]
after_days = 2
template = "again"
[[step]]
after_days = 2
kind = "call"
title = "Ring them up"
"""


async def approve(app: App, sequence: int, clock: Clock) -> None:
    """Submit it and let the three approve."""
    await use.submit(app, sequence, OPERATOR, clock())
    for who, _ in APPROVERS:
        await use.approve(app, sequence, await actor(app, who), clock())


async def running(app: App, clock: Clock, text: str = THREE_STEPS) -> int:
    """A sequence that is approved and started."""
    sequence = await sequences.create(app, tomllib.loads(text), OPERATOR, clock())
    await approve(app, sequence, clock)
    await use.start(app, sequence, OPERATOR, clock())
    return sequence


async def enrolled(app: App, sequence: int, clock: Clock) -> list[int]:
    """Enrol everybody; returns their contacts."""
    async with app.db.read() as conn:
        ids = list(await conn.scalars(select(CONTACTS.c.id).order_by(CONTACTS.c.id)))
    told = await sequences.enrol(app, sequence, ids, OPERATOR, clock())
    assert not told["refused"], told
    return ids


async def standing(app: App, sequence: int) -> list[Any]:
    """The enrolments, by contact."""
    async with app.db.read() as conn:
        query = select(ENROLMENTS).where(ENROLMENTS.c.campaign_id == sequence).order_by(ENROLMENTS.c.contact_id)
        return list((await conn.execute(query)).all())


async def days(app: App, clock: Clock, count: int) -> None:
    """Let days go by, the engine looking in once a day, at the same hour."""
    for _ in range(count):
        clock.now += timedelta(days=1)
        await work(app, clock)


@contextmanager
def statements(app: App) -> Iterator[list[str]]:
    """What the database is asked meanwhile."""
    asked: list[str] = []

    def heard(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        asked.append(statement)

    event.listen(app.db.engine.sync_engine, "before_cursor_execute", heard)
    try:
        yield asked
    finally:
        event.remove(app.db.engine.sync_engine, "before_cursor_execute", heard)
