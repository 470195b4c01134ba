"""What a forecast of the end begins with: who waits in which mailbox, and what each mailbox may do now."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, func, literal, null, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app.build import App
from outreach.app.by_hand import sent_by_hand
from outreach.campaigns import variants
from outreach.campaigns.definition import Definition
from outreach.campaigns.plan import hours_for
from outreach.config import MailboxSettings
from outreach.model import Campaign, MailboxState, Message, MessageState
from outreach.model.base import table
from outreach.model.types import UtcDateTime
from outreach.outbox.claims.store import MAY_LEAVE
from outreach.sending.forecast import Sender, Waiting, after_sample, forecast
from outreach.sending.loading.worker import load
from outreach.sending.throttle import DomainPace

CAMPAIGNS, MESSAGES = table(Campaign), table(Message)
M = MESSAGES.c
#: What may still leave.
WAITS = tuple(
    state.value
    for state in (MessageState.QUEUED, MessageState.CLAIMED, MessageState.HANDING_OVER, MessageState.DEFERRED)
)
#: So many recipient domains are walked by themselves, the largest first: beyond, each is a few messages.
MOST_DOMAINS = 200


@dataclass(frozen=True)
class Paces:
    """The mailboxes as their next runs would find them, by id, and what recipients' domains had in the last minute."""

    senders: dict[int, Sender]
    domains: DomainPace


async def paces(app: App, mailbox_ids: Collection[int], now: datetime, *, paused_too: bool = False) -> Paces:
    """Load what a run would load. paused_too: as if somebody resumed the paused ones now."""
    boxes = _known(app)
    domains = DomainPace(0)
    found: dict[int, Sender] = {}
    for number in sorted(set(mailbox_ids) & set(boxes)):
        setup = await app.setup(boxes[number])
        loaded = await load(app.outbox, setup, now, partial(sent_by_hand, app.db))
        domains = loaded.domains
        if loaded.row.state == MailboxState.ACTIVE or paused_too:
            rests = loaded.row.paused_until
            found[number] = Sender(
                loaded.pace,
                loaded.connections,
                rests if rests and rests > now else None,
                setup.quota.mailboxes if setup.quota.windows else (),
            )
    return Paces(found, domains)


def in_company(app: App, mailbox_ids: Collection[int]) -> set[int]:
    """These mailboxes, and those that share a quota with one of them."""
    wanted, boxes = set(mailbox_ids), _known(app)
    shared = {_domain(box) for number, box in boxes.items() if number in wanted} - {None}
    return wanted | {number for number, box in boxes.items() if _domain(box) in shared}


def _known(app: App) -> dict[int, MailboxSettings]:
    """The configured mailboxes by id; one that was configured after the program started has none yet."""
    named = ((app.mailbox_ids.get(box.name), box) for box in app.settings.mailbox)
    return {number: box for number, box in named if number is not None}


def _domain(box: MailboxSettings) -> str | None:
    return box.domain if box.quota_scope == "domain" else None


async def waiting(
    app: App,
    conn: AsyncConnection,
    mailbox_ids: Collection[int],
    now: datetime,
    *,
    own: int | None = None,
    which: ColumnElement[bool] = true(),
    only: bool = False,
    but: int | None = None,
) -> list[Waiting]:
    """Return what waits in these mailboxes: of the campaign `own`, whatever its state, and of those that send now.

    which: of `own` only these. only: nothing of others. but: a campaign to leave out.
    """
    planned = M.state == MessageState.PLANNED.value
    mine = and_(M.campaign_id == own, which) if own is not None else false()
    others = false() if only else MAY_LEAVE & M.campaign_id.not_in([n for n in (own, but) if n is not None]) & ~planned
    here = M.mailbox_id.in_(mailbox_ids) & M.state.in_((*WAITS, MessageState.PLANNED.value))
    busy = await _busy_domains(app, conn, here)
    wanted = (
        select(
            M.mailbox_id,
            M.campaign_id,
            M.country,
            M.tz,
            case((M.due_at > now, M.due_at), else_=literal(now, UtcDateTime())).label("due"),
            (case((M.domain.in_(busy), M.domain)) if busy else null()).label("domain"),
        )
        .join_from(MESSAGES, CAMPAIGNS, CAMPAIGNS.c.id == M.campaign_id)
        .where(here, mine | others)
        .subquery()
    )
    rows = (await conn.execute(select(*wanted.c, func.count().label("number")).group_by(*wanted.c))).all()
    texts = await _definitions(conn, {row.campaign_id for row in rows})
    office = app.settings.sender.timezone
    hours = {
        key: _hours(texts[key[0]], key[1], key[2], office) for key in {(r.campaign_id, r.country, r.tz) for r in rows}
    }
    return [
        Waiting(r.mailbox_id, r.due, r.number, hours[r.campaign_id, r.country, r.tz], r.domain, r.campaign_id == own)
        for r in rows
    ]


async def _busy_domains(app: App, conn: AsyncConnection, here: ColumnElement[bool]) -> list[str]:
    """The recipient domains with more messages than their share of a minute."""
    share = app.settings.limits.per_domain_per_minute
    if not share:
        return []
    number = func.count()
    # as an expression: by the index on domains SQLite would look at every mail ever sent
    domain = func.coalesce(M.domain, "")
    query = select(domain).where(here).group_by(domain).having(number > share)
    return list(await conn.scalars(query.order_by(number.desc()).limit(MOST_DOMAINS)))


def by_domain(groups: Counter[Waiting], share: int) -> list[Waiting]:
    """Put together what may leave together: domains that have no more than their share of a minute do not matter."""
    sizes: Counter[str | None] = Counter()
    for group, number in groups.items():
        sizes[group.domain] += number
    largest = {name for name, number in sizes.most_common(MOST_DOMAINS) if share and number > share}
    put: Counter[Waiting] = Counter()
    for g, number in groups.items():
        domain = g.domain if g.domain in largest else None
        put[Waiting(g.mailbox_id, g.due, 1, g.hours, domain, g.own)] += number
    return [Waiting(g.mailbox_id, g.due, number, g.hours, g.domain, g.own) for g, number in put.items()]


async def _definitions(conn: AsyncConnection, ids: Collection[int]) -> dict[int, Definition | None]:
    rows = await conn.execute(select(CAMPAIGNS.c.id, CAMPAIGNS.c.definition).where(CAMPAIGNS.c.id.in_(ids)))
    return {row.id: Definition.model_validate(row.definition) if row.definition else None for row in rows}


def _hours(what: Definition | None, country: str | None, zone: str | None, office: str) -> Any:
    """The hours in which a run would let these leave (Engine.next_open), None: at any."""
    if what is None or what.schedule.hours is None:
        return None
    return hours_for(what, country, zone, office)


def wait_after_first(what: Definition) -> float | None:
    """Seconds for which the rest of a campaign waits once its pilot, or the arms of its test, have left; None: it does
    not.
    """
    if what.pilot:
        return what.pilot.wait_hours * 3_600.0
    return variants.rules_of(what).wait_hours * 3_600.0 if what.variant else None


async def ends(app: App, row: Any, mailbox_ids: Collection[int], now: datetime) -> dict[int, datetime]:
    """Return when each mailbox has sent what waits of a campaign; one that has nothing, or may not, is not in it."""
    boxes = in_company(app, mailbox_ids)
    what = Definition.model_validate(row.definition) if row.definition else None
    open_pilot = what is not None and what.pilot is not None and not row.pilot_released
    open_test = what is not None and what.pilot is None and bool(what.variant) and not row.test_verdict
    until = row.pilot_until if open_pilot else row.test_until if open_test else None
    first = M.is_pilot.is_(True) if open_pilot else M.state != MessageState.PLANNED.value
    rest: list[Waiting] = []
    async with app.db.read() as conn:
        groups = await waiting(app, conn, boxes, now, own=row.id, which=first)
        if open_pilot or open_test:
            rest = await waiting(app, conn, boxes, now, own=row.id, which=~first, only=True)
    may = await paces(app, boxes, now)
    if until is not None or not rest:
        everything = [*groups, *(replace(group, due=max(group.due, until or now)) for group in rest)]
        return await asyncio.to_thread(forecast, everything, may.senders, may.domains, now)
    wait = wait_after_first(what) if what else None
    return await asyncio.to_thread(after_sample, rest, groups, may.senders, may.domains, now, wait or 0.0)
