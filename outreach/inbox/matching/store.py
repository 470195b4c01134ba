"""Look-ups in the outbox and among the customers, for match.py to judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.audience.dedupe import company_domain
from outreach.inbox.match import NOTHING, Known, Match, Writer, prove, referred_ids, settle
from outreach.inbox.summary import Summary
from outreach.inbox.verdict import Kind, Verdict
from outreach.model import Company, Contact, EmailAddress, Message
from outreach.model.base import table
from outreach.model.keys import normalise_address
from outreach.model.merged.store import whole

MESSAGES, CONTACTS, ADDRESSES, COMPANIES = table(Message), table(Contact), table(EmailAddress), table(Company)

#: Who writes within this time after our mail, without quoting it, probably answers it.
ANSWERED_WITHIN = timedelta(days=60)
#: Message-IDs looked up for one mail; a long thread's References hold more, the newest count.
MOST_IDS = 50

TokenReader = Callable[[str], int | None]


class Matcher:
    """`own`: our mailboxes' addresses, normalised. `read_token`: a signed token → the message's id, None if forged."""

    def __init__(self, own: frozenset[str], read_token: TokenReader) -> None:
        self.own, self.read_token = own, read_token

    async def match(self, conn: AsyncConnection, verdict: Verdict, summary: Summary, now: datetime) -> Match:
        """Return what the mail belongs to, and who wrote it."""
        proven = prove(verdict, await self._proofs(conn, verdict, summary))
        writer = await self._writer(conn, summary)
        if proven.message is None:
            found = await self._by_sender(conn, verdict, summary, now)
            proven = settle(verdict, NOTHING, lambda: found)
        return proven.written_by(writer)

    async def _writer(self, conn: AsyncConnection, summary: Summary) -> Writer | None:
        address = summary.from_address
        if not address or normalise_address(address) in self.own:
            return None
        row = await _contact_of(conn, address)
        if row is not None:
            return Writer(address, summary.from_name, row.id, row.company_id)
        company = await _company_of(conn, address)
        return Writer(address, summary.from_name, None, company)

    async def _proofs(self, conn: AsyncConnection, verdict: Verdict, summary: Summary) -> list[tuple[str, Known]]:
        ids = referred_ids(verdict, summary)[:MOST_IDS]
        proofs: list[tuple[str, Known]] = []
        if ids:
            found = {k.rfc_id: k for k in await _known(conn, MESSAGES.c.message_id.in_(ids))}
            proofs += [("message_id", found[i]) for i in ids if i in found]
        uids = list(verdict.own_uids)[:MOST_IDS]
        if uids:
            proofs += [("header", k) for k in await _known(conn, MESSAGES.c.uid.in_(uids))]
        numbers = [n for n in (self.read_token(token) for token in summary.tokens) if n is not None]
        if numbers:
            proofs += [("token", k) for k in await _known(conn, MESSAGES.c.id.in_(numbers))]
        return proofs

    async def _by_sender(self, conn: AsyncConnection, verdict: Verdict, summary: Summary, now: datetime) -> Match:
        who = verdict.recipients[0] if verdict.kind is Kind.BOUNCE and verdict.recipients else summary.from_address
        if not who or normalise_address(who) in self.own:
            return NOTHING
        found = await _contact_of(conn, who)
        if found is not None:
            message = await _last_to(conn, MESSAGES.c.contact_id == found.id, now)
            return Match(message, found.id, found.company_id, "address", effective=True)
        company = await _company_of(conn, who)
        message = await _last_to(conn, MESSAGES.c.company_id == company, now) if company is not None else None
        if message is None:
            return Match(None, None, company, "company" if company is not None else None)
        return Match(message, message.contact_id, company, "company", effective=True)


async def _known(conn: AsyncConnection, condition: Any) -> list[Known]:
    rows = await conn.execute(select(*KNOWN).where(condition).limit(MOST_IDS))
    return [await _whose(conn, Known(*row)) for row in rows]


async def _whose(conn: AsyncConnection, known: Known) -> Known:
    return replace(known, contact_id=await whole(conn, known.contact_id) or known.contact_id)


_M = MESSAGES.c
KNOWN = (_M.id, _M.uid, _M.message_id, _M.address, _M.contact_id, _M.company_id)


async def _contact_of(conn: AsyncConnection, address: str) -> Any:
    query = (
        select(CONTACTS.c.id, CONTACTS.c.company_id)
        .join(ADDRESSES, ADDRESSES.c.contact_id == CONTACTS.c.id)
        .where(ADDRESSES.c.normal == normalise_address(address))
    )
    return (await conn.execute(query)).first()


async def _company_of(conn: AsyncConnection, address: str) -> int | None:
    """The customer whose own domain the address is of; nobody's for free mail."""
    domain = company_domain(address.rpartition("@")[2].lower())
    if domain is None:
        return None
    found: int | None = await conn.scalar(select(COMPANIES.c.id).where(COMPANIES.c.domain == domain))
    return found


async def _last_to(conn: AsyncConnection, whom: Any, now: datetime) -> Known | None:
    """The newest mail to somebody that they may be answering."""
    query = (
        select(*KNOWN)
        .where(whom, or_(_M.sent_at > now - ANSWERED_WITHIN, _M.state == "in_doubt"))
        .order_by(func.coalesce(_M.sent_at, _M.handed_at).desc())
        .limit(1)
    )
    row = (await conn.execute(query)).first()
    return await _whose(conn, Known(*row)) if row else None
