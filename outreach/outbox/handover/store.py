"""One transaction: what became of messages, and which ones may leave now.

It is the only place that moves a message to `handing_over`, and it does so after reading, in the same transaction,
everything that could forbid it: suppression, campaign and its approval, the contact and the basis on which we write,
the caps for a person and a customer, the mailbox, shared quotas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Text, and_, bindparam, cast, false, func, insert, literal_column, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from outreach.content.gates import Gate, basis_refused
from outreach.db import stops
from outreach.db.hot import HotList, HotStatement
from outreach.model.enums import CampaignState, MessageState
from outreach.model.suppressed import is_suppressed
from outreach.model.types import UtcDateTime
from outreach.outbox.claims.store import MAY_LEAVE, holds
from outreach.outbox.limits.store import over_cap, over_limit
from outreach.outbox.message import NO_QUOTA, Claimed, Mark, Outcome, Quota, Refused
from outreach.outbox.state import TRANSITIONS, sources
from outreach.outbox.tables import attempt, campaign, contact, dynamic_link, mailbox, message, preference

#: How much of the server's words is kept: enough for every policy text seen, and bounded (an attempt is a row).
TEXT_KEPT = 500


def settle_and_mark(
    conn: Connection,
    mailbox_id: int,
    fence: int,
    now: datetime,
    outcomes: Sequence[Outcome],
    marks: Sequence[Mark],
    quota: Quota = NO_QUOTA,
    mailbox_values: Mapping[str, Any] | None = None,
    also: Callable[[Connection], None] | None = None,
) -> dict[int, Refused]:
    """Record `outcomes`, mark `marks` as handed over; return the marks that were refused, by message id.

    mailbox_values: what the outcomes mean for the mailbox, columns → values. also: what else they mean (roll-ups).

    A mark that is not in the answer is durable when the transaction commits: its body may leave.
    """
    if marks:
        stops.share(conn)
    settle(conn, mailbox_id, fence, outcomes)
    if also is not None:
        also(conn)
    if mailbox_values:
        own = and_(mailbox.c.id == mailbox_id, mailbox.c.lease_fence == fence)
        conn.execute(update(mailbox).where(own).values(**mailbox_values))
    if not marks:
        return {}
    return _mark_all(conn, mailbox_id, fence, now, marks, quota)


# -- outcomes ---------------------------------------------------------------------------------------------------------


def settle(conn: Connection, mailbox_id: int, fence: int, outcomes: Sequence[Outcome]) -> None:
    """Record what became of messages that this fence claimed. A row that somebody else has moved on stays as it is.

    The word of a worker that was given up on is still taken where the row is in doubt: it knows, nobody else does.
    """
    accepted = [o for o in outcomes if o.action == "accept"]
    if accepted:
        ACCEPT.execute_many(conn, [_accept_values(o, fence) for o in accepted])
    others = [o for o in outcomes if o.action != "accept"]
    for outcome in others:
        conn.execute(*_other(outcome, fence))
    told = [_attempt(o, mailbox_id) for o in others if o.counts or o.reply_code is not None]
    if told:
        conn.execute(insert(attempt), told)


ACCEPT = HotStatement(
    update(message)
    .where(
        message.c.id == bindparam("row", None),
        message.c.fence == bindparam("held", None),
        # spelled out: an IN list cannot be part of an executemany
        or_(*(message.c.state == state for state in sources("accept"))),
    )
    .values(
        state=MessageState.SENT,
        sent_at=bindparam("at", None),
        settled_at=bindparam("at", None),
        reply_code=bindparam("code", None),
        reply_text=bindparam("words", None),
        reason=None,
        attempts=message.c.attempts + 1,
    )
)


def _accept_values(outcome: Outcome, fence: int) -> dict[str, Any]:
    text = outcome.reply_text
    return {
        "row": outcome.id,
        "held": fence,
        "at": outcome.at,
        "code": outcome.reply_code,
        "words": text[:TEXT_KEPT] if text else text,
    }


def _other(outcome: Outcome, fence: int) -> tuple[Any, ...]:
    states = sources(outcome.action)
    own = and_(message.c.id == outcome.id, message.c.fence == fence, message.c.state.in_(states))
    target = TRANSITIONS[(states[0], outcome.action)]
    values: dict[str, Any] = {"state": target, "reason": outcome.reason, "settled_at": outcome.at}
    if outcome.reply_code is not None:
        values |= {"reply_code": outcome.reply_code, "reply_text": (outcome.reply_text or "")[:TEXT_KEPT]}
    if outcome.counts:
        values["attempts"] = message.c.attempts + 1
        values["first_attempt_at"] = func.coalesce(message.c.first_attempt_at, outcome.at)
    if outcome.due_at is not None:
        values["due_at"] = outcome.due_at
    if target in (MessageState.QUEUED, MessageState.DEFERRED):
        # the hand-over that failed stands in `attempt`; handed_at belongs to the one that counts
        values |= {"handed_at": None, "settled_at": None}
    return (update(message).where(own).values(values),)


def _attempt(outcome: Outcome, mailbox_id: int) -> dict[str, Any]:
    return {
        "message_id": outcome.id,
        "mailbox_id": mailbox_id,
        "at": outcome.at,
        "phase": outcome.phase,
        "code": outcome.reply_code,
        "text": (outcome.reply_text or outcome.reason or "")[:TEXT_KEPT],
        "outcome": outcome.action,
        "next_at": outcome.due_at,
    }


# -- marks ------------------------------------------------------------------------------------------------------------


def _mark_all(
    conn: Connection, mailbox_id: int, fence: int, now: datetime, marks: Sequence[Mark], quota: Quota
) -> dict[int, Refused]:
    if not holds(conn, mailbox_id, fence, now):
        refused = {m.message.id: Refused("release", "mailbox") for m in marks}
    else:
        refused, wishes = _judge_all(conn, fence, now, marks, quota.gates)
        refused |= over_limit(conn, quota, now, [m for m in marks if m.message.id not in refused], wishes)
    allowed = [m for m in marks if m.message.id not in refused]
    refused |= _hand_over(conn, fence, now, allowed)
    settle(conn, mailbox_id, fence, [_refusal(key, refusal, now) for key, refusal in refused.items()])
    return refused


def sift(
    conn: Connection, mailbox_id: int, fence: int, now: datetime, claimed: Sequence[Claimed], quota: Quota = NO_QUOTA
) -> list[Claimed]:
    """Settle what of a claim may not leave as things stand; return the rest.

    The hand-over asks all of it again. Asked here as well, whoever was suppressed since the plan, or has had enough,
    costs no session: after the server's 354 there is no way back but to hang up.
    """
    marks = [Mark(message) for message in claimed]
    refused, wishes = _judge_all(conn, fence, now, marks, quota.gates)
    refused |= over_cap(conn, quota, now, [m for m in marks if m.message.id not in refused], wishes)
    settle(conn, mailbox_id, fence, [_refusal(key, refusal, now) for key, refusal in refused.items()])
    return [message for message in claimed if message.id not in refused]


def _judge_all(
    conn: Connection, fence: int, now: datetime, marks: Sequence[Mark], gates: tuple[Gate, ...] | None
) -> tuple[dict[int, Refused], dict[int, int]]:
    """Return the marks that something forbids, by message id; and who wants only so many mails a month."""
    found = FACTS.execute(conn, [m.message.id for m in marks], {"now": now})
    facts = {row[0]: Facts._make(row) for row in found}
    judged = ((m.message.id, _judge(m, facts.get(m.message.id), fence, gates)) for m in marks)
    refused = {key: verdict for key, verdict in judged if verdict is not None}
    for m in marks:
        verdict = refused.get(m.message.id)
        if verdict is not None and verdict.reason == "contact paused":
            verdict.retry_at = _paused_until(conn, m.message.contact_id)
    asked = ((m.message.contact_id, facts[m.message.id].per_month) for m in marks if m.message.id in facts)
    return refused, {contact: mails for contact, mails in asked if mails is not None}


class Facts(NamedTuple):
    """What may forbid a hand-over, as it stands in this transaction."""

    id: int
    state: str
    fence: int | None
    campaign_state: str
    approved_hash: str | None
    may_leave: bool
    paused: bool
    left: bool
    erased: bool
    suppressed: bool
    country: str | None
    basis: str | None
    per_month: int | None
    topic_off: bool | None


#: Whether the recipient has switched the campaign's topic off. Compared as text: ``{"show": true}`` holds ``"show"``.
TOPIC_OFF = (
    select(
        cast(preference.c.topics_off, Text).like(
            literal_column("'%\"'") + campaign.c.definition["topic"].as_string() + literal_column("'\"%'")
        )
    )
    .where(preference.c.contact_id == message.c.contact_id)
    .scalar_subquery()
)

FACTS = HotList(
    lambda ids: (
        select(
            message.c.id,
            message.c.state,
            message.c.fence,
            campaign.c.state.label("campaign_state"),
            campaign.c.approved_hash,
            MAY_LEAVE.label("may_leave"),
            func.coalesce(contact.c.paused_until > bindparam("now", None, type_=UtcDateTime()), false()).label(
                "paused"
            ),
            contact.c.left_at.is_not(None).label("gone"),
            contact.c.erased_at.is_not(None).label("erased"),
            is_suppressed(message.c.address_key, message.c.domain).label("suppressed"),
            contact.c.country,
            contact.c.basis,
            select(preference.c.mails_per_month)
            .where(preference.c.contact_id == message.c.contact_id)
            .scalar_subquery()
            .label("per_month"),
            TOPIC_OFF.label("topic_off"),
        )
        .join_from(message, campaign, campaign.c.id == message.c.campaign_id)
        .join(contact, contact.c.id == message.c.contact_id)
        .where(message.c.id.in_(ids))
        # a pause or an edit that is being committed waits for us, or we for it
        .with_for_update(read=True, of=[campaign, contact])
    )
)


def _judge(mark: Mark, row: Facts | None, fence: int, gates: tuple[Gate, ...] | None) -> Refused | None:
    if row is None or row.state != MessageState.CLAIMED or row.fence != fence:
        return Refused("release", "gone")
    if row.campaign_state == CampaignState.CANCELLED:
        return Refused("cancel", "campaign cancelled")
    if not row.may_leave:
        return Refused("release", "campaign stopped")
    if row.approved_hash != mark.message.approved_hash:
        return Refused("release", "approval void")
    if row.suppressed:
        return Refused("skip", "suppressed")
    if row.left or row.erased:
        return Refused("skip", "left" if row.left else "erased")
    if row.topic_off:
        return Refused("skip", "topic_off")
    rule = basis_refused(row.country, row.basis, gates)
    if rule is not None:
        return Refused("skip", f"gate:{rule}")
    return Refused("release", "contact paused") if row.paused else None


def _paused_until(conn: Connection, contact_id: int) -> datetime | None:
    until: datetime | None = conn.scalar(select(contact.c.paused_until).where(contact.c.id == contact_id))
    return until


def _hand_over(conn: Connection, fence: int, now: datetime, marks: Sequence[Mark]) -> dict[int, Refused]:
    if not marks:
        return {}
    links = [{"message_id": m.message.id, "number": n, "url": url} for m in marks for n, url in m.links]
    if links:
        conn.execute(_insert_new(conn, dynamic_link), links)
    ids = [m.message.id for m in marks]
    taken = {row[0] for row in HAND_OVER.execute(conn, ids, {"held": fence, "at": now})}
    return {key: Refused("release", "gone") for key in ids if key not in taken}


HAND_OVER = HotList(
    lambda ids: (
        update(message)
        .where(
            message.c.id.in_(ids),
            message.c.fence == bindparam("held", None),
            message.c.state == MessageState.CLAIMED,
        )
        .values(state=MessageState.HANDING_OVER, handed_at=bindparam("at", None))
        .returning(message.c.id)
    )
)


def _insert_new(conn: Connection, table: Any) -> Any:
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing()


def _refusal(key: int, refused: Refused, now: datetime) -> Outcome:
    return Outcome(key, refused.action, now, refused.reason, refused.retry_at, phase="ready", counts=False)
