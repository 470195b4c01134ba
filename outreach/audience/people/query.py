"""What is asked of the lists of contacts and companies, as statements."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select

from outreach.audience import segment
from outreach.model import Company, Contact, EmailAddress, User
from outreach.model.base import table

CONTACT, COMPANY, ADDRESS, USER = table(Contact), table(Company), table(EmailAddress), table(User)

#: A page is for eyes: more rows are an export's business.
MAX_LIMIT = 500


class QueryError(ValueError):
    """A list cannot be shown as asked."""


@dataclass(frozen=True, slots=True)
class ContactQuery:
    """A page of contacts. `segment` is a segment's text; `sort` a name of CONTACT_SORTS, "-" before it turns it."""

    segment: str = ""
    search: str = ""
    sort: str = "-created"
    offset: int = 0
    limit: int = 50
    owners: tuple[int, ...] | None = None
    company_id: int | None = None


@dataclass(frozen=True, slots=True)
class CompanyQuery:
    """A page of companies. `owners` restricts to their customers; () finds none."""

    search: str = ""
    region: str = ""
    country: str = ""
    grade: str = ""
    sort: str = "name"
    offset: int = 0
    limit: int = 50
    owners: tuple[int, ...] | None = None


@dataclass(slots=True)
class ContactRow:
    """A line of the list of contacts."""

    id: int
    first_name: str | None
    last_name: str | None
    email: str | None
    company_id: int | None
    company: str | None
    country: str | None
    region: str
    city: str | None
    industry: str | None
    language: str | None
    grade: str | None
    intent: str | None
    owner_id: int | None
    owner: str | None
    source: str
    basis: str
    created_at: datetime
    last_contacted: datetime | None
    last_replied: datetime | None
    bounced: bool
    suppressed: bool
    tags: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return the person's name, the address where there is none."""
        return " ".join(filter(None, (self.first_name, self.last_name))) or self.email or f"#{self.id}"

    def as_dict(self) -> dict[str, Any]:
        """Return the line for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a list and how many there are in all."""

    rows: list[Any]
    total: int


CONTACT_SORTS: dict[str, tuple[ColumnElement[Any], ...]] = {
    "created": (CONTACT.c.created_at,),
    "name": (func.lower(CONTACT.c.last_name), func.lower(CONTACT.c.first_name)),
    "email": (ADDRESS.c.normal,),
    "company": (func.lower(COMPANY.c.name),),
    "country": (CONTACT.c.country,),
    "region": (CONTACT.c.region,),
    "city": (func.lower(CONTACT.c.city),),
    "industry": (func.lower(CONTACT.c.industry),),
    "grade": (CONTACT.c.grade,),
    "owner": (USER.c.name,),
    "source": (CONTACT.c.source,),
    "last_contacted": (CONTACT.c.last_contacted,),
    "last_opened": (CONTACT.c.last_opened,),
    "last_clicked": (CONTACT.c.last_clicked,),
    "last_replied": (CONTACT.c.last_replied,),
    "last_order": (CONTACT.c.last_order,),
    "orders_total": (CONTACT.c.orders_total,),
}
COMPANY_SORTS: dict[str, tuple[ColumnElement[Any], ...]] = {
    "name": (func.lower(COMPANY.c.name),),
    "created": (COMPANY.c.created_at,),
    "country": (COMPANY.c.country,),
    "region": (COMPANY.c.region,),
    "grade": (COMPANY.c.grade,),
    "industry": (func.lower(COMPANY.c.industry),),
    "owner": (USER.c.name,),
}


def order_by(sorts: dict[str, tuple[ColumnElement[Any], ...]], sort: str, last: ColumnElement[Any]) -> list[Any]:
    """Return the ORDER BY of a sort's name; empty values come last. Raises QueryError on an unknown name."""
    turned, name = sort.startswith("-"), sort.removeprefix("-")
    if name not in sorts:
        raise QueryError(f"cannot sort by {name!r}; there are: {', '.join(sorts)}")
    columns = [column.desc().nulls_last() if turned else column.asc().nulls_last() for column in sorts[name]]
    return [*columns, last.desc() if turned else last.asc()]


def contact_filter(query: ContactQuery, now: datetime) -> ColumnElement[bool]:
    """Return which contacts a page is about. Raises SegmentError."""
    tests: list[ColumnElement[bool]] = [CONTACT.c.erased_at.is_(None)]
    if query.segment.strip():
        tests.append(segment.condition(segment.parse(query.segment), now))
    if query.search.strip():
        tests.append(found_by(query.search))
    if query.owners is not None:
        tests.append(owned_by(query.owners))
    if query.company_id is not None:
        tests.append(CONTACT.c.company_id == query.company_id)
    return and_(*tests)


def owned_by(owners: tuple[int, ...]) -> ColumnElement[bool]:
    """Return the test for contacts of these owners; a contact without one belongs to its customer's."""
    theirs = select(COMPANY.c.id).where(COMPANY.c.owner_id.in_(owners))
    return or_(CONTACT.c.owner_id.in_(owners), and_(CONTACT.c.owner_id.is_(None), CONTACT.c.company_id.in_(theirs)))


#: One text to look into: four times LIKE a row is what makes a search slow.
_WORDS = func.lower(
    func.coalesce(CONTACT.c.first_name, "")
    + literal(" ")
    + func.coalesce(CONTACT.c.last_name, "")
    + literal(" ")
    + func.coalesce(CONTACT.c.city, "")
    + literal(" ")
    + func.coalesce(CONTACT.c.phone, "")
)


def found_by(search: str) -> ColumnElement[bool]:
    """Return the test for contacts whose name, address, company, city or phone hold every word of the search."""
    tests = []
    for word in search.lower().split()[:8]:
        by_address = select(ADDRESS.c.contact_id).where(ADDRESS.c.normal.contains(word, autoescape=True))
        by_company = select(COMPANY.c.id).where(func.lower(COMPANY.c.name).contains(word, autoescape=True))
        tests.append(
            or_(
                _WORDS.contains(word, autoescape=True),
                CONTACT.c.id.in_(by_address),
                CONTACT.c.company_id.in_(by_company),
            )
        )
    return and_(*tests)


def contact_page(query: ContactQuery, now: datetime) -> Select[Any]:
    """Return the statement of a page's ids, in order."""
    primary = and_(ADDRESS.c.contact_id == CONTACT.c.id, ADDRESS.c.is_primary)
    joined = CONTACT.outerjoin(ADDRESS, primary) if query.sort.removeprefix("-") == "email" else CONTACT
    if query.sort.removeprefix("-") == "company":
        joined = joined.outerjoin(COMPANY, COMPANY.c.id == CONTACT.c.company_id)
    if query.sort.removeprefix("-") == "owner":
        joined = joined.outerjoin(USER, USER.c.id == CONTACT.c.owner_id)
    statement = select(CONTACT.c.id).select_from(joined).where(contact_filter(query, now))
    ordered = statement.order_by(*order_by(CONTACT_SORTS, query.sort, CONTACT.c.id))
    return ordered.offset(max(query.offset, 0)).limit(_limit(query.limit))


def company_page(query: CompanyQuery) -> tuple[Select[Any], ColumnElement[bool]]:
    """Return the statement of a page of companies, and its filter for counting."""
    tests: list[ColumnElement[bool]] = [COMPANY.c.merged_into.is_(None)]
    for word in query.search.lower().split()[:8]:
        domain = COMPANY.c.domain.contains(word, autoescape=True)
        tests.append(or_(func.lower(COMPANY.c.name).contains(word, autoescape=True), func.coalesce(domain, False)))
    for column, wanted in (
        (COMPANY.c.region, query.region),
        (COMPANY.c.country, query.country),
        (COMPANY.c.grade, query.grade),
    ):
        if wanted:
            tests.append(column == wanted)
    if query.owners is not None:
        tests.append(COMPANY.c.owner_id.in_(query.owners))
    contacts = select(func.count()).where(CONTACT.c.company_id == COMPANY.c.id, CONTACT.c.erased_at.is_(None))
    columns = (*COMPANY.c, USER.c.name.label("owner"), contacts.scalar_subquery().label("contacts"))
    joined = COMPANY.outerjoin(USER, USER.c.id == COMPANY.c.owner_id)
    statement = select(*columns).select_from(joined).where(*tests)
    ordered = statement.order_by(*order_by(COMPANY_SORTS, query.sort, COMPANY.c.id))
    return ordered.offset(max(query.offset, 0)).limit(_limit(query.limit)), and_(*tests)


def _limit(limit: int) -> int:
    return min(max(limit, 1), MAX_LIMIT)
