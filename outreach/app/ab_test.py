"""A/B tests at work: the figures of the arms, the verdict when its time has come, the rest of the audience."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app.build import App
from outreach.campaigns import plan, variants
from outreach.campaigns.calendar import next_open
from outreach.campaigns.definition import Definition, Test, Variant
from outreach.campaigns.store import CampaignError
from outreach.campaigns.variants import Arm, Judgement
from outreach.config import Settings
from outreach.content.problem import Both, ContentProblem
from outreach.crm.store import apply_task
from outreach.events.kinds import CreateTask
from outreach.model import Campaign, Mailbox, Message, MessageState
from outreach.model.base import table
from outreach.model.task_titles import both
from outreach.outbox import store as outbox

CAMPAIGNS, MESSAGES, MAILBOXES = table(Campaign), table(Message), table(Mailbox)
M = MESSAGES.c

#: What a metric counts: the first time that a person did it, and the index that holds it. Machines are marked in other
#: columns.
METRICS: dict[str, tuple[Any, Any]] = {
    "click": (M.first_click_at, outbox.WAS_READ),
    "reply": (M.replied_at, outbox.CAME_BACK),
    "open": (M.first_open_at, outbox.WAS_READ),
}
#: Arms that have not left yet. Deferred and doubtful ones may take days: the test does not wait for them.
ON_THE_WAY = (MessageState.QUEUED.value, MessageState.CLAIMED.value, MessageState.HANDING_OVER.value)
#: The company's own figures come from its latest mails, so that an estimate is one short look.
LATEST = 20_000
#: With fewer mails than these a share of clicks says little (2% of 500 are ten people).
ENOUGH = 500


async def arms(conn: AsyncConnection, campaign_id: int, what: Definition) -> list[Arm]:
    """Return the figures of the variants, in the order of the file. Bounced mails reached nobody and do not count."""
    mine = (M.campaign_id == campaign_id, M.step == 0, M.variant.is_not(None), _tried())
    left = await _by_variant(conn, *mine, M.sent_at.is_not(None))
    sent = M.state == MessageState.SENT  # says the same as sent_at, and leads to no index of all that were sent
    bounced = await _by_variant(conn, *mine, sent, outbox.CAME_BACK, M.bounced_at.is_not(None))
    hit, among = METRICS[variants.rules_of(what).metric]
    hits = await _by_variant(conn, *mine, sent, among, hit.is_not(None), M.bounced_at.is_(None))
    names = [variant.name for variant in what.variant]
    return [Arm(name, left.get(name, 0) - bounced.get(name, 0), hits.get(name, 0)) for name in names]


async def _by_variant(conn: AsyncConnection, *which: Any) -> dict[str, int]:
    query = select(M.variant, func.count()).where(*which).group_by(M.variant)
    return {row[0]: row[1] for row in await conn.execute(query)}


def _tried() -> Any:
    """Only who tried a variant: the rest got the winner after it was known, and proves nothing about it."""
    released = select(CAMPAIGNS.c.test_released_at).where(CAMPAIGNS.c.id == M.campaign_id).scalar_subquery()
    return func.coalesce(M.sent_at < released, True)


async def base_rate(conn: AsyncConnection, metric: str) -> tuple[float, bool]:
    """The share of mails that lead to what a test counts, and whether it comes from the company's own mails."""
    latest = select(M.id, METRICS[metric][0].label("hit")).where(M.sent_at.is_not(None), M.step == 0)
    lately = latest.order_by(M.id.desc()).limit(LATEST).subquery()
    row = (await conn.execute(select(func.count(), func.count(lately.c.hit)).select_from(lately))).one()
    if row[0] < ENOUGH or not row[1]:
        return variants.ASSUMED[metric], False
    return row[1] / row[0], True


async def advance(app: App, conn: AsyncConnection, row: Any, what: Definition, now: datetime) -> int:
    """Judge a test whose arms have left and whose time is over, once; returns how many of the rest may go now."""
    if not what.variant or row.test_verdict or await _on_the_way(conn, row.id):
        return 0
    rules = variants.rules_of(what)
    if row.test_until is None:
        await _set(conn, row.id, test_until=now + timedelta(hours=rules.wait_hours))
        if rules.wait_hours:
            return 0
    elif row.test_until > now:
        return 0
    found = variants.judge(await arms(conn, row.id, what), rules.minimum)
    await _set(conn, row.id, test_verdict=as_dict(found) | {"at": now.isoformat(), "metric": rules.metric})
    chosen = _by_itself(what, found)
    waiting = await rest(conn, row.id)
    if chosen is None or not waiting:
        if waiting:
            await _tell(conn, row, found, now)
        return 0
    return await _release(app, conn, row.id, what, chosen, now)


def _by_itself(what: Definition, found: Judgement) -> str | None:
    """The variant that the rest gets without being asked for; None: a person decides."""
    rules = variants.rules_of(what)
    if found.winner is not None:
        return found.winner if rules.release == "winner" else None
    return what.variant[0].name if rules.otherwise == "first" else None


async def _on_the_way(conn: AsyncConnection, campaign_id: int) -> bool:
    query = select(M.id).where(
        M.campaign_id == campaign_id, M.state.in_(ON_THE_WAY), M.step == 0, M.variant.is_not(None)
    )
    return (await conn.execute(query.limit(1))).first() is not None


async def rest(conn: AsyncConnection, campaign_id: int) -> int:
    """How many wait for the test's result."""
    where = and_(M.campaign_id == campaign_id, M.state == MessageState.PLANNED)
    return int(await conn.scalar(select(func.count()).select_from(MESSAGES).where(where)) or 0)


async def _tell(conn: AsyncConnection, campaign: Any, found: Judgement, now: datetime) -> None:
    """Somebody has to choose: a task of the campaign's owner."""
    owner = campaign.owner_id if campaign.owner_id is not None else campaign.author_id
    title = f"{both('variant')}: {campaign.name}"
    data = {"campaign_id": campaign.id, "outcome": found.outcome}
    await apply_task(conn, CreateTask("variant", title, None, None, owner, "next_working_day", data=data), None, now)


async def choose(app: App, conn: AsyncConnection, row: Any, name: str, now: datetime) -> int:
    """Send one variant to the rest, whatever the test says; returns how many. Raises CampaignError."""
    what = Definition.model_validate(row.definition)
    if variants.variant_named(what, name) is None:
        raise CampaignError(
            f"there is no variant {name!r}; there are: {', '.join(v.name for v in what.variant) or '–'}",
            f"没有版本 “{name}”；现有：{'、'.join(v.name for v in what.variant) or '–'}",
        )
    if not await rest(conn, row.id):
        raise CampaignError(
            "nobody waits for a test of this campaign: its rest has gone, or it has none",
            "没有人在等这个活动的测试结果：其余部分已发出，或没有其余部分",
        )
    if not row.test_verdict:
        found = variants.judge(await arms(conn, row.id, what), variants.rules_of(what).minimum)
        early = {"at": now.isoformat(), "metric": variants.rules_of(what).metric, "early": True}
        await _set(conn, row.id, test_verdict=as_dict(found) | early)
    return await _release(app, conn, row.id, what, name, now)


async def _release(
    app: App, conn: AsyncConnection, campaign_id: int, what: Definition, name: str, now: datetime
) -> int:
    chosen = variants.variant_named(what, name)
    assert chosen is not None
    box = await _mailbox(conn, chosen)
    domain = app.settings.mailbox_named(chosen.mailbox).domain if chosen.mailbox else None
    count = 0
    if chosen.hour is not None:
        await _move_to_hour(conn, app.settings, campaign_id, what, chosen.hour, now)
    count = await outbox.queue_planned(conn, campaign_id, variant=name, mailbox_id=box, mail_domain=domain)
    await _set(conn, campaign_id, test_variant=name, test_released_at=now)
    return count


async def _mailbox(conn: AsyncConnection, chosen: Variant) -> int | None:
    if chosen.mailbox is None:
        return None
    return int((await conn.execute(select(MAILBOXES.c.id).where(MAILBOXES.c.name == chosen.mailbox))).scalar_one())


async def _move_to_hour(
    conn: AsyncConnection, settings: Settings, campaign_id: int, what: Definition, hour: int, now: datetime
) -> None:
    """The rest leaves at the hour that won, each in the own time zone: as many statements as there are zones."""
    waiting = and_(M.campaign_id == campaign_id, M.state == MessageState.PLANNED)
    places = (await conn.execute(select(M.country, M.tz).where(waiting).distinct())).all()
    for place in places:
        hours = plan.hours_for(what, place.country, place.tz, settings.sender.timezone, hour)
        here = and_(waiting, M.country.is_not_distinct_from(place.country), M.tz.is_not_distinct_from(place.tz))
        await outbox.set_due(conn, here, next_open(now, hours))


async def _set(conn: AsyncConnection, campaign_id: int, **values: Any) -> None:
    await conn.execute(update(CAMPAIGNS).where(CAMPAIGNS.c.id == campaign_id).values(**values))


def as_dict(found: Judgement) -> dict[str, Any]:
    """The JSON of a verdict."""
    return {
        "outcome": found.outcome,
        "winner": found.winner,
        "p": None if found.p is None else round(found.p, 5),
        "arms": [arm_dict(arm) for arm in found.arms],
        "smallest_arm": found.smallest,
    }


def arm_dict(arm: Arm) -> dict[str, Any]:
    """The JSON of an arm."""
    low, high = arm.interval()
    return {
        "name": arm.name,
        "mails": arm.mails,
        "hits": arm.hits,
        "rate": round(arm.rate, 5),
        "from": round(low, 5),
        "to": round(high, 5),
    }


async def results(conn: AsyncConnection, row: Any) -> dict[str, Any] | None:
    """What `campaigns variants` and the campaign's page show; None for a campaign without variants."""
    what = Definition.model_validate(row.definition)
    if not what.variant:
        return None
    rules = variants.rules_of(what)
    found = variants.judge(await arms(conn, row.id, what), rules.minimum)
    base, own = await base_rate(conn, rules.metric)
    waiting = await rest(conn, row.id)
    return {
        "metric": rules.metric,
        "minimum": rules.minimum,
        "lift": rules.lift,
        "needed_per_arm": variants.needed_per_arm(base, rules.lift, len(what.variant)),
        "base_rate": base,
        "base_is_own": own,
        **as_dict(found),
        "verdict": row.test_verdict or None,
        "until": row.test_until,
        "waiting": waiting,
        "needs_person": bool(waiting and row.test_verdict and not row.test_variant),
        "released": row.test_variant,
        "released_at": row.test_released_at,
        "changes": {v.name: changes(v) for v in what.variant},
    }


def changes(variant: Variant) -> dict[str, Any]:
    """What a variant differs in."""
    return variant.model_dump(exclude={"name", "share"}, exclude_none=True)


async def sizes(conn: AsyncConnection, what: Definition, counts: dict[str, int]) -> dict[str, Any]:
    """For the preflight: how many an arm needs to show the wished lift, and how many it has."""
    rules = variants.rules_of(what)
    base, own = await base_rate(conn, rules.metric)
    needed = variants.needed_per_arm(base, rules.lift, len(what.variant))
    have = min((counts.get(variant.name, 0) for variant in what.variant), default=0)
    found = {
        "metric": rules.metric,
        "lift": rules.lift,
        "base_rate": base,
        "base_is_own": own,
        "minimum": rules.minimum,
    }
    return found | {"needed_per_arm": needed, "smallest_arm": have, "arms": counts}


async def wished_size(app: App, metric: str, lift: float, arms: int) -> dict[str, Any]:
    """How many people each of so many arms needs to show a rise of `lift` (0.3: by 30%), before there is a campaign."""
    async with app.db.read() as conn:
        base, own = await base_rate(conn, metric)
    return {"base_rate": base, "base_is_own": own, "needed_per_arm": variants.needed_per_arm(base, lift, arms)}


#: What a metric counts, in words.
COUNTED = {"click": Both("clicks", "点击率"), "reply": Both("replies", "回复率"), "open": Both("opens", "打开率")}
OWN = Both("your last mails", "贵公司最近的邮件")
ASSUMED = Both("assumed, until 500 mails of your own have left", "假定值，发满 500 封后改用实际数据")


def size_problems(found: dict[str, Any], rules: Test) -> Iterator[ContentProblem]:
    """The preflight's words about a test that cannot show what it is for."""
    needed, have = found["needed_per_arm"], found["smallest_arm"]
    if have >= needed:
        return
    none, least = Both("", ""), rules.minimum
    if have < least:
        none = Both(f" With fewer than {least} no winner is named at all.", f"少于 {least} 人时不会判定胜者。")
    yield ContentProblem(
        "test.small", needed=needed, have=have, lift=f"{found['lift']:.0%}", base=f"{found['base_rate']:.1%}",
        metric=COUNTED[found["metric"]], whose=OWN if found["base_is_own"] else ASSUMED, none=none,
    )  # fmt: skip
