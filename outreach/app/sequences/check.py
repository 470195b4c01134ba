"""Preflight of what has no end: whether its texts can be sent, who would come in, why others would not."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app.composing import compile_for, load_texts
from outreach.app.facts import sender_facts
from outreach.app.findings import Audience, from_outside, of_texts
from outreach.app.preflight import Plan, Preflight, around
from outreach.app.sequences.entry import BEFORE, tagged
from outreach.app.sequences.work import Work, load_work, open_desk
from outreach.audience import segment
from outreach.campaigns.plan import count_reasons
from outreach.campaigns.sequence import Enrol
from outreach.campaigns.thread import root_of
from outreach.content.lint import told
from outreach.content.problem import ContentProblem
from outreach.model import CampaignRecipient, Contact
from outreach.model.base import table

RECIPIENTS, CONTACTS = table(CampaignRecipient), table(Contact)
#: People looked at together.
CHUNK = 500


async def check_evergreen(conn: AsyncConnection, plan: Plan, lang: str) -> Preflight:
    """Say what is wrong with its texts and who comes in when it starts. Changes nothing."""
    app, sender = plan.app, sender_facts(plan.app.settings)
    work = await load_work(app, conn, plan.row, plan.now)
    found = Preflight()
    audience = Audience()
    if work.what.sequence is not None:
        await _who(conn, work, found, audience)
    texts = await asyncio.to_thread(of_texts, plan.texts, audience, sender)
    if not any(problem.severity == "error" for problem in texts):
        texts += await _borrowed(conn, work)
        boxes = [app.settings.mailbox_named(box.name) for box in work.boxes]
        texts += await from_outside(app, boxes, plan.texts, sender)
    if not work.boxes:
        texts.append(ContentProblem("sequence.no_mailbox"))
    found.problems = [problem.as_dict() for problem in told([*around(plan), *texts], lang)]
    return found


async def _borrowed(conn: AsyncConnection, work: Work) -> list[ContentProblem]:
    """Compile what takes its subject from the thread that it goes on with: its own words must suffice for it."""
    texts, problems = await load_texts(conn, work.row.id), []
    for number, source in sorted(work.sources.items()):
        if root_of(work.what, number) == number:
            continue
        for language in source.languages:
            try:
                compile_for(texts, number, language, None)
            except ContentProblem as problem:
                problems.append(ContentProblem("sequence.subject", name=source.name, detail=str(problem)))
    return problems


async def _who(conn: AsyncConnection, work: Work, found: Preflight, audience: Audience) -> None:
    """Who matches or carries the tag now: taken in at the start (`existing`), else kept out (only new ones)."""
    assert work.what.sequence is not None
    rules = work.what.sequence.enrol
    if not rules.segment and not rules.on:
        return
    if not rules.existing and work.row.started_at is not None:
        found.rows = await _kept_out(conn, work.row.id)
        found.skipped = {BEFORE: len(found.rows)}
        return
    ids = list(await conn.scalars(there_already(rules, work.now)))
    if not rules.existing:
        found.rows = [before_row(work.row.id, contact_id) for contact_id in ids]
        found.skipped = {BEFORE: len(ids)} if ids or not rules.on else {}
        return
    first = next(step for step in work.what.sequence.steps if step.kind == "mail")
    reasons: list[str | None] = []
    for start in range(0, len(ids), CHUNK):
        desk = await open_desk(conn, work, ids[start : start + CHUNK])
        for person in desk.people.values():
            reasons.append(desk.refusal(person, first.number, work.box(person)))
            if reasons[-1] is None:
                audience.add(person.contact_id, person.language, person.country)
    found.recipients, skipped = count_reasons(reasons)
    found.skipped = dict(skipped)


def there_already(rules: Enrol, now: datetime) -> Select[Any]:
    """Whom the rules would take in at once: who matches the segment; with triggers, who carries one of their tags.

    An inquiry or a delivery counts from the start on only, so nobody is there for those. Who carries the tag is kept
    out whether or not they match the segment: coming to match later is not what the tag stands for.
    """
    if not rules.on:
        assert rules.segment is not None
        return segment.select_ids(segment.parse(rules.segment), now).order_by(CONTACTS.c.id)
    parts = [tagged(rules.on), CONTACTS.c.erased_at.is_(None)]
    if rules.existing and rules.segment:
        parts.append(segment.condition(segment.parse(rules.segment), now))
    return select(CONTACTS.c.id).where(*parts).order_by(CONTACTS.c.id)


def before_row(campaign_id: int, contact_id: int) -> dict[str, Any]:
    empty = {"address_id": None, "address": "", "mailbox_id": None, "is_pilot": False, "variant": None}
    return {"campaign_id": campaign_id, "contact_id": contact_id, "skip_reason": BEFORE, **empty}


async def _kept_out(conn: AsyncConnection, campaign_id: int) -> list[dict[str, Any]]:
    """Who matched before the sequence first began: an edit does not change that."""
    mine = (RECIPIENTS.c.campaign_id == campaign_id) & (RECIPIENTS.c.skip_reason == BEFORE)
    return [
        before_row(campaign_id, number) for number in await conn.scalars(select(RECIPIENTS.c.contact_id).where(mine))
    ]
