"""What people do with campaigns: each a use case across stages, the same for CLI, web and API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import OPERATOR, Actor, Held, Permission, require
from outreach.access.store import append_audit
from outreach.app import ab_test, pilot
from outreach.app.build import App
from outreach.app.planning import plan_messages
from outreach.app.preflight import Preflight as Preflight  # a use case of campaigns too
from outreach.app.preflight import preflight as preflight
from outreach.campaigns import store as campaigns
from outreach.campaigns.definition import VARIANT_STEP, Definition
from outreach.campaigns.fingerprint.store import fingerprint
from outreach.campaigns.state import STATES_ZH
from outreach.campaigns.store import CampaignError, StepContent
from outreach.campaigns.variants import smallest_lift as smallest_lift  # the pages ask it of this module
from outreach.content.problem import ContentProblem
from outreach.content.store import snapshot
from outreach.crm.enrolment import store as enrolments
from outreach.db import stops
from outreach.model import Campaign, CampaignRecipient, CampaignState, User
from outreach.model.base import table
from outreach.outbox import store as outbox

CAMPAIGNS, RECIPIENTS, USERS = table(Campaign), table(CampaignRecipient), table(User)


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
        await outbox.take_back(conn, campaign_id)


async def _check_names(app: App, what: Definition, now: datetime) -> None:
    for name in what.mailboxes:
        app.settings.mailbox_named(name)
    for variant in what.variant:
        if variant.mailbox and variant.mailbox not in what.mailboxes:
            raise CampaignError(
                f"variant {variant.name} sends from {variant.mailbox}, which is not in mailboxes",
                f"版本 {variant.name} 用邮箱 {variant.mailbox} 发送，但它不在 mailboxes 中",
            )
    _check_topic(app, what)
    if what.segment:
        await app.audience.count(what.segment, now)


def _check_topic(app: App, what: Definition) -> None:
    """A topic that nobody can choose would leave nobody out."""
    known = [topic.key for topic in app.topics]
    if what.topic is not None and what.topic not in known:
        raise CampaignError(
            f"there is no topic {what.topic!r}; there are: {', '.join(known)} ([[topic]] in config.toml)",
            f"没有主题 “{what.topic}”；现有：{'、'.join(known)}（见 config.toml 中的 [[topic]]）",
        )


async def _owner_id(conn: AsyncConnection, name: str | None) -> int | None:
    if name is None:
        return None
    found = await conn.scalar(select(USERS.c.id).where(USERS.c.name == name))
    if found is None:
        raise CampaignError(
            f"owner {name!r} is not a user: add one with  outreach users add {name} --role salesperson",
            f"负责人 “{name}” 不是系统用户：请先添加该用户，例如  outreach users add {name} --role salesperson",
        )
    return int(found)


async def _snapshot_steps(
    app: App, conn: AsyncConnection, what: Definition, actor: Actor, now: datetime
) -> list[StepContent]:
    async def one(number: int, name: str, **more: Any) -> StepContent:
        version, digest = await snapshot(conn, app.template(name), now, author_id=actor.id)
        return StepContent(number, version, digest, **more)

    if what.sequence:
        mails = [step for step in what.sequence.steps if step.template]
        return [await one(mail.number, mail.template or "", after_days=int(mail.after_days)) for mail in mails]
    steps = [await one(0, what.template)]
    for number, step in enumerate(what.step, 1):
        more = {"after_days": step.after_days, "only_if": step.only_if, "same_thread": step.same_thread}
        steps.append(await one(number, step.template, **more))
    for number, variant in enumerate(what.variant):
        if variant.template:
            steps.append(await one(VARIANT_STEP + number, variant.template))
    return steps


# -- review ------------------------------------------------------------------------------------------------------------


def limits_in_force(app: App) -> dict[str, Any]:
    """The caps that an approval covers."""
    return app.settings.limits.model_dump(mode="json")


async def submit(app: App, campaign_id: int, actor: Actor, now: datetime, *, lang: str = "en") -> str:
    """Freeze audience and content and put the campaign before its reviewers.

    Raises CampaignError, with the preflight's findings in `lang`, when it cannot.
    """
    await _may(app, campaign_id, actor, Permission.CAMPAIGNS_EDIT)
    found = await preflight(app, campaign_id, now, keep_rows=True, lang=lang)
    if found.blocking:
        lines = "\n".join(f"  - {_cited(problem)}" for problem in found.blocking)
        first = "预检发现以下问题，须先解决：" if lang == "zh" else "the preflight found what must be mended first:"
        raise CampaignError(f"{first}\n{lines}")
    async with app.db.write() as conn:
        await campaigns.freeze_recipients(conn, campaign_id, found.rows)
        digest = await fingerprint(conn, campaign_id, limits_in_force(app))
        await campaigns.mark_submitted(conn, campaign_id, digest, now, actor)
    return CampaignState.REVIEW.value


def _cited(problem: dict[str, Any]) -> str:
    place = ":".join(str(problem[key]) for key in ("file", "line", "column") if problem.get(key))
    fix = f" → {problem['fix']}" if problem.get("fix") else ""
    return f"{place + ': ' if place else ''}{problem['message']}{fix} [{problem['code']}]"


async def approve(
    app: App, campaign_id: int, actor: Actor, now: datetime, comment: str | None = None, *, seen: str | None = None
) -> str:
    """Give this person's approval to exactly what stands in the database now; returns the new state.

    `seen`: the fingerprint of the version that the person looked at; another one is refused (CampaignError).
    """
    async with app.db.write() as conn:
        digest = await fingerprint(conn, campaign_id, limits_in_force(app))
        return await campaigns.add_approval(
            conn, campaign_id, actor, app.settings.approval.roles, digest, comment=comment, now=now, seen=seen
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
            await plan_messages(app, conn, campaign_id, now)
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
    changed = CampaignError(
        "the campaign was changed after it was approved: its approvals are void; submit it again",
        "活动批准后又有改动：原批准已失效，请重新提交",
    )
    try:
        row = await campaigns.get(conn, campaign_id)
        if row.approved_hash is None:
            raise CampaignError(
                "the campaign is not approved: submit it, then have it approved",
                "活动尚未批准：请先提交审核，再请人批准",
            )
        digest = await fingerprint(conn, campaign_id, limits_in_force(app))
    except (ContentProblem, ValueError) as problem:  # what is stored is not what it was, or cannot even be read
        raise changed from problem
    if digest != row.approved_hash:
        raise changed


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
        await enrolments.stop(conn, enrolments.E.campaign_id == campaign_id, "cancelled", now)
        return state


async def _may(app: App, campaign_id: int, actor: Actor, permission: Permission) -> None:
    if actor is OPERATOR or actor.operator:
        return
    row = await app.campaigns.one(campaign_id)
    require(actor, permission, Held(row.owner_id if row.owner_id is not None else row.author_id, actor.team))


# -- looking -----------------------------------------------------------------------------------------------------------


async def status(app: App, campaign_id: int) -> dict[str, Any]:
    """Return the contract's status: state, and counts of the rows by what became of them."""
    async with app.db.read() as conn:
        row = await campaigns.get(conn, campaign_id)
        found = await outbox.counts(conn, campaign_id)
        left_out = await campaigns.counts_by_skip(conn, campaign_id)
        test = await ab_test.results(conn, row)
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
        **({"test": test} if test else {}),
        **({"hash": row.submitted_hash} if row.submitted_hash else {}),
    }


async def variant_results(app: App, campaign_id: int) -> dict[str, Any]:
    """Return how the variants of a campaign compare. Raises CampaignError when it has none."""
    async with app.db.read() as conn:
        row = await campaigns.get(conn, campaign_id)
        found = await ab_test.results(conn, row)
    if found is None:
        raise CampaignError(
            "this campaign has no variants: a campaign file with two to five [[variant]] compares them",
            "这个活动没有版本：在活动文件中写二到五个 [[variant]] 即可比较",
        )
    return {"id": campaign_id, "state": row.state, **found}


async def results(conn: AsyncConnection, row: Any) -> dict[str, Any]:
    """What a campaign's page shows of its pilot and its A/B test; None for what it has not got."""
    begun = row.started_at is not None
    return {
        "pilot": await pilot.results(conn, row) if begun else None,
        "test": await ab_test.results(conn, row) if begun else None,
    }


async def release_variant(app: App, campaign_id: int, actor: Actor, now: datetime, *, variant: str) -> int:
    """Send one approved variant to everybody who waits for the test; returns how many. Raises CampaignError."""
    await _may(app, campaign_id, actor, Permission.CAMPAIGNS_SEND)
    async with app.db.write() as conn:
        await demand_approval(app, conn, campaign_id)
        row = await campaigns.get(conn, campaign_id)
        if row.state not in (CampaignState.RUNNING, CampaignState.PAUSED):
            raise CampaignError(
                f"the campaign is {row.state}: the rest can be released while it is running",
                f"活动{STATES_ZH[CampaignState(row.state)]}：只有运行中的活动才能放行其余部分",
            )
        count = await ab_test.choose(app, conn, row, variant, now)
        after = {"variant": variant, "people": count}
        await append_audit(conn, actor, "campaign.variant_released", "campaign", campaign_id, now=now, after=after)
        return count


async def pilot_results(app: App, campaign_id: int) -> dict[str, Any]:
    """Return what came of a pilot: the team's mails, the sample's figures, the advice. Raises CampaignError."""
    async with app.db.read() as conn:
        row = await campaigns.get(conn, campaign_id)
        found = await pilot.results(conn, row)
    if found is None:
        raise CampaignError(
            "the campaign file has no [pilot]: add one (share, wait_hours, team), or use start",
            "活动文件没有 [pilot]：请加上（share、wait_hours、team），或直接开始发送",
        )
    return {"id": campaign_id, "state": row.state, **found}


async def begin_pilot(app: App, campaign_id: int, actor: Actor, now: datetime) -> str:
    """Send to the pilot's share now, whatever the schedule says. Raises CampaignError without a [pilot]."""
    row = await app.campaigns.one(campaign_id)
    if Definition.model_validate(row.definition).pilot is None:
        raise CampaignError(
            "the campaign file has no [pilot]: add one (share, wait_hours), or use start",
            "活动文件没有 [pilot]：请加上（share、wait_hours），或直接开始发送",
        )
    await _may(app, campaign_id, actor, Permission.CAMPAIGNS_SEND)
    async with app.db.write() as conn:
        await demand_approval(app, conn, campaign_id)
        await plan_messages(app, conn, campaign_id, now)
        return await campaigns.move(conn, campaign_id, "pilot", now=now, actor=actor, started_at=now)
