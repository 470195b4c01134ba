"""Writes a list into the tables, batch by batch. Each batch is one transaction; a stopped import can be run again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.audience.importing.collector import seldom_collected
from outreach.audience.importing.companies import Known
from outreach.audience.importing.companies.store import CompanyBook
from outreach.audience.importing.consents.store import unrecorded, write_consents
from outreach.audience.importing.labels.store import learn_labels
from outreach.audience.importing.merge import changes, stronger
from outreach.audience.importing.near import TOLD
from outreach.audience.importing.near.store import NearSearch, last_company
from outreach.audience.importing.result import ImportResult, RejectsFile
from outreach.audience.read import Source
from outreach.audience.regions import language_of
from outreach.audience.row import Draft, Reject, RowCleaner
from outreach.audience.table import ReadError
from outreach.db import indexes
from outreach.db.bulk import among, bound_moment, chunks, insert_rows, reserve_ids
from outreach.db.engine import LEAN
from outreach.db.session import Database
from outreach.model import Company, Contact, ContactTag, EmailAddress, Suppression, User
from outreach.model.base import table

CONTACT, ADDRESS = table(Contact), table(EmailAddress)
CONTACT_TAG, USER = table(ContactTag), table(User)
SUPPRESSION = table(Suppression)

#: Rows in one transaction: about a quarter of a second, so that a hand-over never waits long for the one writer.
BATCH = 5_000

#: A list of so many bytes is a company's whole address book, read once. A row has about so many bytes.
LARGE, ROW_BYTES = 8_000_000, 100
#: An import asks these tables by their unique keys alone, so it can do without the other indexes.
WITHOUT = (CONTACT, ADDRESS, table(Company))

Progress = Callable[[ImportResult, float], None]


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a list is read. `columns` maps a column's name to a field; `choices`, where there are any, say it by its
    place instead; `evidence` stands in the consent's record.

    Of the new customers that may be there already, `told` are told one by one; all are counted. `single`: one contact
    by hand, which fills what is empty of a known one, and whose basis counts there only with evidence.
    """

    source: str
    basis: str = "none"
    columns: Mapping[str, str] = field(default_factory=dict)
    evidence: str = ""
    tags: tuple[str, ...] = ()
    owner_id: int | None = None
    told: int = TOLD
    single: bool = False
    choices: tuple[str, ...] = ()


class Importer:
    """One import. `now` is the moment that all its rows carry; `roles` are the local parts of functions."""

    def __init__(
        self, db: Database, secret: bytes, options: ImportOptions, now: datetime, roles: frozenset[str] = frozenset()
    ) -> None:
        self.db, self.options, self.now, self.roles = db, options, now, roles
        self.hasher = blake2b(key=secret, digest_size=16)
        self.result = ImportResult()
        self.users: dict[str, int] = {}
        self.companies = CompanyBook(self.users, options.owner_id, now)
        self.labels: dict[tuple[str, str], int] = {}
        self.erased: set[str] = set()
        self.met = bytearray()
        self.first_new = 1

    async def run(self, source: Source, rejects: Path | None, progress: Progress | None = None) -> ImportResult:
        """Read the whole list. Raises nothing for a bad row: those go into the rejects file."""
        with seldom_collected():
            return await self._run(source, rejects, progress)

    async def _run(self, source: Source, rejects: Path | None, progress: Progress | None) -> ImportResult:
        cleaner = RowCleaner(source.columns, source.fields, source=self.options.source, basis=self.options.basis)
        self.result.warnings = cleaner.warnings
        async with self.db.read() as conn:
            await self.prepare(conn)
            near = NearSearch(await last_company(conn), self.options.told)
        self.result.near = near.found
        file = RejectsFile(rejects)
        rows = source.rows()
        bare = self._is_large(source) and await indexes.drop(self.db, WITHOUT)
        try:
            while batch := await asyncio.to_thread(_clean_batch, rows, cleaner):
                file.write(await self.add(batch))
                async with self.db.read() as conn:
                    await near.compare(conn, self.companies.made)
                if progress:
                    progress(self.result, min(1.0, source.position() / max(source.size, 1)))
        finally:
            self.result.rejects_file = file.close()
            if bare:
                await indexes.restore(self.db)
        return self.result

    def _is_large(self, source: Source) -> bool:
        """Whether the list brings many times more than there is: then its rows go in before their indexes."""
        return source.size > LARGE and self.first_new * ROW_BYTES * 4 < source.size

    async def prepare(self, conn: AsyncConnection) -> None:
        """Look up who may own contacts, and which contacts are older than this import."""
        for row in await conn.execute(select(USER.c.id, USER.c.name, USER.c.display_name)):
            self.users.update({name.lower(): row.id for name in (row.display_name, row.name) if name})
        last = await conn.scalar(select(CONTACT.c.id).order_by(CONTACT.c.id.desc()).limit(1)) or 0
        self.first_new, self.met = last + 1, bytearray(last // 8 + 1)

    async def add(self, batch: Sequence[Draft | Reject]) -> list[Reject]:
        """Write one batch in one transaction and count it. Return the refused rows, in the order of the file."""
        async with self.db.write(settings=LEAN) as conn:
            return await self.write(conn, batch)

    async def write(self, conn: AsyncConnection, batch: Sequence[Draft | Reject]) -> list[Reject]:
        """Do the same in the caller's transaction."""
        rejects = [item for item in batch if isinstance(item, Reject)]
        drafts = [item for item in batch if isinstance(item, Draft)]
        keys, allowed, refused = await self._allowed(conn, drafts)
        stored = await self._stored(conn, allowed)
        new, later = _share_out(allowed, stored)
        stored |= await self._insert(conn, new, keys)
        updated = await self._update(conn, later, stored, keys) if later else 0
        rejects += refused
        result = self.result
        result.read += len(batch)
        result.rejected += len(rejects)
        result.added += len(new)
        result.updated += updated
        result.duplicates += len(later) - updated
        return sorted(rejects)

    async def _allowed(
        self, conn: AsyncConnection, drafts: list[Draft]
    ) -> tuple[dict[str, str], list[Draft], list[Reject]]:
        """Compute the addresses' keys; refuse whom we promised to forget."""
        keys: dict[str, str] = {}
        start = self.hasher.copy
        for draft in drafts:
            for address in draft.addresses:
                hasher = start()
                hasher.update(address.normal.encode())
                keys[address.normal] = "a:" + hasher.hexdigest()
        await self._learn_erased(conn)
        if not self.erased:
            return keys, drafts, []
        allowed, refused = [], []
        for draft in drafts:
            gone = next((a for a in draft.addresses if keys[a.normal] in self.erased), None)
            if gone is None:
                allowed.append(draft)
            else:
                refused.append(Reject(draft.line, "email", gone.address, "erased"))
        return keys, allowed, refused

    async def _learn_erased(self, conn: AsyncConnection) -> None:
        """Erasures may happen while a long import runs: each batch asks again."""
        erased = select(SUPPRESSION.c.key).where(SUPPRESSION.c.reason == "erased")
        self.erased = set((await conn.execute(erased)).scalars())

    async def _stored(self, conn: AsyncConnection, drafts: list[Draft]) -> dict[str, int]:
        """Return normal address → contact of those that are there."""
        normals = [address.normal for draft in drafts for address in draft.addresses]
        found: dict[str, int] = {}
        for part in chunks(normals):
            wanted = select(ADDRESS.c.normal, ADDRESS.c.contact_id).where(among(conn, ADDRESS.c.normal, part))
            found.update(tuple(row) for row in await conn.execute(wanted))
        return found

    # ---- new contacts

    async def _insert(self, conn: AsyncConnection, drafts: list[Draft], keys: dict[str, str]) -> dict[str, int]:
        """Write new contacts with all that belongs to them; return normal address → contact."""
        if not drafts:
            return {}
        companies = await self.companies.of(conn, drafts)
        ids = await reserve_ids(conn, CONTACT, len(drafts))
        given = _given(drafts)
        rows = self._contact_rows(ids, drafts, companies, given, bound_moment(conn, self.now))
        await insert_rows(conn, CONTACT, (*_ALWAYS, *given), rows)
        pairs = list(zip(ids, drafts, strict=True))
        await self._addresses(conn, [(n, d, i == 0, a) for n, d in pairs for i, a in enumerate(d.addresses)], keys)
        await self._tag(conn, pairs)
        stated = [pair for pair in pairs if pair[1].values["basis"] != "none"]
        await write_consents(conn, stated, self.options.evidence, self.now)
        return {address.normal: number for number, draft in pairs for address in draft.addresses}

    def _contact_rows(
        self, ids: list[int], drafts: list[Draft], companies: list[Known | None], given: tuple[str, ...], moment: Any
    ) -> list[tuple[Any, ...]]:
        """Return rows of the table contact: what each has (_ALWAYS), then what the list brings (`given`)."""
        rows, cells = [], itemgetter("source", "basis", *given)
        for number, draft, company in zip(ids, drafts, companies, strict=True):
            values = draft.values
            country = values.get("country")
            language = values.get("language") or (language_of(country) if country else "")
            rows.append((
                number, company.id if company else "", values.get("region") or "Other", language,
                self._owner(draft, company) or "", 1, moment, values.get("attributes") or "{}", *cells(values),
            ))  # fmt: skip
        return rows

    def _owner(self, draft: Draft, company: Known | None) -> int | None:
        """The customer's owner works all its contacts (C2); the row's owner where the customer has none."""
        wanted = self.users.get(draft.owner.lower()) if draft.owner else self.options.owner_id
        if draft.owner and wanted is None:
            self.result.warnings.add(draft.line, "owner", draft.owner, "unknown_owner")
        if company and company.owner_id:
            if draft.owner and wanted not in (None, company.owner_id):
                self.result.warnings.add(draft.line, "owner", draft.owner, "owner_kept")
            return company.owner_id
        return wanted

    async def _addresses(
        self, conn: AsyncConnection, items: Sequence[tuple[int, Draft, bool, Any]], keys: dict[str, str]
    ) -> None:
        moment, roles = bound_moment(conn, self.now), self.roles
        columns = (
            "contact_id",
            "address",
            "normal",
            "domain",
            "key",
            "is_primary",
            "is_role",
            "mx",
            "soft_bounces",
            "created_at",
        )
        await insert_rows(conn, ADDRESS, columns, [
            (number, a.address, a.normal, a.domain, keys[a.normal], int(first),
             1 if roles and a.normal.partition("@")[0] in roles else 0, "unknown", 0, moment)
            for number, _, first, a in items
        ])  # fmt: skip

    async def _tag(self, conn: AsyncConnection, pairs: Sequence[tuple[int, Draft]]) -> int:
        """Give contacts their tags and interests; return nothing twice."""
        wanted = {("tag", name) for _, d in pairs for name in d.tags} | {
            ("interest", n) for _, d in pairs for n in d.interests
        }
        wanted |= {("tag", name) for name in self.options.tags}
        await learn_labels(conn, self.labels, wanted)
        common = [self.labels["tag", name] for name in self.options.tags]
        carriers: dict[int, dict[int, None]] = {}
        for number, draft in pairs:
            for name in draft.tags:
                carriers.setdefault(self.labels["tag", name], {})[number] = None
            for name in draft.interests:
                carriers.setdefault(self.labels["interest", name], {})[number] = None
        for tag_id in common:
            carriers.setdefault(tag_id, {}).update((number, None) for number, _ in pairs)
        rows = [(tag_id, number) for tag_id in sorted(carriers) for number in sorted(carriers[tag_id])]
        await insert_rows(conn, CONTACT_TAG, ("tag_id", "contact_id"), rows, ignore=True)
        return len(rows)

    # ---- contacts that were there

    async def _update(
        self, conn: AsyncConnection, drafts: list[Draft], stored: dict[str, int], keys: dict[str, str]
    ) -> int:
        """Bring what the rows say to contacts that are there; return how many contacts of before changed."""
        numbers = [next(stored[a.normal] for a in draft.addresses if a.normal in stored) for draft in drafts]
        current = await self._current(conn, set(numbers))
        changed: dict[int, dict[str, Any]] = {}
        counted: set[int] = set()
        fresh_consents: list[tuple[int, Draft]] = []
        extra: list[tuple[int, Draft, bool, Any]] = []
        single, proven = self.options.single, bool(self.options.evidence) or not self.options.single
        for number, draft in zip(numbers, drafts, strict=True):
            again = self._meet(number)
            row = current[number]
            found = changes(row, draft, fill_only=again or single, proven=proven)
            if proven and draft.values["basis"] != "none" and not stronger(row["basis"], draft.values["basis"]):
                fresh_consents.append((number, draft))
            owner = self._owner(draft, None)
            if owner and row["owner_id"] is None:
                found["owner_id"] = owner
            new_addresses = [a for a in draft.addresses if a.normal not in stored]
            extra += [(number, draft, False, a) for a in new_addresses]
            stored |= {a.normal: number for a in new_addresses}
            row.update(found)
            if found:
                changed.setdefault(number, {}).update(found)
            if (found or new_addresses) and not again:
                counted.add(number)
        await self._write_changes(conn, changed)
        await self._addresses(conn, extra, keys)
        await write_consents(conn, await unrecorded(conn, fresh_consents), self.options.evidence, self.now)
        counted |= await self._new_tags(conn, list(zip(numbers, drafts, strict=True)))
        return len({number for number in counted if number < self.first_new})

    def _meet(self, number: int) -> bool:
        """Return whether an earlier row of this list was about the same contact. One bit for each older contact."""
        if number >= self.first_new:
            return True
        byte, bit = divmod(number, 8)
        met = bool(self.met[byte] & (1 << bit))
        self.met[byte] |= 1 << bit
        return met

    async def _current(self, conn: AsyncConnection, numbers: set[int]) -> dict[int, dict[str, Any]]:
        found: dict[int, dict[str, Any]] = {}
        for part in chunks(list(numbers)):
            rows = await conn.execute(select(CONTACT).where(among(conn, CONTACT.c.id, part)))
            found |= {row.id: dict(row._mapping) for row in rows}
        return found

    async def _write_changes(self, conn: AsyncConnection, changed: dict[int, dict[str, Any]]) -> None:
        """Write changed columns: contacts in which the same columns changed go in one statement."""
        groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for number, found in changed.items():
            row = {f"new_{name}": value for name, value in found.items()}
            groups.setdefault(tuple(sorted(found)), []).append(row | {"which": number, "new_updated_at": self.now})
        for names, rows in groups.items():
            values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in (*names, "updated_at")}
            await conn.execute(update(CONTACT).where(CONTACT.c.id == bindparam("which")).values(values), rows)

    async def _new_tags(self, conn: AsyncConnection, pairs: list[tuple[int, Draft]]) -> set[int]:
        """Add tags that the contacts do not carry yet; return which contacts got one."""
        labelled = [(n, d) for n, d in pairs if d.tags or d.interests or self.options.tags]
        before = await self._carried(conn, {number for number, _ in labelled})
        await self._tag(conn, labelled)
        after = await self._carried(conn, {number for number, _ in labelled})
        return {number for number, count in after.items() if count != before.get(number, 0)}

    async def _carried(self, conn: AsyncConnection, numbers: set[int]) -> dict[int, int]:
        found: dict[int, int] = {}
        for part in chunks(list(numbers)):
            rows = await conn.execute(
                select(CONTACT_TAG.c.contact_id).where(among(conn, CONTACT_TAG.c.contact_id, part))
            )
            for number in rows.scalars():
                found[number] = found.get(number, 0) + 1
        return found


def _clean_batch(rows: Iterator[Any], cleaner: RowCleaner) -> list[Draft | Reject]:
    """Read and clean the next rows; runs in a thread, so that the loop stays free."""
    batch: list[Draft | Reject] = []
    for item in islice(rows, BATCH):
        if isinstance(item, ReadError):
            batch.append(Reject(item.line, "", item.cell, "unclosed_quote"))
        else:
            batch.append(cleaner.clean(*item))
    return batch


def _share_out(drafts: list[Draft], stored: Mapping[str, int]) -> tuple[list[Draft], list[Draft]]:
    """Return (rows that make a contact, rows about a contact that is there or that an earlier row makes)."""
    new: list[Draft] = []
    later: list[Draft] = []
    made: set[str] = set()
    for draft in drafts:
        if len(draft.addresses) == 1:  # nearly all: no list to build for them
            normal = draft.addresses[0].normal
            known = normal in stored or normal in made
            made.add(normal)
        else:
            normals = {address.normal for address in draft.addresses}
            known = not made.isdisjoint(normals) or any(normal in stored for normal in normals)
            made |= set() if known else normals
        (later if known else new).append(draft)
    return new, later


#: The columns of every new contact, in the order of `Importer._contact_rows`.
_ALWAYS = ("id", "company_id", "region", "language", "owner_id", "tracking", "created_at", "attributes",
           "source", "basis")  # fmt: skip


def _given(drafts: Sequence[Draft]) -> tuple[str, ...]:
    """Return the other columns that these rows fill: each that is left out saves its binding a million times."""
    given = {name for draft in drafts[:1] for name in draft.values}
    return tuple(sorted(given - set(_ALWAYS)))
