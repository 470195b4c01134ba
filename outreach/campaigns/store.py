"""Campaigns in the database: definition, frozen audience, approvals, state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.campaigns import definition as definitions
from outreach.campaigns.approval import is_complete, roles_to_give
from outreach.campaigns.definition import Definition
from outreach.campaigns.refusal import CHANGED_MEANWHILE, CHANGED_SINCE, CHANGED_SINCE_SEEN, InTwo
from outreach.campaigns.state import advance
from outreach.db.session import Database
from outreach.model import (
    Approval,
    Campaign,
    CampaignRecipient,
    CampaignState,
    CampaignStep,
    Link,
    Role,
    TemplateVersion,
)
from outreach.model.base import table

CAMPAIGNS = table(Campaign)
RECIPIENTS = table(CampaignRecipient)
STEPS = table(CampaignStep)
APPROVALS = table(Approval)
LINKS = table(Link)
VERSIONS = table(TemplateVersion)

#: Rows of a frozen audience that are read or written at once: memory stays flat for a million.
CHUNK = 5_000


class CampaignError(InTwo):
    """What was asked for cannot be done now; the text says why and what to do."""


@dataclass(frozen=True)
class StepContent:
    """A step's content: template version and its digest, with a subject of its own or none."""

    number: int
    version_id: int
    sha256: str
    after_days: float = 0
    only_if: str | None = None
    same_thread: bool = True


async def get(conn: AsyncConnection, campaign_id: int) -> Row[Any]:
    """Return the campaign's row. Raises CampaignError if there is none."""
    row = (await conn.execute(select(CAMPAIGNS).where(CAMPAIGNS.c.id == campaign_id))).one_or_none()
    if row is None:
        raise CampaignError(
            f"there is no campaign {campaign_id}: see  outreach campaigns list",
            f"没有编号为 {campaign_id} 的活动，请在活动列表中查看",
        )
    return row


async def steps_of(conn: AsyncConnection, campaign_id: int) -> list[StepContent]:
    """Return the steps in order, with the digest of what each will say."""
    rows = await conn.execute(
        select(STEPS, VERSIONS.c.sha256)
        .join(VERSIONS, VERSIONS.c.id == STEPS.c.template_version_id)
        .where(STEPS.c.campaign_id == campaign_id)
        .order_by(STEPS.c.number)
    )
    return [
        StepContent(r.number, r.template_version_id, r.sha256, r.after_days, r.only_if, r.same_thread) for r in rows
    ]


async def insert_campaign(
    conn: AsyncConnection,
    what: Definition,
    steps: Sequence[StepContent],
    *,
    now: datetime,
    actor: Actor | None,
    owner_id: int | None,
) -> int:
    """Add a draft with its steps and return its id."""
    values = {**_columns(what), "owner_id": owner_id, "author_id": actor.id if actor else None, "created_at": now}
    result = await conn.execute(insert(CAMPAIGNS).values(state="draft", **values).returning(CAMPAIGNS.c.id))
    campaign_id = int(result.scalar_one())
    await _write_steps(conn, campaign_id, steps)
    await append_audit(conn, actor, "campaign.created", "campaign", campaign_id, now=now)
    return campaign_id


async def replace_definition(
    conn: AsyncConnection,
    campaign_id: int,
    what: Definition,
    steps: Sequence[StepContent],
    *,
    now: datetime,
    actor: Actor | None,
) -> None:
    """Edit a campaign: it is a draft again and every approval is void (A4)."""
    row = await get(conn, campaign_id)
    state = row.state if row.state == CampaignState.DRAFT else advance(row.state, "edit")
    cleared = {"state": state, "submitted_hash": None, "approved_hash": None, "approved_at": None}
    author = {"author_id": actor.id} if actor and actor.id is not None else {}
    await conn.execute(
        update(CAMPAIGNS).where(CAMPAIGNS.c.id == campaign_id).values(**_columns(what), **cleared, **author)
    )
    await conn.execute(delete(STEPS).where(STEPS.c.campaign_id == campaign_id))
    await _write_steps(conn, campaign_id, steps)
    await void_approvals(conn, campaign_id, now)
    await append_audit(conn, actor, "campaign.edited", "campaign", campaign_id, now=now)


def _columns(what: Definition) -> dict[str, Any]:
    budget = what.budget
    return {
        "name": what.name,
        "kind": what.kind,
        "goal": what.goal,
        "segment": what.segment,
        "definition": definitions.to_dict(what),
        "budget_amount": budget.amount if budget else None,
        "budget_currency": budget.currency if budget else None,
        "start_at": what.schedule.start,
    }


async def _write_steps(conn: AsyncConnection, campaign_id: int, steps: Sequence[StepContent]) -> None:
    rows = [
        {
            "campaign_id": campaign_id,
            "number": step.number,
            "template_version_id": step.version_id,
            "after_days": step.after_days,
            "only_if": step.only_if,
            "same_thread": step.same_thread,
        }
        for step in steps
    ]
    await conn.execute(insert(STEPS), rows)


async def void_approvals(conn: AsyncConnection, campaign_id: int, now: datetime) -> int:
    """Take back every approval of the campaign that still counts; returns how many."""
    result = await conn.execute(
        update(APPROVALS)
        .where(APPROVALS.c.campaign_id == campaign_id, APPROVALS.c.voided_at.is_(None))
        .values(voided_at=now)
    )
    return int(result.rowcount)


async def freeze_recipients(conn: AsyncConnection, campaign_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the audience as it is now in place of an earlier one."""
    await conn.execute(delete(RECIPIENTS).where(RECIPIENTS.c.campaign_id == campaign_id))
    for start in range(0, len(rows), CHUNK):
        await conn.execute(insert(RECIPIENTS), list(rows[start : start + CHUNK]))


async def add_recipients(conn: AsyncConnection, campaign_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows to the frozen audience; who stands in it already stays as they are."""
    known = set(await conn.scalars(select(RECIPIENTS.c.contact_id).where(RECIPIENTS.c.campaign_id == campaign_id)))
    new = [row for row in rows if row["contact_id"] not in known]
    for start in range(0, len(new), CHUNK):
        await conn.execute(insert(RECIPIENTS), new[start : start + CHUNK])


async def mark_submitted(
    conn: AsyncConnection, campaign_id: int, digest: str, now: datetime, actor: Actor | None
) -> None:
    """Put a draft before its reviewers, bound to the fingerprint that they will approve."""
    row = await get(conn, campaign_id)
    await _to(conn, row, "submit", submitted_hash=digest, submitted_at=now, approved_hash=None)
    await void_approvals(conn, campaign_id, now)
    # the whole definition is on record, so that reviewers can be shown what changed since the last time
    versions = [[step.number, step.version_id] for step in await steps_of(conn, campaign_id)]
    after = {"hash": digest, "definition": row.definition, "steps": versions}
    await append_audit(conn, actor, "campaign.submitted", "campaign", campaign_id, now=now, after=after)


async def add_approval(
    conn: AsyncConnection,
    campaign_id: int,
    actor: Actor,
    required: Sequence[Role],
    digest: str,
    *,
    comment: str | None,
    now: datetime,
    seen: str | None = None,
) -> str:
    """Record this person's approval of exactly `digest`; returns the new state. `seen`: what the person looked at.

    Raises ApprovalRefused (who may not), CampaignError (changed since it was submitted or seen, or not in review).
    """
    row = await get(conn, campaign_id)
    if row.state != CampaignState.REVIEW:
        advance(row.state, "approve")
    if seen is not None and seen != row.submitted_hash:
        raise CampaignError(*CHANGED_SINCE_SEEN)
    if digest != row.submitted_hash:
        raise CampaignError(*CHANGED_SINCE)
    given = await approved_roles(conn, campaign_id, digest)
    roles = roles_to_give(actor, required, given, row.author_id)
    entry = {"campaign_id": campaign_id, "user_id": actor.id, "decision": "approve", "hash": digest, "at": now}
    await conn.execute(insert(APPROVALS), [{**entry, "role": role.value, "comment": comment} for role in roles])
    after = {"roles": [role.value for role in roles], "hash": digest}
    await append_audit(conn, actor, "campaign.approved", "campaign", campaign_id, now=now, after=after)
    if is_complete(required, [*given, *roles]):
        return await _to(conn, row, "approve", approved_hash=digest, approved_at=now)
    return str(row.state)


async def add_rejection(
    conn: AsyncConnection, campaign_id: int, actor: Actor, *, comment: str | None, now: datetime
) -> str:
    """Send the campaign back to its author with a comment; every approval is void."""
    row = await get(conn, campaign_id)
    state = await _to(conn, row, "reject", submitted_hash=None, approved_hash=None)
    await void_approvals(conn, campaign_id, now)
    role = next((r.value for r in actor.roles), "operator")
    values = {"role": role, "user_id": actor.id, "decision": "reject", "hash": row.submitted_hash or ""}
    if actor.id is not None:
        await conn.execute(
            insert(APPROVALS).values(campaign_id=campaign_id, comment=comment, at=now, voided_at=now, **values)
        )
    await append_audit(conn, actor, "campaign.rejected", "campaign", campaign_id, now=now)
    return state


async def approved_roles(conn: AsyncConnection, campaign_id: int, digest: str) -> list[str]:
    """Return the roles whose approval of exactly this fingerprint still counts."""
    rows = await conn.execute(
        select(APPROVALS.c.role).where(
            APPROVALS.c.campaign_id == campaign_id,
            APPROVALS.c.hash == digest,
            APPROVALS.c.decision == "approve",
            APPROVALS.c.voided_at.is_(None),
        )
    )
    return [row.role for row in rows]


async def move(
    conn: AsyncConnection,
    campaign_id: int,
    action: str,
    *,
    now: datetime,
    actor: Actor | None = None,
    **values: Any,
) -> str:
    """Take the campaign one transition further and return the new state; on record in the audit trail."""
    row = await get(conn, campaign_id)
    state = await _to(conn, row, action, **values)
    change = {"before": {"state": row.state}, "after": {"state": state}}
    await append_audit(conn, actor, f"campaign.{action}", "campaign", campaign_id, now=now, **change)
    return state


async def _to(conn: AsyncConnection, row: Row[Any], action: str, **values: Any) -> str:
    """Guarded by the state that was read: two that act at once cannot both win."""
    state = advance(row.state, action).value
    result = await conn.execute(
        update(CAMPAIGNS).where(CAMPAIGNS.c.id == row.id, CAMPAIGNS.c.state == row.state).values(state=state, **values)
    )
    if result.rowcount != 1:
        raise CampaignError(*CHANGED_MEANWHILE)
    return state


async def pause(conn: AsyncConnection, campaign_id: int, reason: str, *, now: datetime, actor: Actor | None) -> str:
    """Pause a campaign that sends or waits; remembers from where."""
    row = await get(conn, campaign_id)
    return await move(conn, campaign_id, "pause", now=now, actor=actor, paused_reason=reason, paused_from=row.state)


async def resume(conn: AsyncConnection, campaign_id: int, *, now: datetime, actor: Actor | None) -> str:
    """Go on where the pause began."""
    row = await get(conn, campaign_id)
    if row.state != CampaignState.PAUSED:
        advance(row.state, "resume")
    origin = row.paused_from or CampaignState.RUNNING.value
    return await move(conn, campaign_id, f"resume_{origin}", now=now, actor=actor, paused_reason=None, paused_from=None)


async def in_states(conn: AsyncConnection, states: Sequence[CampaignState]) -> Sequence[Row[Any]]:
    """Return the campaigns in any of these states, oldest first."""
    wanted = [state.value for state in states]
    query = select(CAMPAIGNS).where(CAMPAIGNS.c.state.in_(wanted)).order_by(CAMPAIGNS.c.id)
    return (await conn.execute(query)).all()


async def add_links(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store where tracked links lead, once for campaign, step, language and number."""
    for row in rows:
        known = await conn.scalar(
            select(LINKS.c.id).where(
                LINKS.c.campaign_id == row["campaign_id"],
                LINKS.c.step == row["step"],
                LINKS.c.language == row["language"],
                LINKS.c.number == row["number"],
            )
        )
        if known is None:
            await conn.execute(insert(LINKS).values(**row))


async def counts_by_skip(conn: AsyncConnection, campaign_id: int) -> dict[str | None, int]:
    """Return how many of the frozen audience are recipients (key None) or left out, by reason."""
    rows = await conn.execute(
        select(RECIPIENTS.c.skip_reason, func.count())
        .where(RECIPIENTS.c.campaign_id == campaign_id)
        .group_by(RECIPIENTS.c.skip_reason)
    )
    return {row[0]: row[1] for row in rows}


class CampaignStore:
    """Listings for screens and commands."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def one(self, campaign_id: int) -> Row[Any]:
        """Return a campaign's row. Raises CampaignError if there is none."""
        async with self.db.read() as conn:
            return await get(conn, campaign_id)

    async def all(self, *, limit: int = 200, offset: int = 0) -> Sequence[Row[Any]]:
        """Return campaigns, newest first."""
        query = select(CAMPAIGNS).order_by(CAMPAIGNS.c.id.desc()).limit(limit).offset(offset)
        async with self.db.read() as conn:
            return (await conn.execute(query)).all()

    async def approvals(self, campaign_id: int) -> Sequence[Row[Any]]:
        """Return every word of approvers on the campaign, oldest first, void ones too."""
        query = select(APPROVALS).where(APPROVALS.c.campaign_id == campaign_id).order_by(APPROVALS.c.id)
        async with self.db.read() as conn:
            return (await conn.execute(query)).all()
