"""Preflight: who would get a campaign, why others would not, when the last message leaves. Changes nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app import ab_test, forecasting
from outreach.app.build import App
from outreach.app.composing import load_texts
from outreach.app.facts import sender_facts
from outreach.app.findings import Audience, Wording, from_outside, got_before, lacking, of_texts, wordings
from outreach.audience.regions import time_zone
from outreach.campaigns import plan, variants
from outreach.campaigns import store as campaigns
from outreach.campaigns.calendar import Hours, next_open
from outreach.campaigns.candidates.store import candidates, company_counts, every_voice
from outreach.campaigns.definition import Definition
from outreach.content.hosts import is_loopback
from outreach.content.lint import told
from outreach.content.problem import Both, ContentProblem
from outreach.content.template import TemplateSource, choose_language
from outreach.model import Mailbox
from outreach.model.base import table
from outreach.sending.forecast import Waiting, after_sample, forecast
from outreach.suppression.match import Policy

MAILBOXES = table(Mailbox)

#: After so many people (about 8 ms) a walk lets others go on.
BREATH = 250


@dataclass
class Preflight:
    """What would happen: sizes, why people are left out, when the last message leaves, what is wrong."""

    recipients: int = 0
    pilot: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    finishes_at: datetime | None = None
    problems: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list, repr=False)
    arms: dict[str, int] = field(default_factory=dict)
    test: dict[str, Any] | None = None

    @property
    def blocking(self) -> list[dict[str, Any]]:
        """The problems that must be mended before it can be submitted."""
        return [problem for problem in self.problems if problem["severity"] == "error"]

    def as_dict(self) -> dict[str, Any]:
        """The contract's JSON."""
        return {
            "recipients": self.recipients,
            "pilot": self.pilot,
            "skipped": self.skipped,
            "finishes_at": self.finishes_at.isoformat() if self.finishes_at else None,
            "problems": self.problems,
            **({"test": self.test} if self.test else {}),
        }


@dataclass
class Plan:
    """What a preflight works with."""

    app: App
    row: Any
    what: Definition
    sources: dict[int, TemplateSource]
    texts: list[Wording]
    boxes: list[plan.MailboxChoice]
    now: datetime

    @property
    def source(self) -> TemplateSource:
        """The first mail's text."""
        return self.sources[0]

    @property
    def start(self) -> datetime:
        """When the first message may leave."""
        return max(self.now, self.what.schedule.start or self.now)

    def hours(self, country: str | None, zone: str | None, variant: str | None = None) -> Hours:
        """When a recipient may get mail."""
        chosen = variants.variant_named(self.what, variant)
        hour = chosen.hour if chosen else None
        return plan.hours_for(self.what, country, zone, self.app.settings.sender.timezone, hour)

    def opens(self, country: str | None, zone: str | None, variant: str | None) -> tuple[datetime, Hours | None]:
        """From when a recipient may get the first mail, and in which hours a run lets it leave (None: at any)."""
        due = next_open(self.start, self.hours(country, zone, variant))
        hours = self.hours(country, zone)
        return due, hours if hours.window else None

    def mailbox_for(self, person: plan.Candidate, variant: str | None) -> int:
        """The variant's own mailbox, or the one that this person hears from."""
        chosen = variants.variant_named(self.what, variant)
        if chosen and chosen.mailbox:
            return next(box.id for box in self.boxes if box.name == chosen.mailbox)
        return plan.choose_mailbox(person, self.boxes)


async def preflight(
    app: App,
    campaign_id: int,
    now: datetime,
    *,
    keep_rows: bool = False,
    lang: str = "en",
    walked: Callable[[int], None] = lambda number: None,
) -> Preflight:
    """Say who would get it, why others would not, and when the last message leaves. Changes nothing.

    The findings stand in `lang`, the reader's language. walked: told how many people have been looked at.
    """
    sender = sender_facts(app.settings)
    async with app.db.read() as conn:
        work = await load_plan(app, conn, campaign_id, now)
        if work.row.kind != "campaign":
            from outreach.app.sequences.check import check_evergreen

            return await check_evergreen(conn, work, lang)
        found, audience = Preflight(), Audience()
        await _walk(conn, work, found, audience, keep_rows, walked)
        texts = await asyncio.to_thread(of_texts, work.texts, audience, sender)
        sound = not any(problem.severity == "error" for problem in texts)
        if sound:
            texts += await lacking(conn, work.texts, audience, sender, now.date())
            texts += await got_before(conn, campaign_id, work.texts, audience, now)
        if work.what.variant:
            found.test = await ab_test.sizes(conn, work.what, found.arms)
    problems = [*around(work), *nobody(found), *texts]
    if sound:
        boxes = [app.settings.mailbox_named(box.name) for box in work.boxes]
        problems += await from_outside(app, boxes, work.texts, sender)
    if found.test:
        problems += ab_test.size_problems(found.test, variants.rules_of(work.what))
    found.problems = [problem.as_dict() for problem in told(problems, lang)]
    return found


def nobody(found: Preflight) -> Iterator[ContentProblem]:
    """A campaign for nobody."""
    if found.recipients == 0:
        told_en, told_zh = (_reasons(found.skipped, lang) for lang in ("en", "zh"))
        yield ContentProblem("no_recipients", reasons=Both(told_en, told_zh))


def _reasons(skipped: dict[str, int], lang: str) -> str:
    """Why people are left out, in words; nobody matches at all: that."""
    if not skipped:
        return "没有符合条件的联系人" if lang == "zh" else "no contact matches"
    mark = "：" if lang == "zh" else ": "
    return ("、" if lang == "zh" else ", ").join(
        f"{plan.explain_skip(reason, lang)}{mark}{count}" for reason, count in skipped.items()
    )


def around(work: Plan) -> Iterator[ContentProblem]:
    """What is wrong with the sender and the mailboxes."""
    sender, base = work.app.settings.sender, work.app.settings.tracking.base_url
    for name in ("company", "postal_address"):
        if not getattr(sender, name).strip():
            yield ContentProblem(f"sender.no_{name}")
    if work.what.topic is None:
        yield ContentProblem("topic.none", topics=", ".join(topic.key for topic in work.app.topics))
    boxes = [work.app.settings.mailbox_named(box.name) for box in work.boxes]
    if not all(box.loopback for box in boxes):  # a trial on this machine needs no public address
        for url in {box.tracking_base_url or base for box in boxes if not box.loopback}:
            if not url.startswith("https://") or is_loopback(urlsplit(url).hostname or ""):
                yield ContentProblem("unsubscribe.local", url=url)
    for box in boxes:
        if box.imap is None and not box.loopback:
            yield ContentProblem("mailbox.unread", address=box.address)


async def load_plan(app: App, conn: AsyncConnection, campaign_id: int, now: datetime) -> Plan:
    row = await campaigns.get(conn, campaign_id)
    what = Definition.model_validate(row.definition)
    texts = await load_texts(conn, campaign_id)
    rows = await conn.execute(select(MAILBOXES).where(MAILBOXES.c.name.in_(what.mailboxes)).order_by(MAILBOXES.c.id))
    boxes = [plan.MailboxChoice(r.id, r.name, r.owner_id) for r in rows]
    return Plan(app, row, what, texts.sources, wordings(texts), boxes, now)


async def _walk(
    conn: AsyncConnection,
    work: Plan,
    found: Preflight,
    audience: Audience,
    keep_rows: bool,
    walked: Callable[[int], None],
) -> None:
    limits = work.app.settings.limits
    rules = _rules(work)
    companies = await company_counts(conn, now=work.now, days=limits.per_company.days, campaign_id=work.row.id)
    voices = plan.Voices()
    owners = {box.id: box.owner_id for box in work.boxes}
    if work.app.settings.sequences.one_voice and any(owners.values()):
        days = limits.per_company.days
        voices.heard = await every_voice(conn, now=work.now, days=days, campaign_id=work.row.id)
    else:
        owners = {}
    departures: dict[bool, Counter[Waiting]] = {True: Counter(), False: Counter()}
    reasons: list[str | None] = []
    opens = cache(work.opens)
    people = candidates(
        conn, work.what.segment, now=work.now, contact_days=limits.per_contact.days, campaign_id=work.row.id
    )
    async for person in people:
        variant = variants.arm_of(work.what, person.contact_id)
        box = work.mailbox_for(person, variant)
        owner = owners.get(box)
        reason = voices.refused(person.company_id, owner) or plan.skip_reason(person, rules, companies)
        reasons.append(reason)
        pilot = _is_pilot(work, person.contact_id)
        if reason is None:
            voices.count(person.company_id, owner)
            found.pilot += pilot
            if variant:
                found.arms[variant] = found.arms.get(variant, 0) + 1
            audience.add(person.contact_id, person.language, person.country)
            zone = time_zone(person.country, person.city) if person.country else None
            due, hours = opens(person.country, zone, variant)
            first = pilot if work.what.pilot else variant is not None
            departures[first][Waiting(box, due, 1, hours, person.domain)] += 1
        if len(reasons) % BREATH == 0:  # a walk over 100,000 people takes seconds: others want to be served meanwhile
            walked(len(reasons))
            await asyncio.sleep(0)
        if keep_rows:
            found.rows.append(_recipient_row(work, person, box, reason, pilot, variant))
    found.recipients, skipped = plan.count_reasons(reasons)
    found.skipped = dict(skipped)
    found.finishes_at = await _forecast(conn, work, departures[True], departures[False])


def _is_pilot(work: Plan, contact_id: int) -> bool:
    pilot = work.what.pilot
    return bool(pilot and plan.in_pilot(contact_id, work.what.name, pilot.share))


def _recipient_row(
    work: Plan, person: plan.Candidate, box: int, reason: str | None, pilot: bool, variant: str | None
) -> dict[str, Any]:
    return {
        "campaign_id": work.row.id,
        "contact_id": person.contact_id,
        "address_id": person.address_id,
        "address": person.address or "",
        "mailbox_id": box,
        "skip_reason": reason,
        "is_pilot": pilot,
        "variant": variant,
    }


def _rules(work: Plan) -> plan.Rules:
    limits = work.app.settings.limits
    return plan.Rules(
        now=work.now,
        per_contact=limits.per_contact.mails,
        per_company=limits.per_company.mails,
        postal_address=work.app.settings.sender.postal_address,
        topic=work.what.topic,
        subjects_of=_subjects(work),
        policy=policy_of(work.app.policy),
        gates=work.app.gates,
    )


def policy_of(policy: Policy) -> Callable[[str], str | None]:
    def refused(address: str) -> str | None:
        verdict = policy.verdict(address)
        return verdict.code if verdict else None

    return refused


def _subjects(work: Plan) -> Callable[[plan.Candidate], Sequence[str]]:
    """The subjects that a person may see, of all steps and variants; variables stand as they are written."""

    @cache
    def first(variant: str | None, language: str | None, country: str | None) -> str:
        source = work.sources[variants.content_step(work.what.variant, 0, variant)]
        chosen = variants.variant_named(work.what, variant)
        own = chosen.subject if chosen else None
        return own or work.what.subject or source.subject(choose_language(source, language, country))

    @cache
    def later(language: str | None, country: str | None) -> list[str]:
        texts = [text for text in work.texts if text.step > 0]
        return [text.subject_in(choose_language(text.source, language, country)) for text in texts]

    names = [variant.name for variant in work.what.variant]

    def subjects(person: plan.Candidate) -> Sequence[str]:
        arm = variants.arm_of(work.what, person.contact_id)
        shown = names if names and arm is None else [arm]
        wish = (person.language, person.country)
        return [*(first(variant, *wish) for variant in shown), *later(*wish)]

    return subjects


async def _forecast(
    conn: AsyncConnection, work: Plan, sample: Counter[Waiting], rest: Counter[Waiting]
) -> datetime | None:
    """When the last first mail will have left, behind what its mailboxes have to send already; None for nobody."""
    app, now = work.app, work.now
    boxes = forecasting.in_company(app, [box.id for box in work.boxes])
    others = await forecasting.waiting(app, conn, boxes, now, but=work.row.id)
    may = await forecasting.paces(app, boxes, now, paused_too=True)
    share = app.settings.limits.per_domain_per_minute
    wait = forecasting.wait_after_first(work.what)
    if wait is None:
        groups = [*others, *forecasting.by_domain(sample + rest, share)]
        ends = await asyncio.to_thread(forecast, groups, may.senders, may.domains, now)
    else:
        first, later = forecasting.by_domain(sample, share), forecasting.by_domain(rest, share)
        ends = await asyncio.to_thread(after_sample, later, [*others, *first], may.senders, may.domains, now, wait)
    return max(ends.values(), default=None)
