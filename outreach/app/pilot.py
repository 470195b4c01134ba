"""The pilot: the approved mail to the team first, then a share of the audience, and what came of it.

The team's mails stand outside the outbox, so that no figure counts them. They carry the approved words for a person of
the sample, are marked as a test, and their links work without counting. As in the outbox `handing_over` is committed
before a mail is offered, and what was in hand when a process died is in doubt and never sent again by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app.build import App
from outreach.app.post import Posted, post
from outreach.audience.regions import time_zone
from outreach.campaigns import store as campaigns
from outreach.campaigns.definition import Definition
from outreach.campaigns.variants import content_step, variant_named
from outreach.config import ConfigError, MailboxSettings
from outreach.content.problem import ContentProblem
from outreach.content.store import version_source
from outreach.content.template import choose_language
from outreach.db import instance
from outreach.model import (
    Campaign,
    CampaignRecipient,
    CampaignState,
    Contact,
    EmailAddress,
    Message,
    MessageState,
    PilotMail,
)
from outreach.model.base import table
from outreach.outbox import store as outbox
from outreach.outbox.message import Claimed
from outreach.outbox.state import TERMINAL
from outreach.outbox.store import make_uid
from outreach.tracking.tokens import TEST_IDS

CAMPAIGNS, MESSAGES, MAILS = table(Campaign), table(Message), table(PilotMail)
RECIPIENTS, CONTACTS, ADDRESSES = table(CampaignRecipient), table(Contact), table(EmailAddress)

#: A pilot with worse figures than these is not released by itself (reliability.md: sending rules).
PILOT_BOUNCES, PILOT_COMPLAINTS = 0.05, 0.001
#: Worth a look before the rest goes: twice what lists that were asked usually lose, and every tenth refused.
PILOT_UNSUBSCRIBED, PILOT_FAILED = 0.02, 0.1
#: Two bounces of a small sample are bad luck.
LUCK = 2
#: A colleague's mail is tried so often, a few minutes apart: then somebody has to look at the mailbox anyway.
MOST_TRIES, RETRY = 5, timedelta(minutes=5)
#: What was in hand for so long was left behind by a process that died (sending one takes a minute at most).
LEFT_BEHIND = timedelta(minutes=15)


# -- the team ----------------------------------------------------------------------------------------------------------


async def mail_team(app: App, campaign_id: int, now: datetime) -> int:
    """Send what the team has not got yet; returns how many mails were accepted."""
    row = await app.campaigns.one(campaign_id)
    what = Definition.model_validate(row.definition)
    if row.state != CampaignState.PILOT or row.confirm_needed or not what.pilot or not what.pilot.team:
        return 0
    if await instance.held(app.db):
        return 0
    await _plan(app, row, what, now)
    async with app.db.read() as conn:
        due = (
            await conn.execute(
                select(MAILS)
                .where(MAILS.c.campaign_id == campaign_id, MAILS.c.hash == row.approved_hash)
                .where(MAILS.c.state == "queued", MAILS.c.due_at <= now)
                .order_by(MAILS.c.id)
            )
        ).all()
    sent = 0
    for mail in due:
        sent += await _send(app, row, what, mail, now)
    return sent


async def _plan(app: App, row: Any, what: Definition, now: datetime) -> None:
    """One row for each of the team and each variant; and what a dead process left in hand is in doubt."""
    assert what.pilot is not None
    async with app.db.read() as conn:
        query = select(MAILS.c.address, MAILS.c.variant, MAILS.c.state, MAILS.c.due_at)
        mine = MAILS.c.campaign_id == row.id, MAILS.c.hash == row.approved_hash
        known = {(r.address, r.variant): r for r in await conn.execute(query.where(*mine))}
    wanted = [(address, name) for name in _names(what) for address in dict.fromkeys(what.pilot.team)]
    new = [key for key in wanted if key not in known]
    lost = any(r.state == "handing_over" and r.due_at < now - LEFT_BEHIND for r in known.values())
    if not new and not lost:
        return
    async with app.db.write() as conn:
        doubt = {"state": "in_doubt", "text": "the program ended while the mail was in hand"}
        old = MAILS.c.state == "handing_over", MAILS.c.due_at < now - LEFT_BEHIND
        await conn.execute(update(MAILS).where(*mine, *old).values(**doubt))
        again = {(r.address, r.variant) for r in await conn.execute(query.where(*mine))}
        base = {"campaign_id": row.id, "hash": row.approved_hash, "state": "queued", "attempts": 0, "due_at": now}
        for address, name in (key for key in new if key not in again):
            domain = _box(app, what, name).domain
            values = base | {"address": address, "variant": name, "message_id": f"{make_uid()}@{domain}"}
            await conn.execute(insert(MAILS).values(**values, links={}))


def _names(what: Definition) -> list[str]:
    return [variant.name for variant in what.variant] or [""]


def _box(app: App, what: Definition, variant: str) -> MailboxSettings:
    chosen = variant_named(what, variant)
    return app.settings.mailbox_named((chosen and chosen.mailbox) or what.mailboxes[0])


async def _send(app: App, row: Any, what: Definition, mail: Any, now: datetime) -> bool:
    try:
        data, links = await _compose(app, row, what, mail, now)
        app.server(_box(app, what, mail.variant))  # its secret can be read
    except (ConfigError, ContentProblem) as error:
        await _settle(app, mail, Posted("refused", f"5 {error}"), now)
        return False
    if not await _take(app, row, mail, links, now):
        return False
    posted = await post(app, _box(app, what, mail.variant), [mail.address], data, now)
    await _settle(app, mail, posted, now)
    return posted.outcome == "sent"


async def _take(app: App, row: Any, mail: Any, links: dict[str, str], now: datetime) -> bool:
    """Claim the mail for this process, if the pilot still runs with what was approved; durable before it is offered."""
    async with app.db.write() as conn:
        current = await campaigns.get(conn, row.id)
        if current.state != CampaignState.PILOT or current.approved_hash != mail.hash:
            return False
        free = MAILS.c.id == mail.id, MAILS.c.state == "queued"
        taken = {"state": "handing_over", "attempts": MAILS.c.attempts + 1, "due_at": now, "links": links}
        return (await conn.execute(update(MAILS).where(*free).values(**taken))).rowcount == 1


async def _settle(app: App, mail: Any, posted: Posted, now: datetime) -> None:
    for_good = posted.text.startswith("5") or mail.attempts + 1 >= MOST_TRIES
    state = {"sent": "sent", "in_doubt": "in_doubt"}.get(posted.outcome, "failed" if for_good else "queued")
    values: dict[str, Any] = {"state": state, "text": posted.text[:500]}
    if state == "sent":
        values["sent_at"] = now
    if state == "queued":
        values["due_at"] = now + RETRY
    async with app.db.write() as conn:
        await conn.execute(update(MAILS).where(MAILS.c.id == mail.id).values(**values))


async def _compose(app: App, row: Any, what: Definition, mail: Any, now: datetime) -> tuple[bytes, dict[str, str]]:
    """The approved mail as a person of the sample gets it, addressed to the colleague."""
    box = _box(app, what, mail.variant)
    composer = app.composer(box)
    async with app.db.read() as conn:
        claimed = await _as_for(conn, row, what, mail, now)
    await composer.prepare([claimed])
    letter = composer.compose_test(claimed, f"TEST 试发 · {row.name}", mail.address)
    async with app.db.write() as conn:
        here = MAILS.c.id == mail.id
        await conn.execute(update(MAILS).where(here).values(language=claimed.language))
    return letter.data, {str(number): url for number, url in letter.dynamic_links}


async def _as_for(conn: AsyncConnection, row: Any, what: Definition, mail: Any, now: datetime) -> Claimed:
    person = await _sample_person(conn, row.id, mail.variant or None)
    steps = {step.number: step for step in await campaigns.steps_of(conn, row.id)}
    step = steps[content_step(what.variant, 0, mail.variant or None)]
    source = await version_source(conn, step.version_id)
    return Claimed(
        id=TEST_IDS + mail.id, uid=mail.message_id.partition("@")[0], message_id=mail.message_id, campaign_id=row.id,
        step=0, contact_id=person.contact_id, company_id=person.company_id, address=person.address, address_key="",
        domain=person.address.rpartition("@")[2], mailbox_id=0,
        language=choose_language(source, person.language, person.country), variant=mail.variant or None, is_pilot=True,
        country=person.country, tz=time_zone(person.country, person.city) if person.country else None, due_at=now,
        attempts=0, composed_at=now.replace(microsecond=0), first_attempt_at=None, approved_hash=row.approved_hash,
    )  # fmt: skip


async def _sample_person(conn: AsyncConnection, campaign_id: int, variant: str | None) -> Any:
    """Whose name stands in the team's mail: somebody of the sample who gets this variant, else of the audience."""
    right = case((RECIPIENTS.c.variant.is_not_distinct_from(variant), 0), else_=1)
    query = (
        select(
            RECIPIENTS.c.contact_id,
            RECIPIENTS.c.address,
            CONTACTS.c.company_id,
            CONTACTS.c.country,
            CONTACTS.c.city,
            CONTACTS.c.language,
        )
        .join(CONTACTS, CONTACTS.c.id == RECIPIENTS.c.contact_id)
        .where(RECIPIENTS.c.campaign_id == campaign_id, RECIPIENTS.c.skip_reason.is_(None))
        .order_by(right, RECIPIENTS.c.is_pilot.desc(), RECIPIENTS.c.contact_id)
    )
    return (await conn.execute(query.limit(1))).one()


# -- what came of it ---------------------------------------------------------------------------------------------------

M = MESSAGES.c


async def results(conn: AsyncConnection, row: Any) -> dict[str, Any] | None:
    """What `campaigns pilot` and the pilot's page show; None for a campaign without a pilot."""
    what = Definition.model_validate(row.definition)
    if what.pilot is None:
        return None
    figures = await counts(conn, row.id)
    harm = harm_of(figures)
    return {
        "team": await _team(conn, row),
        "sample": figures,
        "until": row.pilot_until,
        "released": row.pilot_released,
        "harm": harm,
        "recommendation": advice(figures, harm, what, row.pilot_released),
    }


async def _team(conn: AsyncConnection, row: Any) -> Sequence[dict[str, Any]]:
    columns = (MAILS.c.address, MAILS.c.variant, MAILS.c.state, MAILS.c.sent_at, MAILS.c.text)
    mine = MAILS.c.campaign_id == row.id, MAILS.c.hash == (row.approved_hash or "")
    return [dict(r._mapping) for r in await conn.execute(select(*columns).where(*mine).order_by(MAILS.c.id))]


async def counts(conn: AsyncConnection, campaign_id: int) -> dict[str, int]:
    """The sample's figures."""
    sample = (M.campaign_id == campaign_id, M.step == 0, M.is_pilot.is_(True))
    states = select(M.state, func.count()).where(*sample).group_by(M.state)
    by = {row[0]: int(row[1]) for row in await conn.execute(states)}
    found = {
        "planned": sum(number for state, number in by.items() if state not in ("skipped", "cancelled")),
        "waiting": sum(number for state, number in by.items() if MessageState(state) not in TERMINAL),
        **{state: by.get(state, 0) for state in ("sent", "failed", "in_doubt")},
    }
    for columns, where in ((READ, outbox.WAS_READ), (BACK, outbox.CAME_BACK)):
        sums = (func.count(column).label(name) for name, column in columns.items())
        row = (await conn.execute(select(*sums).where(*sample, where))).one()
        found |= {name: int(value) for name, value in row._mapping.items()}
    lost = select(func.count()).where(*sample, outbox.CAME_BACK, M.bounced_at.is_not(None), M.sent_at.is_not(None))
    found["delivered"] = found["sent"] - int(await conn.scalar(lost) or 0)
    return found


#: Figure → its column; each group stands in an index of its own (model/message.py).
READ = {"opened": M.first_open_at, "opened_machine": M.machine_open_at, "clicked": M.first_click_at}
BACK = {
    "bounced": M.bounced_at,
    "replied": M.replied_at,
    "unsubscribed": M.unsubscribed_at,
    "complained": M.complained_at,
}


def harm_of(figures: dict[str, int]) -> str | None:
    """Why the rest is not released by itself, None if nothing speaks against it."""
    sent = figures["sent"]
    if figures["bounced"] > max(LUCK, sent * PILOT_BOUNCES):
        return f"{figures['bounced']} of {sent} bounced"
    if figures["complained"] > max(0, sent * PILOT_COMPLAINTS):
        return f"{figures['complained']} of {sent} complained"
    return None


def advice(figures: dict[str, int], harm: str | None, what: Definition, released: bool) -> str:
    """Return a code for what to do: released, wait, stop, look or release (words: web/words.py, cli/results.py)."""
    if released:
        return "released"
    if harm:
        return "stop"
    if figures["waiting"] or not figures["sent"]:
        return "wait"
    if figures["unsubscribed"] * 50 > figures["sent"] or (
        figures["failed"] > LUCK and figures["failed"] * 10 > figures["sent"]
    ):
        return "look"
    return "release"
