"""What people do with sequences: the same for pages, command line and API. Approval, start, pause: app/campaigns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Actor, Held, Permission, require
from outreach.access.store import append_audit
from outreach.app import campaigns as use
from outreach.app.build import App
from outreach.app.sequences.check import before_row, there_already
from outreach.app.sequences.entry import TAG, take_in
from outreach.app.sequences.work import load_work
from outreach.audience import segment
from outreach.campaigns import sequence_file
from outreach.campaigns import store as campaigns
from outreach.campaigns.definition import Definition
from outreach.campaigns.sequence import Enrol
from outreach.campaigns.state import STATES_ZH
from outreach.campaigns.store import CampaignError
from outreach.crm import greetings
from outreach.crm.enrolment import store as enrolments
from outreach.crm.enrolment.state import BY_HAND, EnrolmentState
from outreach.db import stops
from outreach.model import CampaignState, Company, Contact, EmailAddress, Mailbox, User
from outreach.model.base import table

CONTACTS, COMPANIES, MAILBOXES, USERS = table(Contact), table(Company), table(Mailbox), table(User)
ADDRESSES = table(EmailAddress)
E = enrolments.E
#: People enrolled by one command or press.
MOST_BY_HAND = 5_000


async def create(app: App, raw: dict[str, Any], actor: Actor, now: datetime, source: str = "sequence") -> int:
    """Store a sequence (or a remembered date) as a draft; returns its id. Raises DefinitionError, CampaignError."""
    return await use.create(app, completed(sequence_file.from_dict(raw, source=source)), actor, now)


def completed(what: Definition) -> Definition:
    """Add what an approval has to cover and the file does not say: the words of greetings. Raises CampaignError."""
    rules = what.occasion
    if rules is None:
        return what
    unknown = sorted(set(rules.holidays) - set(greetings.greetable()))
    if unknown:
        raise CampaignError(
            f"no holiday {unknown[0]!r} may be greeted; there are: {', '.join(greetings.greetable())}",
            f"没有可问候的节日 “{unknown[0]}”；现有：{'、'.join(greetings.greetable())}",
        )
    words = {**greetings.words_for(rules.kind, rules.holidays), **rules.words}
    return what.model_copy(update={"occasion": rules.model_copy(update={"words": words})})


async def edit(app: App, campaign_id: int, raw: dict[str, Any], actor: Actor, now: datetime) -> None:
    """Change a sequence: every approval is void, and who is in it waits until it is approved again.

    A running one is paused first. Steps keep their numbers, so nobody gets one twice; people whose next step is gone
    go on with the one that came after it.
    """
    row = await app.campaigns.one(campaign_id)
    before = Definition.model_validate(row.definition)
    what = completed(sequence_file.from_dict(raw, source=row.name, before=before))
    if what.kind != row.kind:
        raise CampaignError(
            "a sequence cannot become a remembered date, nor the other way round: make a new one",
            "序列不能改成节日关怀，反之亦然：请新建一个",
        )
    if row.state == CampaignState.RUNNING:
        await use.pause(app, campaign_id, actor, now, "edited")
    await use.edit(app, campaign_id, what, actor, now)
    if before.sequence and what.sequence:
        async with app.db.write() as conn:
            await _rearrange(conn, campaign_id, before, what, now)
            if row.started_at is not None:
                await _mark_carriers(conn, campaign_id, before.sequence.enrol, what.sequence.enrol, now)


async def _rearrange(
    conn: AsyncConnection, campaign_id: int, before: Definition, what: Definition, now: datetime
) -> None:
    """Point people whose next step was taken out at the next one that is still there."""
    assert before.sequence is not None
    assert what.sequence is not None
    kept = {step.number for step in what.sequence.steps}
    old = [step.number for step in before.sequence.steps]
    for place, number in enumerate(old):
        if number in kept:
            continue
        following = next((later for later in old[place + 1 :] if later in kept), None)
        mine = (E.campaign_id == campaign_id) & (E.step == number) & enrolments.IS_OPEN
        await conn.execute(update(enrolments.ENROLMENTS).where(mine).values(step=following))


async def _mark_carriers(conn: AsyncConnection, campaign_id: int, before: Enrol, rules: Enrol, now: datetime) -> None:
    """Keep out who carries a tag that the sequence did not wait for until now, as a first submission would."""
    new = [trigger for trigger in rules.on if trigger.startswith(TAG) and trigger not in before.on]
    if rules.existing or not new:
        return
    carriers = list(await conn.scalars(there_already(rules.model_copy(update={"on": new}), now)))
    await campaigns.add_recipients(conn, campaign_id, [before_row(campaign_id, carrier) for carrier in carriers])


# -- people ------------------------------------------------------------------------------------------------------------


async def enrol(app: App, campaign_id: int, contact_ids: Sequence[int], actor: Actor, now: datetime) -> dict[str, Any]:
    """Put people into a running sequence; returns {"enrolled": [ids], "refused": {id: reason}}."""
    if not actor.operator:
        require(actor, Permission.CAMPAIGNS_SEND)
    if len(contact_ids) > MOST_BY_HAND:
        raise CampaignError(
            f"at most {MOST_BY_HAND} people at once: enrol them by the sequence's segment",
            f"一次最多 {MOST_BY_HAND} 人：人数多时请用序列的客户分群加入",
        )
    async with app.db.write() as conn:
        await stops.hold(conn)
        row = await _running(conn, campaign_id)
        await _may_touch(conn, contact_ids, actor)
        work = await load_work(app, conn, row, now)
        taken, refused = await take_in(conn, work, sorted(set(contact_ids)), via="hand", by=actor.id)
        after = {"enrolled": taken, "refused": len(refused)}
        await append_audit(conn, actor, "sequence.enrolled", "campaign", campaign_id, now=now, after=after)
    return {"enrolled": taken, "refused": refused}


async def _running(conn: AsyncConnection, campaign_id: int) -> Row[Any]:
    row = await campaigns.get(conn, campaign_id)
    if row.kind != "sequence":
        raise CampaignError(
            f"{row.name!r} is no sequence: nobody can be enrolled in it", f"“{row.name}” 不是序列，无法加入联系人"
        )
    if row.state != CampaignState.RUNNING:
        raise CampaignError(
            f"the sequence is {row.state}: it takes people in once it is approved and started",
            f"序列{STATES_ZH[CampaignState(row.state)]}：批准并开始后才能加入联系人",
        )
    return row


async def _may_touch(conn: AsyncConnection, contact_ids: Sequence[int], actor: Actor) -> None:
    """Object rules: people enrol, pause and stop whom they may change."""
    if actor.operator:
        return
    owner = func.coalesce(CONTACTS.c.owner_id, COMPANIES.c.owner_id).label("owner_id")
    query = select(owner, USERS.c.team).select_from(
        CONTACTS.outerjoin(COMPANIES, COMPANIES.c.id == CONTACTS.c.company_id).outerjoin(USERS, USERS.c.id == owner)
    )
    for held in (await conn.execute(query.where(CONTACTS.c.id.in_(contact_ids)).distinct())).all():
        require(actor, Permission.CONTACTS_EDIT, Held(held.owner_id, held.team))


async def by_expression(app: App, expression: str, now: datetime) -> list[int]:
    """The contacts of a segment expression. Raises SegmentError."""
    tree = segment.parse(expression)
    async with app.db.read() as conn:
        return list(await conn.scalars(segment.select_ids(tree, now).order_by(CONTACTS.c.id).limit(MOST_BY_HAND + 1)))


async def by_address(app: App, addresses: Sequence[str]) -> list[int]:
    """The contacts that have these addresses. Raises LookupError naming one that nobody has."""
    wanted = [address.strip().lower() for address in addresses]
    async with app.db.read() as conn:
        query = select(ADDRESSES.c.normal, ADDRESSES.c.contact_id).where(ADDRESSES.c.normal.in_(wanted))
        found = {row.normal: row.contact_id for row in await conn.execute(query)}
    missing = [address for address in wanted if address not in found]
    if missing:
        raise LookupError(f"nobody has the address {missing[0]}")
    return [found[address] for address in wanted]


async def pause_person(
    app: App, campaign_id: int, contact_id: int, actor: Actor, now: datetime, until: datetime | None = None
) -> None:
    """Hold one person's steps, until a day or until somebody resumes. Raises CampaignError, IllegalMove."""
    async with app.db.write() as conn:
        row = await _person(conn, campaign_id, contact_id, actor)
        await enrolments.pause(conn, row, until, now)
        after = {"contact_id": contact_id, "until": until.isoformat() if until else None}
        await append_audit(conn, actor, "sequence.person_paused", "campaign", campaign_id, now=now, after=after)


async def resume_person(app: App, campaign_id: int, contact_id: int, actor: Actor, now: datetime) -> None:
    """Let one person's steps go on. A stop by hand can be taken back in the same way."""
    async with app.db.write() as conn:
        row = await _person(conn, campaign_id, contact_id, actor)
        if row.state == EnrolmentState.STOPPED:
            await _reopen(conn, row, now)
        else:
            await enrolments.resume(conn, row, now)
        after = {"contact_id": contact_id}
        await append_audit(conn, actor, "sequence.person_resumed", "campaign", campaign_id, now=now, after=after)


async def _reopen(conn: AsyncConnection, row: Row[Any], now: datetime) -> None:
    if row.reason != BY_HAND:
        raise CampaignError(
            f"the sequence ended for this person by itself ({row.reason}): that is not taken back",
            f"序列已自行对此人结束（{row.reason}），不能撤回",
        )
    elsewhere = select(E.id).where(E.contact_id == row.contact_id, enrolments.IS_OPEN)
    if await conn.scalar(elsewhere) is not None:
        raise CampaignError(
            "the person is in another sequence by now: one at a time",
            "此人现已在另一个序列中：同一时间只能在一个序列里",
        )
    await enrolments.move(conn, row, "reopen", reason=None, ended_at=None, due_at=now, task_id=None)


async def stop_person(app: App, campaign_id: int, contact_id: int, actor: Actor, now: datetime) -> None:
    """End the sequence for one person; what waits in the outbox never leaves."""
    async with app.db.write() as conn:
        row = await _person(conn, campaign_id, contact_id, actor)
        if not await enrolments.stop(conn, E.id == row.id, BY_HAND, now):
            raise CampaignError(f"the person is {row.state} already", f"此人在序列中的状态已是 {row.state}，无需再操作")
        after = {"contact_id": contact_id}
        await append_audit(conn, actor, "sequence.person_stopped", "campaign", campaign_id, now=now, after=after)


async def _person(conn: AsyncConnection, campaign_id: int, contact_id: int, actor: Actor) -> Row[Any]:
    await _may_touch(conn, [contact_id], actor)
    row = await enrolments.one(conn, campaign_id, contact_id)
    if row is None:
        raise CampaignError("this person is not in the sequence", "此人不在这个序列中")
    return row


# -- looking -----------------------------------------------------------------------------------------------------------


async def status(app: App, campaign_id: int) -> dict[str, Any]:
    """The campaign's status, with who stands where and why people were stopped."""
    found = await use.status(app, campaign_id)
    async with app.db.read() as conn:
        people = await enrolments.counts(conn, campaign_id)
        stopped = await enrolments.reasons(conn, campaign_id)
    return {**found, "people": people, "stopped": stopped}


async def people(app: App, campaign_id: int, *, limit: int = 1_000) -> list[dict[str, Any]]:
    """Who is or was in it: state, reason, next step and when."""
    query = (
        select(
            E.contact_id, ADDRESSES.c.address, E.state, E.reason, E.via, E.step, E.due_at, E.paused_until,
            E.enrolled_at, E.ended_at, MAILBOXES.c.name.label("mailbox"),
        )
        .join(MAILBOXES, MAILBOXES.c.id == E.mailbox_id)
        .outerjoin(ADDRESSES, (ADDRESSES.c.contact_id == E.contact_id) & ADDRESSES.c.is_primary.is_(True))
        .where(E.campaign_id == campaign_id)
        .order_by(E.id)
        .limit(limit)
    )  # fmt: skip
    async with app.db.read() as conn:
        return [dict(row._mapping) for row in await conn.execute(query)]
