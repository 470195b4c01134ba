"""What one pass over an evergreen campaign works with: its rules, texts and mailboxes, and the people's letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app.build import App
from outreach.app.preflight import policy_of
from outreach.audience.regions import time_zone
from outreach.campaigns import plan
from outreach.campaigns import store as campaigns
from outreach.campaigns.calendar import Hours
from outreach.campaigns.candidates.store import IDS, candidates_by_id, company_totals, voices
from outreach.campaigns.definition import Definition
from outreach.campaigns.plan import Candidate, CompanyCount, MailboxChoice, Voices
from outreach.campaigns.thread import subject_for
from outreach.content.store import version_source
from outreach.content.template import TemplateSource, choose_language
from outreach.model import Contact, Mailbox, MailboxState
from outreach.model.base import table

MAILBOXES, CONTACTS = table(Mailbox), table(Contact)
#: Texts that a process keeps at hand: those of twenty sequences and more.
MOST_VERSIONS = 200


@dataclass
class Work:
    """One evergreen campaign, at one moment."""

    app: App
    row: Any
    what: Definition
    sources: dict[int, TemplateSource]
    boxes: list[MailboxChoice]
    domains: dict[int, str]
    now: datetime

    def hours(self, country: str | None, city: str | None) -> Hours:
        """When somebody there may get mail."""
        zone = time_zone(country, city) if country else None
        return plan.hours_for(self.what, country, zone, self.app.settings.sender.timezone)

    def box(self, person: Candidate) -> int:
        """The mailbox that writes to this person, for all of the sequence."""
        return plan.choose_mailbox(person, self.boxes)


async def load_work(app: App, conn: AsyncConnection, row: Any, now: datetime) -> Work:
    """Read the campaign's approved texts and its mailboxes. Closed mailboxes get nobody new."""
    what = Definition.model_validate(row.definition)
    sources = {
        step.number: await _source(app, conn, step.version_id) for step in await campaigns.steps_of(conn, row.id)
    }
    known = (await conn.execute(select(MAILBOXES).order_by(MAILBOXES.c.id))).all()
    open_ones = [box for box in known if box.name in what.mailboxes and box.state != MailboxState.DISABLED]
    boxes = [MailboxChoice(box.id, box.name, box.owner_id) for box in open_ones]
    return Work(app, row, what, sources, boxes, {box.id: box.domain for box in known}, now)


async def _source(app: App, conn: AsyncConnection, version_id: int) -> TemplateSource:
    """A stored version, read once: it never changes. The tick compares what is stored with its approval by itself."""
    known = app.versions.get(version_id)
    if known is None:
        known = app.versions[version_id] = await version_source(conn, version_id)
        for stale in list(app.versions)[:-MOST_VERSIONS]:
            del app.versions[stale]
    return known


async def places_of(conn: AsyncConnection, contact_ids: Sequence[int]) -> dict[int, tuple[str | None, str | None]]:
    """Country and city of people, for their working days."""
    c = CONTACTS.c
    found: dict[int, tuple[str | None, str | None]] = {}
    for start in range(0, len(contact_ids), IDS):
        query = select(c.id, c.country, c.city).where(c.id.in_(contact_ids[start : start + IDS]))
        found |= {row.id: (row.country, row.city) for row in await conn.execute(query)}
    return found


@dataclass
class Desk:
    """Judges whether a mail may be planned for a person now, and counts what it lets through."""

    work: Work
    people: dict[int, Candidate]
    companies: CompanyCount
    voices: Voices
    owners: dict[int, int | None] = field(default_factory=dict)

    def refusal(self, person: Candidate, step: int, mailbox_id: int) -> str | None:
        """Return why this mail is not planned, None if it is (and then it counts)."""
        other = self.voices.refused(person.company_id, self.owners.get(mailbox_id))
        return other or plan.skip_reason(person, self._rules(step), self.companies)

    def count(self, person: Candidate, mailbox_id: int) -> None:
        """Remember a mail that was planned: the next of this pass sees it."""
        self.voices.count(person.company_id, self.owners.get(mailbox_id))

    def _rules(self, step: int) -> plan.Rules:
        limits, settings = self.work.app.settings.limits, self.work.app.settings
        return plan.Rules(
            now=self.work.now,
            per_contact=limits.per_contact.mails,
            per_company=limits.per_company.mails,
            postal_address=settings.sender.postal_address,
            subjects_of=lambda person: [self.subject(person, step)],
            policy=policy_of(self.work.app.policy),
            gates=self.work.app.gates,
        )

    def subject(self, person: Candidate, step: int) -> str:
        """The subject as the rules of a country look at it: variables stand as they are written."""
        sources, content = self.work.sources, self.work.what.content_step(step)
        language = choose_language(sources[content], person.language, person.country)

        def of_template(number: int) -> str:
            source = sources[number]
            return source.subject(language if language in source.languages else source.fallback_language)

        return subject_for(self.work.what, content, of_template)


async def open_desk(conn: AsyncConnection, work: Work, contact_ids: Sequence[int]) -> Desk:
    """Read what decides about these people."""
    limits = work.app.settings.limits
    people = await candidates_by_id(conn, contact_ids, now=work.now, contact_days=limits.per_contact.days)
    firms = sorted({person.company_id for person in people.values() if person.company_id is not None})
    counts = await company_totals(conn, firms, now=work.now, days=limits.per_company.days)
    owners: dict[int, int | None] = {}
    heard: dict[int, set[int]] = {}
    if work.app.settings.sequences.one_voice:
        heard = await voices(conn, firms, now=work.now, days=limits.per_company.days)
        owners = {row.id: row.owner_id for row in await conn.execute(select(MAILBOXES.c.id, MAILBOXES.c.owner_id))}
    return Desk(work, people, CompanyCount(counts), Voices(heard), owners)


def message_of(work: Work, person: Candidate, step: int, mailbox_id: int, due: datetime, **more: Any) -> dict[str, Any]:
    """The outbox row of a mail to this person."""
    source = work.sources[work.what.content_step(step)]
    return {
        "campaign_id": work.row.id,
        "step": step,
        "contact_id": person.contact_id,
        "company_id": person.company_id,
        "address": person.address,
        "address_key": person.address_key,
        "mailbox_id": mailbox_id,
        "mail_domain": work.domains[mailbox_id],
        "due_at": due,
        "language": choose_language(source, person.language, person.country),
        "country": person.country,
        "tz": time_zone(person.country, person.city) if person.country else None,
        **more,
    }
