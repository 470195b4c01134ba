"""Contacts, companies and segments: what the rest of the house asks of this stage. Each method is one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, case, delete, func, insert, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.audience import segment
from outreach.audience.addresses import store as addresses
from outreach.audience.companies import store as companies
from outreach.audience.importing.near.preview.store import nears_of
from outreach.audience.importing.preview import Preview, preview
from outreach.audience.importing.result import ImportResult
from outreach.audience.importing.store import Importer, ImportOptions, Progress
from outreach.audience.people import store as people
from outreach.audience.people.query import CompanyQuery, ContactQuery, ContactRow, Page
from outreach.audience.people.store import ContactView, TimelineItem
from outreach.audience.privacy.store import Rights, Suppress
from outreach.audience.read import open_source
from outreach.audience.row import Reject, RowCleaner, RowRefused
from outreach.db.bulk import chunks
from outreach.db.session import Database
from outreach.model import Contact, EmailAddress, Segment
from outreach.model.base import table
from outreach.model.suppressed import is_suppressed

CONTACT, ADDRESS, SEGMENT = table(Contact), table(EmailAddress), table(Segment)

#: Ids fetched at once by `members`.
PAGE = 10_000
#: Segments that are counted in one statement; each may have dozens of conditions.
TOGETHER = 12
#: `within` of whoever reaches all contacts; others are counted among those that they reach.
ANYBODY: ColumnElement[bool] = true()


@dataclass(frozen=True)
class Examined:
    """`total` contacts there are, `count` of them are in a segment; its `lines` as `explain` returns them."""

    total: int
    count: int
    lines: list[dict[str, Any]]


class AudienceStore(Rights):
    """`secret` keys the hashes of addresses, `roles` are local parts of functions (suppression/roles.txt), `suppress`
    puts a key on the suppression list in a given transaction (suppression/store.py); erasure needs it.
    """

    def __init__(
        self, db: Database, secret: bytes, *, roles: frozenset[str] = frozenset(), suppress: Suppress | None = None
    ) -> None:
        self.db, self.secret, self.roles, self._suppress = db, secret, roles, suppress

    # ---- lists

    async def import_file(
        self,
        path: Path,
        options: ImportOptions,
        *,
        now: datetime,
        rejects: Path | None = None,
        progress: Progress | None = None,
    ) -> ImportResult:
        """Import a list; refused rows go to `rejects`, by default beside the file. Raises ReadError, HeaderError."""
        source = await asyncio.to_thread(open_source, path, options.columns, options.choices)
        importer = Importer(self.db, self.secret, options, now, self.roles)
        return await importer.run(source, rejects or path.with_name(path.name + ".rejects.csv"), progress)

    async def preview(
        self, path: Path, choices: Sequence[str] = (), *, source: str = "preview", rows: int = 200
    ) -> Preview:
        """Return how a list would be understood, with what is wrong; nothing is stored. Raises ReadError."""
        told, drafts = await asyncio.to_thread(preview, path, choices, source, rows)
        async with self.db.read() as conn:
            return replace(told, near=await nears_of(conn, drafts))

    async def add_contact(
        self,
        values: Mapping[str, str],
        *,
        source: str,
        basis: str = "none",
        now: datetime,
        owner_id: int | None = None,
        evidence: str = "",
    ) -> int:
        """Add one contact, or fill what is empty of a known one; `values` has the import's fields. Raises RowRefused.

        `evidence`: what the basis rests on; without it the basis of a known contact stays.
        """
        given: dict[str, Any] = {"source": source, "basis": basis, "owner_id": owner_id, "evidence": evidence}
        async with self.db.write() as conn:
            return await self.add_contact_in(conn, values, now=now, **given)

    async def add_contact_in(
        self,
        conn: AsyncConnection,
        values: Mapping[str, str],
        *,
        source: str,
        basis: str = "none",
        now: datetime,
        owner_id: int | None = None,
        evidence: str = "",
    ) -> int:
        """Do the same in the caller's transaction (a lead that the inbox finds). Raises RowRefused."""
        options = ImportOptions(source, basis, evidence=evidence, owner_id=owner_id, single=True)
        importer = Importer(self.db, self.secret, options, now, self.roles)
        await importer.prepare(conn)
        draft = RowCleaner(tuple(values), tuple(values), source=source, basis=basis).clean(1, list(values.values()))
        if isinstance(draft, Reject):
            raise RowRefused(draft)
        for refused in await importer.write(conn, [draft]):
            raise RowRefused(refused)
        found = await people.find(conn, draft.addresses[0].normal)
        if found is None:
            raise LookupError("the contact was not stored")
        return found

    # ---- single contacts and pages of them

    async def find(self, address: str) -> int | None:
        """Return the contact of an address."""
        async with self.db.read() as conn:
            return await people.find(conn, address)

    async def holders(self, addresses: str) -> list[tuple[int, int | None]]:
        """Return (contact, owner) of who is known by any address of a cell; the owner is the company's where the
        contact has none.
        """
        async with self.db.read() as conn:
            return await people.holders(conn, addresses)

    async def get(self, contact_id: int) -> ContactView | None:
        """Return a contact with addresses, tags, company, consents."""
        async with self.db.read() as conn:
            return await people.get(conn, contact_id)

    async def timeline(self, contact_id: int, limit: int = 200) -> list[TimelineItem]:
        """Return what happened with a contact, newest first."""
        async with self.db.read() as conn:
            return await people.timeline(conn, contact_id, limit)

    async def page(self, query: ContactQuery, now: datetime) -> Page:
        """Return a page of contacts. Raises SegmentError, QueryError."""
        async with self.db.read() as conn:
            return await people.page(conn, query, now)

    async def company_page(self, query: CompanyQuery) -> Page:
        """Return a page of companies. Raises QueryError."""
        async with self.db.read() as conn:
            return await people.companies(conn, query)

    async def edit(
        self, contact_id: int, changes: Mapping[str, Any], now: datetime, seen: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Change a contact; return the values of before, which undo it. `seen`: what the person saw in the fields.

        Raises EditRefused, LookupError; Overtaken where somebody else changed them since.
        """
        async with self.db.write() as conn:
            return await people.edit(conn, contact_id, changes, now, seen or {})

    async def edit_company(
        self, company_id: int, changes: Mapping[str, Any], now: datetime, seen: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Change a company; return the values of before, which undo it. `seen` as for a contact.

        Raises EditRefused, Overtaken, LookupError.
        """
        async with self.db.write() as conn:
            return await people.edit_company(conn, company_id, changes, now, seen or {})

    async def add_address(self, contact_id: int, text: str, now: datetime) -> int:
        """Give a contact one more address; return its id. Raises AddressRefused, LookupError."""
        async with self.db.write() as conn:
            return await addresses.add(conn, contact_id, text, self.secret, self.roles, now)

    async def make_primary(self, contact_id: int, address_id: int) -> int | None:
        """Let mail go to this address of a contact; return which it went to. Raises LookupError."""
        async with self.db.write() as conn:
            return await addresses.make_primary(conn, contact_id, address_id)

    async def remove_address(self, contact_id: int, address_id: int) -> dict[str, Any]:
        """Take an address away; return what `restore_address` takes. Raises AddressRefused, LookupError."""
        async with self.db.write() as conn:
            return await addresses.remove(conn, contact_id, address_id)

    async def restore_address(self, kept: Mapping[str, Any]) -> None:
        """Put a removed address back. Raises AddressRefused."""
        async with self.db.write() as conn:
            await addresses.restore(conn, kept)

    async def set_attribute(self, contact_id: int, name: str, value: str | None, now: datetime) -> str | None:
        """Set an attribute of a contact; return what stood there. Raises LookupError."""
        async with self.db.write() as conn:
            return await addresses.set_attribute(conn, contact_id, name, value, now)

    async def tag(self, ids: Iterable[int], names: Iterable[str], kind: str = "tag") -> int:
        """Give contacts tags (or interests); return how many are new."""
        async with self.db.write() as conn:
            return await people.tag(conn, ids, names, kind)

    async def untag(self, ids: Iterable[int], names: Iterable[str], kind: str = "tag") -> int:
        """Take tags from contacts; return how many were there."""
        async with self.db.write() as conn:
            return await people.untag(conn, ids, names, kind)

    async def tagged(self, ids: Iterable[int], names: Iterable[str], kind: str = "tag") -> dict[str, list[int]]:
        """Return which of these contacts have each of these tags."""
        async with self.db.read() as conn:
            return await people.tagged(conn, ids, names, kind)

    async def assign(self, ids: Iterable[int], owner_id: int | None, now: datetime) -> int:
        """Give contacts an owner; return how many changed."""
        async with self.db.write() as conn:
            return await people.assign(conn, CONTACT, ids, owner_id, now)

    async def assign_companies(self, ids: Iterable[int], owner_id: int | None, now: datetime) -> int:
        """Give companies and all their contacts an owner; return how many companies changed."""
        async with self.db.write() as conn:
            return await people.assign_companies(conn, ids, owner_id, now)

    # ---- companies that are one

    async def merge(self, keep: int, drop: int, now: datetime) -> dict[str, Any]:
        """Merge two companies; return what `unmerge` takes. Raises LookupError, ValueError."""
        async with self.db.write() as conn:
            return await companies.merge(conn, keep, drop, now)

    async def unmerge(self, undo: dict[str, Any], now: datetime) -> None:
        """Take a merge back. Raises ValueError where it was taken back already."""
        async with self.db.write() as conn:
            await companies.unmerge(conn, undo, now)

    async def take_apart(self, drop: int, now: datetime) -> None:
        """Take the merge of a dropped company back. Raises LookupError, ValueError."""
        async with self.db.write() as conn:
            await companies.unmerge(conn, await companies.undo_of(conn, drop), now)

    # ---- segments

    async def count(self, text: str, now: datetime, within: ColumnElement[bool] = ANYBODY) -> int:
        """Return how many contacts a segment has. Raises SegmentError."""
        async with self.db.read() as conn:
            return await _count(conn, segment.parse(text), now, within)

    async def members(self, text: str, now: datetime) -> AsyncIterator[int]:
        """Yield the ids of a segment's contacts in order. Raises SegmentError."""
        statement = segment.select_ids(segment.parse(text), now).order_by(CONTACT.c.id).limit(PAGE)
        last = 0
        while True:
            async with self.db.read() as conn:
                ids = list((await conn.execute(statement.where(CONTACT.c.id > last))).scalars())
            for contact_id in ids:
                yield contact_id
            if len(ids) < PAGE:
                return
            last = ids[-1]

    async def explain(self, text: str, now: datetime) -> list[dict[str, Any]]:
        """Return what each line of a segment costs in people. Raises SegmentError.

        In "all of" `left` people remain after the line and `removed` went; in "any of" `added` came.
        """
        return (await self.examine(text, now)).lines

    async def examine(self, text: str, now: datetime, within: ColumnElement[bool] = ANYBODY) -> Examined:
        """Return how many there are, how many a segment has and what its lines cost: one walk. Raises SegmentError."""
        node = segment.parse(text)
        steps = segment.explain(node)
        everyone = segment.Everyone()
        wanted = [everyone, node, *(one for s in steps for one in (s.before, s.after, s.alone))]
        async with self.db.read() as conn:
            sizes = await _counts(conn, wanted, now, within)
        lines = []
        for step in steps:
            before, after = sizes[step.before], sizes[step.after]
            line: dict[str, Any] = {"path": step.path, "depth": step.depth, "group": step.group, "text": step.text}
            line |= {"en": step.en, "zh": step.zh, "alone": sizes[step.alone], "left": after}
            lines.append(line | ({"removed": before - after} if step.group == "and" else {"added": after - before}))
        return Examined(sizes[everyone], sizes[node], lines)

    async def reach(self, text: str, now: datetime, within: ColumnElement[bool] = ANYBODY) -> dict[str, int]:
        """Return how many of a segment could be mailed, and why others not: each person counts once, in this order."""
        chosen = segment.condition(segment.parse(text), now)
        why = case(
            (ADDRESS.c.id.is_(None), "no_address"),
            (is_suppressed(ADDRESS.c.key, ADDRESS.c.domain), "suppressed"),
            (ADDRESS.c.bounced_at.is_not(None), "bounced"),
            (ADDRESS.c.mx == "none", "no_mail_server"),
            else_="reachable",
        ).label("why")
        joined = CONTACT.outerjoin(ADDRESS, (ADDRESS.c.contact_id == CONTACT.c.id) & ADDRESS.c.is_primary)
        each = select(why).select_from(joined).where(CONTACT.c.erased_at.is_(None), within, chosen).subquery()
        async with self.db.read() as conn:
            rows = await conn.execute(select(each.c.why, func.count()).group_by(each.c.why))
            return {"reachable": 0} | {str(reason): count for reason, count in rows}

    async def sample(
        self, text: str, now: datetime, limit: int = 12, after: int = 0, within: ColumnElement[bool] = ANYBODY
    ) -> list[ContactRow]:
        """Return some people of a segment; `after` an id gives others. Raises SegmentError."""
        statement = segment.select_ids(segment.parse(text), now).where(CONTACT.c.id > after, within)
        async with self.db.read() as conn:
            ids = list((await conn.execute(statement.order_by(CONTACT.c.id).limit(limit))).scalars())
            return await people.rows_of(conn, ids)

    async def save_segment(self, name: str, text: str, owner_id: int | None, now: datetime) -> int:
        """Store a segment under a name, in its canonical spelling; the same name replaces. Raises SegmentError."""
        expression = segment.to_text(segment.parse(text))
        values = {"expression": expression, "owner_id": owner_id, "updated_at": now}
        async with self.db.write() as conn:
            known = await conn.scalar(select(SEGMENT.c.id).where(SEGMENT.c.name == name))
            if known is not None:
                await conn.execute(update(SEGMENT).where(SEGMENT.c.id == known).values(values))
                return int(known)
            made = await conn.execute(insert(SEGMENT).values(name=name, created_at=now, **values))
            return int((made.inserted_primary_key or (0,))[0])

    async def segments(self) -> list[dict[str, Any]]:
        """Return all stored segments by name."""
        async with self.db.read() as conn:
            return [dict(row._mapping) for row in await conn.execute(select(SEGMENT).order_by(SEGMENT.c.name))]

    async def segment_named(self, name: str) -> dict[str, Any] | None:
        """Return a stored segment."""
        async with self.db.read() as conn:
            row = (await conn.execute(select(SEGMENT).where(SEGMENT.c.name == name))).first()
            return dict(row._mapping) if row else None

    async def delete_segment(self, name: str) -> bool:
        """Delete a stored segment; return whether it was there. Campaigns keep the text that they were made with."""
        async with self.db.write() as conn:
            return bool((await conn.execute(delete(SEGMENT).where(SEGMENT.c.name == name))).rowcount)


async def _counts(
    conn: AsyncConnection, nodes: Sequence[segment.Node], now: datetime, within: ColumnElement[bool]
) -> dict[segment.Node, int]:
    """Return how many contacts each of these segments has: one walk over the contacts for a dozen of them."""
    found: dict[segment.Node, int] = {}
    for part in chunks(list(dict.fromkeys(nodes)), TOGETHER):
        counted = [func.count().filter(segment.condition(node, now)) for node in part]
        row = (await conn.execute(select(*counted).where(CONTACT.c.erased_at.is_(None), within))).one()
        found |= dict(zip(part, map(int, row), strict=True))
    return found


async def _count(conn: AsyncConnection, node: segment.Node, now: datetime, within: ColumnElement[bool]) -> int:
    chosen = (CONTACT.c.erased_at.is_(None), within, segment.condition(node, now))
    return await conn.scalar(select(func.count()).select_from(CONTACT).where(*chosen)) or 0
