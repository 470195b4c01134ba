"""Sign-ups in the database: asked, mailed once, confirmed once, forgotten after a week."""

from __future__ import annotations

import secrets as chance
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.store import append_audit
from outreach.audience.hygiene import AddressRefused, check_address
from outreach.audience.row import RowRefused
from outreach.audience.store import AudienceStore
from outreach.db.session import Database
from outreach.model import Basis, SignUp
from outreach.model.base import table
from outreach.model.keys import address_key
from outreach.suppression.match import keys_for
from outreach.suppression.store import is_suppressed
from outreach.tracking.signup.form import Asked, network_of
from outreach.tracking.signup.state import SignUpState, advance

SIGNUPS = table(SignUp)
S = SignUpState
#: How long a confirmation link holds; then the request is deleted: nobody agreed to its being kept.
HOLDS = timedelta(days=7)
#: An address gets one confirmation in so long: a form must not become a way to annoy somebody.
AGAIN_AFTER = timedelta(hours=24)
#: Sign-ups of one network in an hour: an office at an exhibition, not a program.
PER_NETWORK = 10


@dataclass(frozen=True)
class Told:
    """What the visitor is told: ``asked`` (for every address alike), ``no_email`` or ``busy``."""

    page: str


@dataclass(frozen=True)
class Ready:
    """A confirmation mail to be sent. `token` is in the mail alone; the database has its hash."""

    id: int
    address: str
    name: str
    language: str
    token: str


class SignUpStore:
    """`per_hour`: confirmations of the whole form in an hour. `tags` are given to who confirms."""

    def __init__(
        self, db: Database, audience: AudienceStore, secret: bytes, *, per_hour: int = 60, tags: Sequence[str] = ()
    ) -> None:
        self.db, self.audience, self.secret, self.per_hour, self.tags = db, audience, secret, per_hour, tuple(tags)

    async def ask(self, asked: Asked, evidence: Mapping[str, Any], language: str, now: datetime) -> Told:
        """Keep a request. Suppressed, known and new addresses are answered alike, and only new ones get a mail."""
        try:
            address = check_address(asked.address).normal
        except AddressRefused:
            return Told("no_email")
        if asked.robot:
            return Told("asked")
        network = network_of(str(evidence.get("ip", "")))
        key = address_key(address, self.secret)
        async with self.db.write() as conn:
            if await self._busy(conn, network, now):
                return Told("busy")
            if await self._wants_no_mail(conn, address, key, now):
                return Told("asked")
            row = {
                "address": address, "key": key, "values": asked.values, "language": language, "state": S.WAITING.value,
                # replaced when the mail is made: until then nobody can know it
                "token_hash": _hash(chance.token_urlsafe(32)), "evidence": dict(evidence), "network": network,
                "created_at": now,
            }  # fmt: skip
            await conn.execute(insert(SIGNUPS).values(**row))
        return Told("asked")

    async def _busy(self, conn: AsyncConnection, network: str, now: datetime) -> bool:
        hour = SIGNUPS.c.created_at > now - timedelta(hours=1)
        ours = await _count(conn, hour, SIGNUPS.c.network == network)
        return ours >= PER_NETWORK or await _count(conn, hour) >= self.per_hour

    async def _wants_no_mail(self, conn: AsyncConnection, address: str, key: str, now: datetime) -> bool:
        """On the suppression list (which holds for ever), or asked a short while ago."""
        lately = (SIGNUPS.c.key == key) & (SIGNUPS.c.created_at > now - AGAIN_AFTER)
        lately &= SIGNUPS.c.state != S.FAILED.value
        return bool(await is_suppressed(conn, keys_for(address, self.secret))) or await _count(conn, lately) > 0

    async def claim(self, now: datetime, limit: int = 20) -> list[Ready]:
        """Take requests whose mail is to be sent now. Committed before anything leaves: none is mailed twice."""
        ready = []
        async with self.db.write() as conn:
            waiting = select(SIGNUPS).where(SIGNUPS.c.state == S.WAITING.value).order_by(SIGNUPS.c.id).limit(limit)
            for row in (await conn.execute(waiting)).all():
                token = chance.token_urlsafe(32)
                values = {"state": advance(row.state, "claim").value, "token_hash": _hash(token), "sent_at": now}
                if await _move(conn, row.id, S.WAITING, values):
                    name = " ".join(filter(None, (row.values.get("first_name"), row.values.get("last_name"))))
                    ready.append(Ready(row.id, row.address, name, row.language, token))
        return ready

    async def settle(self, number: int, taken: bool, detail: str = "") -> None:
        """Note how the mail fared; a refused one lets the person ask again at once."""
        state = advance(S.SENDING, "taken" if taken else "refused")
        async with self.db.write() as conn:
            await _move(conn, number, S.SENDING, {"state": state.value, "error": detail[:200] or None})

    async def holds(self, token: str, now: datetime) -> Row[Any] | None:
        """Return the request of a confirmation link that can still be confirmed."""
        async with self.db.read() as conn:
            return await _open(conn, token, now)

    async def confirm(self, token: str, evidence: Mapping[str, Any], now: datetime) -> bool:
        """Make a contact with consent and its evidence of the request; False: the link does not hold."""
        async with self.db.write() as conn:
            row = await _open(conn, token, now)
            if row is None:
                return False
            proof = _proof(row, evidence, now)
            contact = await self._contact(conn, row, proof, now)
            change: dict[str, Any] = {
                "state": advance(row.state, "confirm").value, "confirmed_at": now, "contact_id": contact,
                "address": "", "values": {}, "evidence": {}, "network": "",
            }  # fmt: skip
            await _move(conn, row.id, S(row.state), change)
            await append_audit(conn, None, "signup.confirmed", "contact", contact, now=now)
        return True

    async def _contact(self, conn: AsyncConnection, row: Row[Any], proof: str, now: datetime) -> int:
        extra = {"tags": ";".join(self.tags)} if self.tags else {}
        given: dict[str, Any] = {"source": "sign-up", "basis": Basis.CONSENT.value, "evidence": proof, "now": now}
        add = self.audience.add_contact_in
        try:
            return await add(conn, {"email": row.address, **row.values, **extra}, **given)
        except RowRefused:  # a telephone number or country that is none must not cost the consent
            return await add(conn, {"email": row.address, **extra}, **given)

    async def forget(self, now: datetime) -> int:
        """Delete requests that nobody confirmed in time."""
        old = (SIGNUPS.c.created_at < now - HOLDS) & (SIGNUPS.c.state != S.CONFIRMED.value)
        async with self.db.write() as conn:
            return (await conn.execute(delete(SIGNUPS).where(old))).rowcount


def _proof(row: Row[Any], evidence: Mapping[str, Any], now: datetime) -> str:
    asked = row.evidence
    return (
        f"double opt-in: asked {row.created_at.isoformat()} from {asked.get('ip', '')} ({asked.get('agent', '')}); "
        f"confirmed {now.isoformat()} from {evidence.get('ip', '')} ({evidence.get('agent', '')}); "
        f"agreed to: {asked.get('text', '')}"
    )


async def _open(conn: AsyncConnection, token: str, now: datetime) -> Row[Any] | None:
    states = [S.SENT.value, S.SENDING.value]
    query = select(SIGNUPS).where(SIGNUPS.c.token_hash == _hash(token), SIGNUPS.c.state.in_(states))
    row = (await conn.execute(query)).one_or_none()
    return row if row is not None and row.created_at > now - HOLDS else None


async def _move(conn: AsyncConnection, number: int, origin: SignUpState, values: Mapping[str, Any]) -> bool:
    ours = (SIGNUPS.c.id == number) & (SIGNUPS.c.state == origin.value)
    return (await conn.execute(update(SIGNUPS).where(ours).values(**values))).rowcount == 1


async def _count(conn: AsyncConnection, *where: ColumnElement[bool]) -> int:
    return int(await conn.scalar(select(func.count()).select_from(SIGNUPS).where(*where)) or 0)


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
