"""What people do with campaigns: each a use case across stages, the same for CLI, web and API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import OPERATOR, Actor, Held, Permission, require
from outreach.app.build import App
from outreach.audience.regions import time_zone
from outreach.campaigns import forecast, plan
from outreach.campaigns import store as campaigns
from outreach.campaigns.calendar import Hours, next_open
from outreach.campaigns.candidates.store import candidates, company_counts
from outreach.campaigns.definition import VARIANT_STEP, Definition
from outreach.campaigns.store import CampaignError, StepContent
from outreach.content.compose import compile_content
from outreach.content.envelope import PREVIEW_URLS
from outreach.content.lint import check
from outreach.content.store import snapshot, version_source
from outreach.content.template import TemplateSource, choose_language
from outreach.db import stops
from outreach.model import Campaign, CampaignRecipient, CampaignState, EmailAddress, Mailbox, User
from outreach.model.base import table
from outreach.outbox import store as outbox
from outreach.suppression.match import Policy

CAMPAIGNS, RECIPIENTS, USERS = table(Campaign), table(CampaignRecipient), table(User)
MAILBOXES, ADDRESSES = table(Mailbox), table(EmailAddress)


@dataclass
class Preflight:
    """What would happen: sizes, why people are left out, when the last message leaves, what is wrong."""

    recipients: int = 0
    pilot: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    finishes_at: datetime | None = None
    problems: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list, repr=False)

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
        }


# -- drafts ------------------------------------------------------------------------------------------------------------


async def create(app: App, what: Definition, actor: Actor, now: datetime) -> int:
    """Store a campaign as a draft and return its id.

    Raises CampaignError, ConfigError, ContentProblem, SegmentError, each in words.
    """
    require(actor, Permission.CAMPAIGNS_EDIT, Held(actor.id, actor.team))
    await _check_names(app, what, now)
    async with app.db.write() as conn:
        steps = await _snapshot_steps(app, conn, what, actor, now)
        owner = await _owner_id(conn, what.owner)
        return await campaigns.insert_campaign(conn, what, steps, now=now, actor=actor, owner_id=owner)


async def edit(app: App, campaign_id: int, what: Definition, actor: Actor, now: datetime) -> None:
    """Change a campaign: it is a draft again, and every approval of it is void."""
    await _may(app, campaign_id, actor, Permission.CAMPAIGNS_EDIT)
    await _check_names(app, what, now)
    async with app.db.write() as conn:
        await stops.hold(conn)
        steps = await _snapshot_steps(app, conn, what, actor, now)
        await campaigns.replace_definition(conn, campaign_id, what, steps, now=now, actor=actor)


async def _check_names(app: App, what: Definition, now: datetime) -> None:
    for name in what.mailboxes:
        app.settings.mailbox_named(name)
    for variant in what.variant:
        if variant.mailbox and variant.mailbox not in what.mailboxes:
            raise CampaignError(f"variant {variant.name} sends from {variant.mailbox}, which is not in mailboxes")
    await app.audience.count(what.segment, now)


async def _owner_id(conn: AsyncConnection, name: str | None) -> int | None:
    if name is None:
        return None
    found = await conn.scalar(select(USERS.c.id).where(USERS.c.name == name))
    if found is None:
        raise CampaignError(f"owner {name!r} is not a user: add one with  outreach users add {name} --role salesperson")
    return int(found)


async def _snapshot_steps(
    app: App, conn: AsyncConnection, what: Definition, actor: Actor, now: datetime
) -> list[StepContent]:
    async def one(number: int, name: str, **more: Any) -> StepContent:
        version, digest = await snapshot(conn, app.template(name), now, author_id=actor.id)
        return StepContent(number, version, digest, **more)

    steps = [await one(0, what.template)]
    for number, step in enumerate(what.step, 1):
        more = {"after_days": step.after_days, "only_if": step.only_if, "same_thread": step.same_thread}
        steps.append(await one(number, step.template, **more))
    for number, variant in enumerate(what.variant):
        if variant.template:
            steps.append(await one(VARIANT_STEP + number, variant.template))
    return steps


# -- preflight ---------------------------------------------------------------------------------------------------------


@dataclass
class Plan:
    """What a preflight works with."""

    app: App
    row: Any
    what: Definition
    source: TemplateSource
    boxes: list[plan.MailboxChoice]
    now: datetime

    @property
    def start(self) -> datetime:
        """When the first message may leave."""
        return max(self.now, self.what.schedule.start or self.now)

    def hours(self, country: str | None, zone: str | None) -> Hours:
        """When a recipient may get mail."""
        return plan.hours_for(self.what, country, zone, self.app.settings.sender.timezone)


async def preflight(app: App, campaign_id: int, now: datetime, *, keep_rows: bool = False) -> Preflight:
    """Say who would get it, why others would not, and when the last message leaves. Changes nothing."""
    async with app.db.read() as conn:
        work = await _load_plan(app, conn, campaign_id, now)
        found = Preflight(problems=_lint(app, work))
        await _walk(conn, work, found, keep_rows)
    if found.recipients == 0:
        found.problems.append(_problem("no_recipients", "nobody would get this campaign: look at the skip reasons"))
    return found


def _problem(code: str, message: str, severity: str = "error", fix: str = "") -> dict[str, Any]:
    return {"severity": severity, "code": code, "message": message, "fix": fix}


def _lint(app: App, work: Plan) -> list[dict[str, Any]]:
    problems = [item.as_dict() for item in check(work.source, sender=_sender(app))]
    sender = app.settings.sender
    for name in ("company", "postal_address"):
        if not getattr(sender, name):
            text = f"[sender] {name} is empty: the law asks for it in every mail"
            problems.append(_problem(f"sender.{name}", text, fix=f"set {name} under [sender] in config.toml"))
    return problems


def _sender(app: App) -> dict[str, Any]:
    sender = app.settings.sender
    return {"company": sender.company, "postal_address": sender.postal_address, "country": sender.country}


async def _load_plan(app: App, conn: AsyncConnection, campaign_id: int, now: datetime) -> Plan:
    row = await campaigns.get(conn, campaign_id)
    what = Definition.model_validate(row.definition)
    steps = await campaigns.steps_of(conn, campaign_id)
    source = await version_source(conn, steps[0].version_id)
    rows = await conn.execute(select(MAILBOXES).where(MAILBOXES.c.name.in_(what.mailboxes)).order_by(MAILBOXES.c.id))
    boxes = [plan.MailboxChoice(r.id, r.name, r.owner_id) for r in rows]
    return Plan(app, row, what, source, boxes, now)


async def _walk(conn: AsyncConnection, work: Plan, found: Preflight, keep_rows: bool) -> None:
    limits = work.app.settings.limits
    rules = _rules(work)
    companies = await company_counts(conn, now=work.now, days=limits.per_company.days, campaign_id=work.row.id)
    departures: list[forecast.Departure] = []
    reasons: list[str | None] = []
    people = candidates(
        conn, work.what.segment, now=work.now, contact_days=limits.per_contact.days, campaign_id=work.row.id
    )
    async for person in people:
        reason = plan.skip_reason(person, rules, companies)
        reasons.append(reason)
        box = plan.choose_mailbox(person, work.boxes)
        pilot = _is_pilot(work, person.contact_id)
        if reason is None:
            found.pilot += pilot
            zone = time_zone(person.country, person.city) if person.country else None
            hours = work.hours(person.country, zone)
            due = next_open(work.start, hours)
            departures.append(forecast.Departure(due, box, person.domain or "", hours))
        if keep_rows:
            found.rows.append(_recipient_row(work, person, box, reason, pilot))
    found.recipients, skipped = plan.count_reasons(reasons)
    found.skipped = dict(skipped)
    found.finishes_at = _forecast(work, departures, found.pilot)


def _is_pilot(work: Plan, contact_id: int) -> bool:
    pilot = work.what.pilot
    return bool(pilot and plan.in_pilot(contact_id, work.what.name, pilot.share))


def _recipient_row(work: Plan, person: plan.Candidate, box: int, reason: str | None, pilot: bool) -> dict[str, Any]:
    return {
        "campaign_id": work.row.id,
        "contact_id": person.contact_id,
        "address_id": person.address_id,
        "address": person.address or "",
        "mailbox_id": box,
        "skip_reason": reason,
        "is_pilot": pilot,
        "variant": _variant(work.what, person.contact_id),
    }


def _variant(what: Definition, contact_id: int) -> str | None:
    if not what.variant:
        return None
    return what.variant[plan.stable_share(str(contact_id), f"variant:{what.name}") % len(what.variant)].name


def _rules(work: Plan) -> plan.Rules:
    limits = work.app.settings.limits
    return plan.Rules(
        now=work.now,
        per_contact=limits.per_contact.mails,
        per_company=limits.per_company.mails,
        postal_address=work.app.settings.sender.postal_address,
        subject_of=_subjects(work.source, work.what),
        policy=_policy_of(work.app.policy),
    )


def _policy_of(policy: Policy) -> Callable[[str], str | None]:
    def refused(address: str) -> str | None:
        verdict = policy.verdict(address)
        return verdict.code if verdict else None

    return refused


def _subjects(source: TemplateSource, what: Definition) -> Callable[[plan.Candidate], str]:
    """The subject that a person would see, for rules about its wording; variables stand as they are written."""
    cache: dict[str, str] = {}

    def subject(person: plan.Candidate) -> str:
        language = choose_language(source, person.language, person.country)
        if language not in cache:
            cache[language] = what.subject or source.subject(language)
        return cache[language]

    return subject


def _forecast(work: Plan, departures: Sequence[forecast.Departure], pilot: int) -> datetime | None:
    paces = {}
    for choice in work.boxes:
        box = work.app.settings.mailbox_named(choice.name)
        limits = box.limits
        gap = limits.min_gap_seconds
        paces[choice.id] = forecast.Pace(limits.per_minute, limits.per_hour, limits.per_day, gap)
    last = forecast.last_departure(
        departures,
        paces,
        opens=lambda hours, at: next_open(at, hours),  # type: ignore[arg-type]
        per_domain_per_minute=work.app.settings.limits.per_domain_per_minute,
    )
    if last is not None and work.what.pilot and pilot:
        last += timedelta(hours=work.what.pilot.wait_hours)
    return last


# -- review ------------------------------------------------------------------------------------------------------------


def limits_in_force(app: App) -> dict[str, Any]:
    """The caps that an approval covers."""
    return app.settings.limits.model_dump(mode="json")


async def submit(app: App, campaign_id: int, actor: Actor, now: datetime) -> str:
    """Freeze audience and content and put the campaign before its reviewers. Raises CampaignError when it cannot."""
    await _may(app, campaign_id, actor, Permission.CAMPAIGNS_EDIT)
    found = await preflight(app, campaign_id, now, keep_rows=True)
    if found.blocking:
        lines = "\n".join(f"  - {p['message']}{' → ' + p['fix'] if p.get('fix') else ''}" for p in found.blocking)
        raise CampaignError(f"the preflight found what must be mended first:\n{lines}")
    async with app.db.write() as conn:
        await campaigns.freeze_recipients(conn, campaign_id, found.rows)
        digest = await campaigns.fingerprint(conn, campaign_id, limits_in_force(app))
        await campaigns.mark_submitted(conn, campaign_id, digest, now, actor)
    return CampaignState.REVIEW.value


async def approve(app: App, campaign_id: int, actor: Actor, now: datetime, comment: str | None = None) -> str:
    """Give this person's approval to exactly what stands in the database now; returns the new state."""
    async with app.db.write() as conn:
        digest = await campaigns.fingerprint(conn, campaign_id, limits_in_force(app))
        return await campaigns.add_approval(
            conn, campaign_id, actor, app.settings.approval.roles, digest, comment=comment, now=now
        )


async def reject(app: App, campaign_id: int, actor: Actor, now: datetime, comment: str | None = None) -> str:
    """Return the campaign to its author with a comment."""
    if not actor.operator:
        require(actor, Permission.CAMPAIGNS_APPROVE)
    async with app.db.write() as conn:
        return await campaigns.add_rejection(conn, campaign_id, actor, comment=comment, now=now)


# -- life --------------------------------------------------------------------------------------------------------------


async def start(app: App, campaign_id: int, actor: Actor, now: datetime, *, whole: bool = False) -> str:
    """Let an approved campaign go: scheduled, pilot or running, as its file says. In a pilot: release the rest."""
    await _may(app, campaign_id, actor, Permission.CAMPAIGNS_SEND)
    async with app.db.write() as conn:
        row = await campaigns.get(conn, campaign_id)
        if row.confirm_needed:
            await conn.execute(update(CAMPAIGNS).where(CAMPAIGNS.c.id == campaign_id).values(confirm_needed=False))
        what = Definition.model_validate(row.definition)
        action = _start_action(row, what, now, whole)
        if row.state in (CampaignState.APPROVED, CampaignState.SCHEDULED):
            await demand_approval(app, conn, campaign_id)
            await _plan_messages(app, conn, campaign_id, now)
        return await campaigns.move(conn, campaign_id, action, now=now, actor=actor, **_started(row, action, now))


def _start_action(row: Any, what: Definition, now: datetime, whole: bool) -> str:
    if row.state == CampaignState.PILOT:
        return "start"
    begin = what.schedule.start
    if row.state == CampaignState.APPROVED and begin and begin > now and not whole:
        return "schedule"
    return "pilot" if what.pilot and not whole else "start"


def _started(row: Any, action: str, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if action in ("start", "pilot") and row.started_at is None:
        values["started_at"] = now
    if action == "start":
        values["pilot_released"] = True
    return values


async def demand_approval(app: App, conn: AsyncConnection, campaign_id: int) -> None:
    """Raise CampaignError unless what stands in the database is what was approved."""
    row = await campaigns.get(conn, campaign_id)
    if row.approved_hash is None:
        raise CampaignError("the campaign is not approved: submit it, then have it approved")
    digest = await campaigns.fingerprint(conn, campaign_id, limits_in_force(app))
    if digest != row.approved_hash:
        raise CampaignError("the campaign was changed after it was approved: its approvals are void; submit it again")


async def pause(app: App, campaign_id: int, actor: Actor, now: datetime, reason: str = "by hand") -> str:
    """Stop handing over; nothing leaves after this has returned."""
    await _may(app, campaign_id, actor, Permission.CAMPAIGNS_PAUSE)
    async with app.db.write() as conn:
        await stops.hold(conn)
        return await campaigns.pause(conn, campaign_id, reason, now=now, actor=actor)


async def resume(app: App, campaign_id: int, actor: Actor, now: datetime) -> str:
    """Go on after a pause, if what was approved still stands."""
    await _may(app, campaign_id, actor, Permission.CAMPAIGNS_SEND)
    async with app.db.write() as conn:
        await demand_approval(app, conn, campaign_id)
        return await campaigns.resume(conn, campaign_id, now=now, actor=actor)


async def cancel(app: App, campaign_id: int, actor: Actor, now: datetime) -> str:
    """End a campaign; what has not left never will."""
    await _may(app, campaign_id, actor, Permission.CAMPAIGNS_PAUSE)
    async with app.db.write() as conn:
        await stops.hold(conn)
        state = await campaigns.move(conn, campaign_id, "cancel", now=now, actor=actor, finished_at=now)
        await outbox.cancel_campaign(conn, campaign_id, "campaign_cancelled", now)
        return state


async def _may(app: App, campaign_id: int, actor: Actor, permission: Permission) -> None:
    if actor is OPERATOR or actor.operator:
        return
    row = await app.campaigns.one(campaign_id)
    require(actor, permission, Held(row.owner_id if row.owner_id is not None else row.author_id, actor.team))


# -- planning ----------------------------------------------------------------------------------------------------------


async def _plan_messages(app: App, conn: AsyncConnection, campaign_id: int, now: datetime) -> int:
    """Make the message rows of the frozen audience; a second call adds none."""
    work = await _load_plan(app, conn, campaign_id, now)
    domains = {box.id: app.settings.mailbox_named(box.name).domain for box in work.boxes}
    added, last = 0, 0
    while True:
        rows = (await conn.execute(_recipients_after(campaign_id, last))).all()
        if not rows:
            return added
        added += await outbox.plan(conn, [_message_row(work, row, domains) for row in rows])
        last = rows[-1].contact_id


def _recipients_after(campaign_id: int, last: int) -> Any:
    from outreach.model import Contact

    contacts = table(Contact)
    return (
        select(
            RECIPIENTS.c.contact_id,
            RECIPIENTS.c.address,
            RECIPIENTS.c.mailbox_id,
            RECIPIENTS.c.is_pilot,
            RECIPIENTS.c.variant,
            ADDRESSES.c.key,
            contacts.c.company_id,
            contacts.c.country,
            contacts.c.city,
            contacts.c.language,
        )
        .join(contacts, contacts.c.id == RECIPIENTS.c.contact_id)
        .join(ADDRESSES, ADDRESSES.c.id == RECIPIENTS.c.address_id)
        .where(
            RECIPIENTS.c.campaign_id == campaign_id,
            RECIPIENTS.c.skip_reason.is_(None),
            RECIPIENTS.c.contact_id > last,
        )
        .order_by(RECIPIENTS.c.contact_id)
        .limit(campaigns.CHUNK)
    )


def _message_row(work: Plan, row: Any, domains: dict[int, str]) -> dict[str, Any]:
    zone = time_zone(row.country, row.city) if row.country else None
    return {
        "campaign_id": work.row.id,
        "step": 0,
        "contact_id": row.contact_id,
        "company_id": row.company_id,
        "address": row.address,
        "address_key": row.key,
        "mailbox_id": row.mailbox_id,
        "mail_domain": domains[row.mailbox_id],
        "due_at": next_open(work.start, work.hours(row.country, zone)),
        "language": choose_language(work.source, row.language, row.country),
        "variant": row.variant,
        "is_pilot": row.is_pilot,
        "country": row.country,
        "tz": zone,
    }


# -- looking -----------------------------------------------------------------------------------------------------------


async def status(app: App, campaign_id: int) -> dict[str, Any]:
    """Return the contract's status: state, and counts of the rows by what became of them."""
    async with app.db.read() as conn:
        row = await campaigns.get(conn, campaign_id)
        found = await outbox.counts(conn, campaign_id)
        left_out = await campaigns.counts_by_skip(conn, campaign_id)
    skipped = {reason: count for reason, count in left_out.items() if reason}
    for reason, count in found["skipped"].items():
        skipped[reason] = skipped.get(reason, 0) + count
    planned = found["planned"] or left_out.get(None, 0)
    extra = {"paused_reason": row.paused_reason, "confirm_needed": row.confirm_needed}
    return {
        "id": campaign_id,
        "name": row.name,
        "state": row.state,
        **extra,
        **found,
        "planned": planned,
        "skipped": skipped,
    }


async def sample_preview(app: App, campaign_id: int, language: str | None = None) -> dict[str, str]:
    """Render the first step as the sample recipient sees it, for reviewers."""
    async with app.db.read() as conn:
        steps = await campaigns.steps_of(conn, campaign_id)
        source = await version_source(conn, steps[0].version_id)
    chosen = language or source.fallback_language
    context = {**source.sample_for(chosen), "sender": _sender(app)}
    rendered = compile_content(source, chosen).render(context, PREVIEW_URLS)
    return {"subject": rendered.subject, "preview": rendered.preview, "html": rendered.html, "text": rendered.text}


async def recipients_count(app: App, campaign_id: int) -> int:
    """How many people the frozen audience holds."""
    async with app.db.read() as conn:
        where = (RECIPIENTS.c.campaign_id == campaign_id) & RECIPIENTS.c.skip_reason.is_(None)
        return int(await conn.scalar(select(func.count()).select_from(RECIPIENTS).where(where)) or 0)


async def begin_pilot(app: App, campaign_id: int, actor: Actor, now: datetime) -> str:
    """Send to the pilot's share now, whatever the schedule says. Raises CampaignError without a [pilot]."""
    row = await app.campaigns.one(campaign_id)
    if Definition.model_validate(row.definition).pilot is None:
        raise CampaignError("the campaign file has no [pilot]: add one (share, wait_hours), or use start")
    await _may(app, campaign_id, actor, Permission.CAMPAIGNS_SEND)
    async with app.db.write() as conn:
        await demand_approval(app, conn, campaign_id)
        await _plan_messages(app, conn, campaign_id, now)
        return await campaigns.move(conn, campaign_id, "pilot", now=now, actor=actor, started_at=now)
