"""The companies of a batch of rows: which there are, which are missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from outreach.audience.dedupe import company_domain, normal_name
from outreach.audience.importing.near import Named
from outreach.audience.row import Draft

#: Companies remembered between batches: rows of one company mostly stand close together.
REMEMBERED = 20_000


@dataclass(slots=True)
class Known:
    """A company that is there: its id (after merges), its owner, and whether its name is only its domain."""

    id: int
    owner_id: int | None
    unnamed: bool = False


def keys_of(drafts: Iterable[Draft]) -> list[str | None]:
    """Return the company key of each row, None where nothing tells the company (see dedupe.py)."""
    own: dict[str, str | None] = {}
    keys: list[str | None] = []
    for draft in drafts:
        domain = draft.addresses[0].domain
        if domain in own:
            known = own[domain]
        else:
            registrable = company_domain(domain)
            known = own[domain] = "d:" + registrable if registrable else None
        keys.append(known or _by_name(draft))
    return keys


def _by_name(draft: Draft) -> str | None:
    normal = normal_name(draft.company) if draft.company else ""
    return f"n:{normal}|{draft.values.get('country', '')}" if normal else None


def first_of(keys: Iterable[str | None], drafts: Iterable[Draft]) -> dict[str, Draft]:
    """Return for each key the row that describes the company best: the first with a name, else the first."""
    found: dict[str, Draft] = {}
    for key, draft in zip(keys, drafts, strict=True):
        if key is not None and (key not in found or (draft.company and not found[key].company)):
            found[key] = draft
    return found


def company_name(key: str, draft: Draft) -> str:
    """Return the name of a new company: what the row says, else its domain."""
    return draft.company or key.removeprefix("d:")


def company_row(number: int, key: str, draft: Draft, owner_id: int | None) -> tuple[Any, ...]:
    """Return the row of a new company, in the order of COMPANY_COLUMNS without the moment and the attributes."""
    values = draft.values
    domain = key[2:] if key.startswith("d:") else ""
    place = (values.get("country", ""), values.get("region") or "Other", values.get("city", ""))
    return (
        number,
        key,
        company_name(key, draft),
        domain,
        *place,
        values.get("industry", ""),
        values["source"],
        owner_id or "",
    )


def named(row: tuple[Any, ...]) -> Named:
    """Return the customer of a row of `company_row` for the search of near duplicates."""
    return Named(row[0], row[2], row[3] or None, row[4] or None)


COMPANY_COLUMNS = ("id", "key", "name", "domain", "country", "region", "city", "industry", "source", "owner_id")
