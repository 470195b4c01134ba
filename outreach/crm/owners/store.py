"""Owners of customers in the database: given by rules, changed with their open work, remembered, looked after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.audience.dedupe import company_domain, domain_label
from outreach.audience.likeness import words_of
from outreach.audience.people.store import assign_companies
from outreach.crm.calls.number import normal_number
from outreach.crm.owners.collide import Collision, Known, collisions
from outreach.crm.owners.rules import Lead, Person, Rule, choose
from outreach.db.alike import alike, like
from outreach.db.bulk import chunks
from outreach.db.session import Database
from outreach.model import Activity, AssignmentRule, Company, Contact, Deal, InboundMail, OwnerChange, Task, User
from outreach.model.base import table

COMPANIES, CONTACTS, USERS = table(Company), table(Contact), table(User)
TASKS, DEALS, INBOUND, ACTIVITIES = table(Task), table(Deal), table(InboundMail), table(Activity)
RULES, CHANGES = table(AssignmentRule), table(OwnerChange)

#: How long a colleague's last contact counts as "works with them".
LATELY = timedelta(days=14)
CLOSED_STAGES = ("paid", "lost")
#: Candidates that are compared by name; more share one word only in a list of nothing but one trade.
MOST_CANDIDATES = 3000
#: Letters of a word whose halves are still a sign.
LONG = 6
WORK = (
    ("tasks", TASKS, TASKS.c.state == "open"),
    ("deals", DEALS, DEALS.c.stage.not_in(CLOSED_STAGES)),
    ("received", INBOUND, INBOUND.c.state == "new"),
)


@dataclass(frozen=True)
class AtWork:
    """A colleague who works a customer: what (deal, task, contact) and when last."""

    user_id: int
    what: str
    at: datetime


class OwnerStore:
    """Whose customers, by which rule, and who else is at work."""

    def __init__(self, db: Database) -> None:
        self.db = db

    # ---- rules

    async def rules(self) -> Sequence[Row[Any]]:
        """Return the rules in their order."""
        async with self.db.read() as conn:
            return (await conn.execute(select(RULES).order_by(RULES.c.position, RULES.c.id))).all()

    async def add_rule(self, rule: Rule, actor: Actor, now: datetime) -> int:
        """Add a rule at the end."""
        values = {"region": rule.region, "industry": rule.industry, "source": rule.source, "owners": list(rule.owners)}
        async with self.db.write() as conn:
            last = await conn.scalar(select(func.max(RULES.c.position))) or 0
            made = insert(RULES).values(position=last + 1, active=True, **values).returning(RULES.c.id)
            number = int((await conn.execute(made)).scalar_one())
            await append_audit(conn, actor, "rule.added", "assignment_rule", number, now=now, after=values)
        return number

    async def remove_rule(self, rule_id: int, actor: Actor, now: datetime) -> dict[str, Any] | None:
        """Delete a rule; return its row, which `restore_rule` takes."""
        async with self.db.write() as conn:
            row = (await conn.execute(select(RULES).where(RULES.c.id == rule_id))).one_or_none()
            if row is None:
                return None
            await conn.execute(delete(RULES).where(RULES.c.id == rule_id))
            kept = dict(row._mapping)
            await append_audit(conn, actor, "rule.removed", "assignment_rule", rule_id, now=now, before=kept)
        return kept

    async def restore_rule(self, kept: Mapping[str, Any], actor: Actor, now: datetime) -> None:
        """Undo the deletion."""
        async with self.db.write() as conn:
            await conn.execute(insert(RULES).values(**{name: kept[name] for name in RULES.c.keys() if name in kept}))  # noqa: SIM118
            await append_audit(conn, actor, "rule.added", "assignment_rule", kept["id"], now=now, after=kept)

    async def move_rule(self, rule_id: int, up: bool, actor: Actor, now: datetime) -> None:
        """Move a rule one place up or down."""
        async with self.db.write() as conn:
            ids = list((await conn.execute(select(RULES.c.id).order_by(RULES.c.position, RULES.c.id))).scalars())
            if rule_id not in ids:
                return
            at = ids.index(rule_id)
            to = max(0, at - 1) if up else min(len(ids) - 1, at + 1)
            ids.insert(to, ids.pop(at))
            for position, number in enumerate(ids, 1):
                await conn.execute(update(RULES).where(RULES.c.id == number).values(position=position))
            await append_audit(conn, actor, "rule.moved", "assignment_rule", rule_id, now=now, after={"place": to + 1})

    # ---- owners

    async def place_unowned(self, now: datetime, limit: int = 500) -> int:
        """Give customers without an owner one by the rules; return how many got one. Nobody is lost (C2, C3)."""
        async with self.db.write() as conn:
            columns = (COMPANIES.c.id, COMPANIES.c.region, COMPANIES.c.industry, COMPANIES.c.source)
            nobody = (COMPANIES.c.owner_id.is_(None), COMPANIES.c.merged_into.is_(None))
            found = await conn.execute(select(*columns).where(*nobody).order_by(COMPANIES.c.id).limit(limit))
            rules, people = await load_rules(conn), await load_people(conn)
            given: dict[int, list[int]] = {}
            for row in found:
                choice = choose(Lead(row.region, row.industry, row.source), rules, people)
                if choice is None:
                    return 0
                given.setdefault(choice.owner_id, []).append(row.id)
                people = [_heavier(person) if person.id == choice.owner_id else person for person in people]
            for owner, ids in given.items():
                await _move(conn, ids, owner, None, "rules", now)
        return sum(map(len, given.values()))

    async def assign(
        self, ids: Iterable[int], owner_id: int, actor: Actor, now: datetime, *, reason: str = "by hand"
    ) -> list[dict[str, Any]]:
        """Give customers to an owner with their open tasks, deals and mail; return what `take_back` takes."""
        async with self.db.write() as conn:
            undo = await _move(conn, list(ids), owner_id, actor.id, reason, now)
            after = {"owner_id": owner_id, "companies": len(undo), "reason": reason}
            await append_audit(conn, actor, "company.assigned", "company", "list", now=now, after=after)
        return undo

    async def take_back(self, undo: Sequence[Mapping[str, Any]], actor: Actor, now: datetime) -> None:
        """Undo an assignment: customers and the work that moved with them."""
        async with self.db.write() as conn:
            for item in undo:
                back = item["owner_id"]
                await assign_companies(conn, [item["id"]], back, now)
                for name, source, _ in WORK:
                    rows = source.c.id.in_(item["work"][name])
                    await conn.execute(update(source).where(rows).values(owner_id=back))
                await _remember(conn, item["id"], item["to"], back, actor.id, "undone", now)
            await append_audit(conn, actor, "company.assignment_undone", "company", "list", now=now)

    async def history(self, company_id: int) -> Sequence[Row[Any]]:
        """Return whose customer it was, newest first."""
        query = select(CHANGES).where(CHANGES.c.company_id == company_id).order_by(CHANGES.c.id.desc()).limit(50)
        async with self.db.read() as conn:
            return (await conn.execute(query)).all()

    # ---- two at work

    async def find_collisions(self, new: Known) -> list[tuple[Collision, Row[Any]]]:
        """Return the customers that this one may be, each with its row (name, country, owner)."""
        async with self.db.read() as conn:
            return await collisions_in(conn, new)

    async def at_work(self, company_id: int, me: int | None, now: datetime) -> list[AtWork]:
        """Return the colleagues who work this customer: their open deals and tasks, their contact of late."""
        found: dict[int, AtWork] = {}
        async with self.db.read() as conn:
            for what, query in _at_work(company_id, now):
                for user, at in await conn.execute(query):
                    known = found.get(user)
                    if user != me and (known is None or (known.what == what and known.at < at)):
                        found[user] = AtWork(user, what, at)
        return sorted(found.values(), key=lambda one: one.at, reverse=True)


async def collisions_in(conn: AsyncConnection, new: Known) -> list[tuple[Collision, Row[Any]]]:
    """`OwnerStore.find_collisions` in a transaction of the caller's; `owner_left`: the owner's account is closed."""
    found = collisions(new, await _candidates(conn, new))
    columns = (COMPANIES, USERS.c.display_name.label("owner"), USERS.c.disabled_at.label("owner_left"))
    joined = COMPANIES.outerjoin(USERS, USERS.c.id == COMPANIES.c.owner_id)
    query = select(*columns).select_from(joined).where(COMPANIES.c.id.in_([one.id for one in found]))
    rows = {row.id: row for row in await conn.execute(query)}
    return [(one, rows[one.id]) for one in found if one.id in rows]


def _at_work(company_id: int, now: datetime) -> list[tuple[str, Any]]:
    def of(source: Any, user: Any, at: Any) -> Any:
        return select(user, func.max(at)).where(source.c.company_id == company_id, user.is_not(None)).group_by(user)

    deals = of(DEALS, DEALS.c.owner_id, DEALS.c.stage_at).where(DEALS.c.stage.not_in(CLOSED_STAGES))
    tasks = of(TASKS, TASKS.c.owner_id, TASKS.c.created_at).where(TASKS.c.state == "open")
    kinds = ("call", "answer", "meeting", "sent")
    told = of(ACTIVITIES, ACTIVITIES.c.user_id, ACTIVITIES.c.at).where(
        ACTIVITIES.c.at > now - LATELY, ACTIVITIES.c.at <= now, ACTIVITIES.c.kind.in_(kinds)
    )
    return [("deal", deals), ("contact", told), ("task", tasks)]


async def load_rules(conn: AsyncConnection) -> list[Rule]:
    """Return the active rules in their order."""
    rows = await conn.execute(select(RULES).where(RULES.c.active).order_by(RULES.c.position, RULES.c.id))
    return [Rule(row.id, [int(o) for o in row.owners], row.region, row.industry, row.source) for row in rows]


async def load_people(conn: AsyncConnection) -> list[Person]:
    """Return who may own customers, with their open tasks and deals as load."""
    load: dict[int, int] = {}
    for _, source, still in WORK[:2]:
        query = select(source.c.owner_id, func.count()).where(still, source.c.owner_id.is_not(None))
        for owner, count in await conn.execute(query.group_by(source.c.owner_id)):
            load[owner] = load.get(owner, 0) + count
    rows = await conn.execute(select(USERS).where(USERS.c.disabled_at.is_(None)).order_by(USERS.c.id))
    return [Person(row.id, row.roles, row.regions, load.get(row.id, 0)) for row in rows]


async def owner_for(conn: AsyncConnection, lead: Lead) -> int | None:
    """Return who gets a new customer."""
    choice = choose(lead, await load_rules(conn), await load_people(conn))
    return choice.owner_id if choice else None


def _heavier(person: Person) -> Person:
    return Person(person.id, person.roles, person.regions, person.load + 1)


async def _move(
    conn: AsyncConnection, ids: Sequence[int], owner_id: int, by: int | None, reason: str, now: datetime
) -> list[dict[str, Any]]:
    """Give companies and their open work to an owner; work that a third person does stays there."""
    undo = []
    for part in chunks(list(ids)):
        rows = (await conn.execute(select(COMPANIES.c.id, COMPANIES.c.owner_id).where(COMPANIES.c.id.in_(part)))).all()
        changing = [row for row in rows if row.owner_id != owner_id]
        for row in changing:
            work: dict[str, list[int]] = {}
            for name, source, still in WORK:
                theirs = source.c.owner_id.is_(None) | (source.c.owner_id == row.owner_id)
                mine = select(source.c.id).where(source.c.company_id == row.id, still, theirs)
                work[name] = list((await conn.execute(mine)).scalars())
                await conn.execute(update(source).where(source.c.id.in_(work[name])).values(owner_id=owner_id))
            await _remember(conn, row.id, row.owner_id, owner_id, by, reason, now)
            undo.append({"id": row.id, "owner_id": row.owner_id, "to": owner_id, "work": work})
        await assign_companies(conn, [row.id for row in changing], owner_id, now)
    return undo


async def _remember(
    conn: AsyncConnection, company: int, was: int | None, to: int | None, by: int | None, reason: str, now: datetime
) -> None:
    values = {"company_id": company, "from_id": was, "to_id": to, "by_id": by, "reason": reason[:200], "at": now}
    await conn.execute(insert(CHANGES).values(**values))


def _parts(name: str) -> list[str]:
    """Return what the names of others are searched for: the longest words that tell which company it is.

    A slip in one half of a long word is caught by its other half, as is a letter that is written in two ways (ü, ue).
    """
    own = sorted({word for word in words_of(name).own if len(word) >= 2}, key=len, reverse=True)[:3]
    halves = [
        half for word in own if len(word) >= LONG for half in (word[: len(word) // 2 + 1], word[len(word) // 2 :])
    ]
    return list(dict.fromkeys([*own, *halves]))


async def _candidates(conn: AsyncConnection, new: Known) -> list[Known]:
    """Read the companies that share a domain or its name, the end of a telephone number or a part of the name."""
    domain, label = company_domain(new.domain) if new.domain else None, domain_label(new.domain)
    signs: list[Any] = []
    if domain:
        signs.append(or_(COMPANIES.c.domain == domain, COMPANIES.c.domain.endswith("." + domain, autoescape=True)))
    if label:
        signs.append(COMPANIES.c.domain.startswith(label + ".", autoescape=True))
    signs += [alike(COMPANIES.c.name, like(part)) for part in _parts(new.name)]
    ends = [number[-4:] for phone in new.phones if (number := normal_number(phone, new.country))]
    if ends:
        by_phone = select(CONTACTS.c.company_id).where(or_(*(CONTACTS.c.phone.endswith(end) for end in ends)))
        signs += [COMPANIES.c.phone.endswith(end) for end in ends] + [COMPANIES.c.id.in_(by_phone)]
    if not signs:
        return []
    c = COMPANIES.c
    query = select(c.id, c.name, c.domain, c.country, c.phone)
    query = query.where(or_(*signs), c.merged_into.is_(None), c.id != new.id)
    rows = (await conn.execute(query.order_by(c.id).limit(MOST_CANDIDATES))).all()
    phones: dict[int, list[str]] = {row.id: [row.phone] if row.phone else [] for row in rows}
    if ends:
        for part in chunks(list(phones)):
            numbers = select(CONTACTS.c.company_id, CONTACTS.c.phone).where(
                CONTACTS.c.company_id.in_(part), CONTACTS.c.phone.is_not(None)
            )
            for company, phone in await conn.execute(numbers):
                phones[company].append(phone)
    return [Known(row.id, row.name, row.domain, row.country, tuple(phones[row.id])) for row in rows]
