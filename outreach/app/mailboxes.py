"""The mailboxes of the configuration as rows, and as what sending needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app.oauth import TokenSource
from outreach.config import MailboxSettings, Settings
from outreach.content.gates import Gate
from outreach.model import Mailbox, User
from outreach.model.base import table
from outreach.outbox.message import Quota
from outreach.sending.client import Server
from outreach.sending.setup import MailboxSetup
from outreach.sending.throttle import Limits

MAILBOXES, USERS = table(Mailbox), table(User)


async def sync_mailboxes(conn: AsyncConnection, boxes: Sequence[MailboxSettings], now: datetime) -> dict[str, int]:
    """Give every mailbox of the configuration its row; the name is the key. Returns name → id.

    One that is gone from the configuration keeps its row and history and is disabled.
    """
    known = {row.name: row for row in await conn.execute(select(MAILBOXES))}
    owners = {row.name: row.id for row in await conn.execute(select(USERS.c.name, USERS.c.id))}
    ids: dict[str, int] = {}
    for box in boxes:
        values = {
            "address": box.address,
            "domain": box.domain,
            "provider": box.provider,
            "owner_id": owners.get(box.owner or ""),
        }
        ids[box.name] = await _one(conn, box.name, values, known, now)
    await _disable_missing(conn, known, ids)
    return ids


async def _one(
    conn: AsyncConnection, name: str, values: Mapping[str, object], known: Mapping[str, object], now: datetime
) -> int:
    row = known.get(name)
    if row is None:
        statement = insert(MAILBOXES).values(name=name, created_at=now, **values).returning(MAILBOXES.c.id)
        return int((await conn.execute(statement)).scalar_one())
    changed = {key: value for key, value in values.items() if getattr(row, key) != value}
    if getattr(row, "state", "") == "disabled" and getattr(row, "paused_reason", "") == "not_configured":
        changed |= {"state": "active", "paused_reason": None}
    if changed:
        await conn.execute(update(MAILBOXES).where(MAILBOXES.c.name == name).values(**changed))
    return int(row.id)  # type: ignore[attr-defined]


async def _disable_missing(conn: AsyncConnection, known: Mapping[str, object], ids: Mapping[str, int]) -> None:
    gone = [name for name in known if name not in ids]
    if gone:
        await conn.execute(
            update(MAILBOXES)
            .where(MAILBOXES.c.name.in_(gone), MAILBOXES.c.state != "disabled")
            .values(state="disabled", paused_reason="not_configured")
        )


def server_of(box: MailboxSettings, tokens: TokenSource | None) -> Server:
    """How to reach and enter the mailbox's SMTP server. Raises ConfigError when a secret is missing."""
    return Server(
        host=box.smtp.host,
        port=box.smtp.port,
        tls=box.smtp.tls,
        user=box.user,
        password=box.password.read() if box.password and box.user else None,
        token=tokens.token if tokens else None,
    )


def setup_of(
    box: MailboxSettings,
    ids: Mapping[str, int],
    settings: Settings,
    created: datetime | None = None,
    own_gates: tuple[Gate, ...] | None = None,
) -> MailboxSetup:
    """What a run of the mailbox is told. `created`: when the row was made, the first day of a warm-up."""
    limits = Limits(box.limits.per_minute, box.limits.per_hour, box.limits.per_day, box.limits.min_gap_seconds)
    return MailboxSetup(
        mailbox_id=ids[box.name],
        name=box.name,
        sender=box.address,
        connections=box.connections,
        limits=limits,
        provider=box.provider,
        quota=replace(_quota(box, ids, settings), gates=own_gates),
        warmup_from=created if box.warmup else None,
        lease_seconds=settings.sending.lease_seconds,
    )


def _quota(box: MailboxSettings, ids: Mapping[str, int], settings: Settings) -> Quota:
    """What the mailbox shares with others: its provider's quota for a domain, the recipients, and their domains."""
    limits = settings.limits
    shared = Quota(
        domain_per_minute=limits.per_domain_per_minute,
        per_contact_mails=(limits.per_contact.mails, limits.per_contact.days),
        per_company_mails=(limits.per_company.mails, limits.per_company.days),
        one_voice=limits.per_company.days if settings.sequences.one_voice else 0,
    )
    if box.quota_scope != "domain":
        return shared
    same = tuple(ids[other.name] for other in settings.mailbox if other.domain == box.domain)
    own = box.limits
    return replace(shared, mailboxes=same, per_minute=own.per_minute, per_hour=own.per_hour, per_day=own.per_day)
