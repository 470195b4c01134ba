"""Tree → SQL over the table ``contact``, by SQLAlchemy alone: no value is ever part of a statement's text.

Every test is two-valued: a contact without an industry is not "not lighting by accident", it is in ``not industry =
lighting``. So each leaf comes as a pair (positive, negative), and negation is pushed down to the leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, exists, false, func, not_, or_, select, true

from outreach.audience.segment.attributes import attribute_number, attribute_text
from outreach.audience.segment.days import COMPARE, asks_day
from outreach.audience.segment.fields import ATTRIBUTE_PREFIX
from outreach.audience.segment.semi import Subset, outside
from outreach.audience.segment.tree import OPPOSITES, And, Condition, Everyone, Node, Not, Op, Or, Value
from outreach.model.base import table
from outreach.model.customer import Company, Contact, ContactTag, EmailAddress, Tag
from outreach.model.staff import User
from outreach.model.suppressed import is_suppressed

CONTACT, COMPANY, ADDRESS, USER = table(Contact), table(Company), table(EmailAddress), table(User)
TAG, CONTACT_TAG = table(Tag), table(ContactTag)

Expression = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Test:
    """A question and its exact opposite; neither is ever NULL where it matters."""

    yes: Expression
    no: Expression


def select_ids(node: Node, now: datetime) -> Select[Any]:
    """Return the statement that yields the ids of the segment's contacts. `now` is aware; its zone decides days."""
    return select(CONTACT.c.id).where(_column("erased_at").is_(None), condition(node, now))


def condition(node: Node, now: datetime, negated: bool = False) -> Expression:
    """Return the segment as a condition on ``contact``."""
    match node:
        case Everyone():
            return false() if negated else true()
        case Not(item):
            return condition(item, now, not negated)
        case And(items):
            return (or_ if negated else and_)(*(condition(item, now, negated) for item in items))
        case Or(items):
            return (and_ if negated else or_)(*(condition(item, now, negated) for item in items))
        case Condition():
            return _leaf(node, now, negated)


def _leaf(node: Condition, now: datetime, negated: bool) -> Expression:
    if node.op in OPPOSITES:
        node = Condition(node.field, OPPOSITES[node.op], node.values)
        negated = not negated
    if node.op is Op.IS and not node.values[0]:
        negated = not negated
    test = _test(node, now)
    return test.no if negated else test.yes


def _test(node: Condition, now: datetime) -> Test:
    if node.field.startswith(ATTRIBUTE_PREFIX):
        return _attribute(node)
    if (special := _SPECIAL.get(node.field)) is not None:
        return special(node, now)
    column = _column(node.field if node.field != "created" else "created_at")
    if node.op is Op.EMPTY:
        return _empty(column, is_text=node.field not in _DAYS | {"orders_total"})
    if node.field in _DAYS:
        return _nullable(column, asks_day(column, node.op, node.values, now))
    if node.field == "orders_total":
        return _nullable(column, _number(column, node))
    if node.field in _CODES:
        return _nullable(column, _code(column, node))
    return _nullable(column, matches(column, node.op, node.values))


_DAYS = frozenset({"created", "last_order", "last_contacted", "last_opened", "last_clicked", "last_replied"})
#: Columns that hold only values of a closed list, so that they compare as they are and an index can serve.
_CODES = frozenset({"country", "region", "language", "grade", "basis"})


def _column(name: str) -> ColumnElement[Any]:
    return CONTACT.c[name]


def _nullable(column: ColumnElement[Any], yes: Expression) -> Test:
    return Test(yes, or_(column.is_(None), not_(yes)))


def _empty(column: ColumnElement[Any], is_text: bool = True) -> Test:
    """Nothing, or only an empty text: unlike the other tests this one holds where the column is NULL."""
    blank = func.coalesce(column, "") == "" if is_text else column.is_(None)
    return Test(blank, not_(blank))


def _code(column: ColumnElement[Any], node: Condition) -> Expression:
    values = [str(value) for value in node.values]
    return column == values[0] if len(values) == 1 else column.in_(values)


def spellings(value: str) -> list[str]:
    """Return the value as ``lower(column)`` may show it.

    SQLite lowers ASCII letters alone, PostgreSQL all: for É the possible outcomes are listed instead.
    """
    found = [value.lower()]
    if not value.isascii():
        found += [
            "".join(char.lower() if char.isascii() else char for char in v)
            for v in (value, value.upper(), value.title())
        ]
    return list(dict.fromkeys(found))


def matches(column: ColumnElement[Any], op: Op, values: tuple[Value, ...]) -> Expression:
    """Return the test of a text column, regardless of case."""
    wanted = [spelling for value in values for spelling in spellings(str(value))]
    lowered = func.lower(column)
    if op is Op.CONTAINS:
        return or_(*(lowered.contains(text, autoescape=True) for text in wanted))
    return lowered == wanted[0] if len(wanted) == 1 else lowered.in_(wanted)


def _number(column: ColumnElement[Any], node: Condition) -> Expression:
    if node.op is Op.IN:
        return column.in_([float(str(value)) for value in node.values])
    return COMPARE[node.op](column, node.values[0])


def _attribute(node: Condition) -> Test:
    name = node.field.removeprefix(ATTRIBUTE_PREFIX)
    text = attribute_text(_column("attributes"), name)
    if node.op is Op.EMPTY:
        return _empty(text)
    if node.op in (Op.LT, Op.LE, Op.GT, Op.GE):
        value = node.values[0]
        column = attribute_number(text) if isinstance(value, float) else text
        return _nullable(column, COMPARE[node.op](column, value if isinstance(value, float) else str(value)))
    return _nullable(text, matches(text, node.op, node.values))


def _subset(subset: Subset) -> Test:
    return Test(subset.inside(), outside(subset))


def _of_contact(*where: Expression, rows: Table = ADDRESS) -> Test:
    """Ask for contacts that have a row of theirs in another table."""
    return _subset(Subset(_column("id"), rows.c.contact_id, where))


def _email(column_name: str) -> Callable[[Condition, datetime], Test]:
    def ask(node: Condition, now: datetime) -> Test:
        if node.op is Op.EMPTY:
            return _swap(_of_contact())
        column = ADDRESS.c[column_name]
        if node.op is Op.CONTAINS:
            return _of_contact(column.contains(str(node.values[0]), autoescape=True))
        return _of_contact(column.in_([str(value) for value in node.values]))

    return ask


def _swap(test: Test) -> Test:
    return Test(test.no, test.yes)


def _labels(kind: str) -> Callable[[Condition, datetime], Test]:
    def ask(node: Condition, now: datetime) -> Test:
        names = select(TAG.c.id).where(TAG.c.kind == kind)
        if node.op is Op.CONTAINS:
            names = names.where(TAG.c.name.contains(str(node.values[0]), autoescape=True))
        elif node.op is not Op.EMPTY:
            names = names.where(TAG.c.name.in_([str(value) for value in node.values]))
        test = _of_contact(CONTACT_TAG.c.tag_id.in_(names), rows=CONTACT_TAG)
        return _swap(test) if node.op is Op.EMPTY else test

    return ask


def _company(node: Condition, now: datetime) -> Test:
    column = _column("company_id")
    if node.op is Op.EMPTY:
        return Test(column.is_(None), column.is_not(None))
    named = Subset(column, COMPANY.c.id, (matches(COMPANY.c.name, node.op, node.values),))
    return Test(named.inside(), or_(column.is_(None), outside(named)))


def _owner(node: Condition, now: datetime) -> Test:
    """The contact's owner; where it has none, its customer's."""
    own, company_id = _column("owner_id"), _column("company_id")
    if node.op is Op.EMPTY:
        owned = exists().where(COMPANY.c.id == company_id, COMPANY.c.owner_id.is_not(None)).correlate(CONTACT)
        return Test(and_(own.is_(None), not_(owned)), or_(own.is_not(None), owned))
    people = select(USER.c.id).where(or_(matches(USER.c.name, node.op, node.values),
                                         matches(USER.c.display_name, node.op, node.values)))  # fmt: skip
    theirs = select(COMPANY.c.id).where(COMPANY.c.owner_id.in_(people))
    yes = or_(own.in_(people), and_(own.is_(None), company_id.in_(theirs)))
    return Test(yes, not_(func.coalesce(yes, false())))


def _bounced(node: Condition, now: datetime) -> Test:
    column = ADDRESS.c.bounced_at
    if node.op is Op.EMPTY:
        return _swap(_of_contact(column.is_not(None)))
    if node.op is Op.IS:
        return _of_contact(column.is_not(None))
    return _of_contact(asks_day(column, node.op, node.values, now))


def _suppressed(node: Condition, now: datetime) -> Test:
    return _of_contact(is_suppressed(ADDRESS.c.key, ADDRESS.c.domain))


_SPECIAL: dict[str, Callable[[Condition, datetime], Test]] = {
    "email": _email("normal"),
    "domain": _email("domain"),
    "tag": _labels("tag"),
    "interest": _labels("interest"),
    "company": _company,
    "owner": _owner,
    "bounced": _bounced,
    "suppressed": _suppressed,
}
