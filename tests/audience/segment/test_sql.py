"""The SQL finds exactly whom the words mean, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import func, select, text

from outreach.audience import segment
from outreach.audience.segment import FIELDS, Kind, SegmentError
from outreach.db.session import Database
from outreach.model import Contact
from tests.audience.hostile import payloads
from tests.audience.people import NOW, population, store
from tests.audience.segment.test_roundtrip import trees

Person = dict[str, Any]
PEOPLE = population()


@pytest.fixture
async def people(db: Database) -> Database:
    async with db.write() as conn:
        await store(conn, PEOPLE)
    return db


async def found(db: Database, expression: str) -> set[int]:
    async with db.read() as conn:
        return set((await conn.execute(segment.select_ids(segment.parse(expression), NOW))).scalars())


def low(value: Any) -> str:
    return (value or "").lower()


def owner(p: Person) -> Any:
    return p["owner"] or (p["company_owner"] if p["company"] else None)


TODAY = NOW.date()
CASES: list[tuple[str, Callable[[Person], Any]]] = [
    ("everyone", lambda p: True),
    ("not everyone", lambda p: False),
    ("region = Europe", lambda p: p["region"] == "Europe"),
    ("地区 属于 (欧洲, 中东)", lambda p: p["region"] in ("Europe", "Middle East")),
    ("country = Germany", lambda p: p["country"] == "DE"),
    ("country != Germany", lambda p: p["country"] != "DE"),
    ("country is empty", lambda p: not p["country"]),
    ("country is not empty", lambda p: p["country"]),
    ("city = berlin", lambda p: low(p["city"]) == "berlin"),
    ("not city = berlin", lambda p: low(p["city"]) != "berlin"),
    ("city != berlin", lambda p: low(p["city"]) != "berlin"),
    ("city = évian or city = ÉVIAN", lambda p: low(p["city"]) == "évian"),
    ("city contains vian", lambda p: "vian" in low(p["city"])),
    ("city not contains ber", lambda p: "ber" not in low(p["city"])),
    ("city is empty", lambda p: not p["city"]),
    ("city is not empty", lambda p: p["city"]),
    ("industry in (lighting, 照明)", lambda p: low(p["industry"]) in ("lighting", "照明")),
    ("industry not in (lighting, 照明)", lambda p: low(p["industry"]) not in ("lighting", "照明")),
    ("language = German", lambda p: p["language"] == "de"),
    ("grade in (A, b)", lambda p: p["grade"] in ("A", "B")),
    ("intent = price", lambda p: p["intent"] == "price"),
    ("source = alibaba", lambda p: p["source"] == "Alibaba"),
    ("basis = none", lambda p: p["basis"] == "none"),
    ("not basis = none", lambda p: p["basis"] != "none"),
    ("owner = li.na", lambda p: owner(p) == "li.na"),
    ("owner = zhao.min", lambda p: owner(p) == "zhao.min"),
    ("owner != zhao.min", lambda p: owner(p) != "zhao.min"),
    ("owner is empty", lambda p: not owner(p)),
    ("owner is not empty", lambda p: owner(p)),
    ("company contains acme", lambda p: "acme" in low(p["company"])),
    ('company = "100%_real"', lambda p: p["company"] == "100%_Real"),
    ('company contains "%_"', lambda p: "%_" in low(p["company"])),
    ('company not contains "%"', lambda p: "%" not in low(p["company"])),
    ("company is empty", lambda p: not p["company"]),
    ("company != 'Acme GmbH'", lambda p: p["company"] != "Acme GmbH"),
    ("tag = VIP", lambda p: "vip" in p["tags"]),
    ("not tag = vip", lambda p: "vip" not in p["tags"]),
    ("tag in (vip, 照明)", lambda p: p["tags"] & {"vip", "照明"}),
    ("tag not in (vip, fair)", lambda p: not p["tags"] & {"vip", "fair"}),
    ('tag contains "%"', lambda p: "100%" in p["tags"]),
    ("tag is empty", lambda p: not p["tags"]),
    ("interest = led and not interest = solar", lambda p: p["interests"] == {"led"}),
    ("interest is not empty", lambda p: p["interests"]),
    ("email = P7@gmail.com or email contains p1", lambda p: p["email"] == "p7@gmail.com" or "p1" in p["email"]),
    ("domain = gmail.com", lambda p: p["domain"] == "gmail.com"),
    ("domain != gmail.com", lambda p: p["domain"] != "gmail.com"),
    ("email is empty", lambda p: False),
    ("last_order < 180 days ago", lambda p: p["last_order"] and p["last_order"] > TODAY - timedelta(180)),
    ("last_order <= 180 days ago", lambda p: p["last_order"] and p["last_order"] >= TODAY - timedelta(180)),
    ("last_order > 180 days ago", lambda p: p["last_order"] and p["last_order"] < TODAY - timedelta(180)),
    ("last_order before 180 days ago", lambda p: p["last_order"] and p["last_order"] < TODAY - timedelta(180)),
    ("last_order after 180 days ago", lambda p: p["last_order"] and p["last_order"] > TODAY - timedelta(180)),
    ("last_order within 180 days", lambda p: p["last_order"] and p["last_order"] >= TODAY - timedelta(180)),
    ("last_order not within 180 days", lambda p: not (p["last_order"] and p["last_order"] >= TODAY - timedelta(180))),
    ("last_order = 180 days ago", lambda p: p["last_order"] == TODAY - timedelta(180)),
    ("last_order within 1 year", lambda p: p["last_order"] and p["last_order"] >= date(2025, 11, 22)),
    ("last_order < 2026-05-26", lambda p: p["last_order"] and p["last_order"] < date(2026, 5, 26)),
    ("last_order is empty", lambda p: not p["last_order"]),
    ("created >= 2026-06-01 and created < 2026-09-01", lambda p: date(2026, 6, 1) <= p["created"].date() < date(2026, 9, 1)),
    ("created = 2026-11-01 or created <= 2026-03-01", lambda p: p["created"].date() == date(2026, 11, 1) or p["created"].date() <= date(2026, 3, 1)),
    ("opened within 30 days", lambda p: p["last_opened"] and p["last_opened"] >= NOW - timedelta(30)),
    ("replied < 60 days ago", lambda p: p["last_replied"] and p["last_replied"] > NOW - timedelta(60)),
    ("not replied within 60 days", lambda p: not (p["last_replied"] and p["last_replied"] >= NOW - timedelta(60))),
    ("clicked is empty", lambda p: True),
    ("orders_total > 50", lambda p: (p["orders_total"] or 0) > 50),
    ("orders_total != 100", lambda p: p["orders_total"] != 100),
    ("not orders_total > 50", lambda p: not (p["orders_total"] or 0) > 50),
    ("orders_total is empty", lambda p: p["orders_total"] is None),
    ("orders_total in (0, 1500.5)", lambda p: p["orders_total"] in (0, 1500.5)),
    ("bounced", lambda p: p["bounced_at"]),
    ("not bounced", lambda p: not p["bounced_at"]),
    ("bounced = no", lambda p: not p["bounced_at"]),
    ("bounced within 30 days", lambda p: p["bounced_at"] and p["bounced_at"] >= NOW - timedelta(30)),
    ("bounced is empty", lambda p: not p["bounced_at"]),
    ("suppressed", lambda p: p["blocked"]),
    ("not suppressed", lambda p: not p["blocked"]),
    ("attr.size > 4", lambda p: p["attributes"].get("size") in ("5", "12")),
    ("attr.size <= 5", lambda p: p["attributes"].get("size") in ("5", "-3")),
    ("attr.size != 5", lambda p: p["attributes"].get("size") != "5"),
    ('attr."Booth No" contains b', lambda p: "b" in low(p["attributes"].get("Booth No"))),
    ("attr.size is empty", lambda p: not p["attributes"].get("size")),
    ("attr.none is not empty", lambda p: False),
    ("region = Europe and (grade = A or tag = vip) and not (tag = competitor or basis = none)",
     lambda p: p["region"] == "Europe" and (p["grade"] == "A" or "vip" in p["tags"]) and not ("competitor" in p["tags"] or p["basis"] == "none")),
]  # fmt: skip


async def test_every_condition_finds_exactly_whom_it_means(people: Database) -> None:
    wrong = []
    for expression, means in CASES:
        expected = {p["id"] for p in PEOPLE if not p["erased"] and means(p)}
        if (got := await found(people, expression)) != expected:
            wrong.append((expression, len(got - expected), len(expected - got)))
    assert not wrong


async def test_every_field_is_among_the_cases() -> None:
    asked = " ".join(expression for expression, _ in CASES)
    names = {field.name for field in FIELDS.values()} - {
        "last_contacted",
        "last_clicked",
        "last_opened",
        "last_replied",
    }
    assert not [name for name in names if name not in asked and FIELDS[name].zh not in asked]


async def test_a_condition_and_its_opposite_share_out_everyone(people: Database) -> None:
    everyone = await found(people, "everyone")
    for expression, _ in CASES:
        inside, outside = await found(people, expression), await found(people, f"not ({expression})")
        assert inside | outside == everyone, expression
        assert not inside & outside, expression


async def test_days_begin_at_midnight_where_the_asker_is(people: Database) -> None:
    from zoneinfo import ZoneInfo

    shanghai = NOW.astimezone(ZoneInfo("Asia/Shanghai"))
    statement = segment.select_ids(segment.parse("created = 2026-10-10"), shanghai)
    async with people.read() as conn:
        got = set((await conn.execute(statement)).scalars())
    days = {
        p["id"]
        for p in PEOPLE
        if not p["erased"] and p["created"].astimezone(shanghai.tzinfo).date() == date(2026, 10, 10)
    }
    assert got == days


@pytest.mark.parametrize(
    "name", [f.name for f in FIELDS.values() if f.kind in (Kind.CHOICE, Kind.NUMBER, Kind.DAY, Kind.FLAG)]
)
def test_500_hostile_values_are_refused_where_values_are_closed(name: str) -> None:
    for payload in payloads():
        quoted = payload.replace("\\", "\\\\").replace('"', '\\"')
        with pytest.raises(SegmentError):
            segment.parse(f'{name} = "{quoted}"')


async def test_500_hostile_values_in_every_text_field_find_nobody_and_change_nothing(people: Database) -> None:
    names = [f.name for f in FIELDS.values() if f.kind in (Kind.TEXT, Kind.SET)] + ["attr.size", 'attr."Booth No"']
    for payload in payloads():
        value = segment.to_text(
            segment.Condition("city", segment.Op.EQ, (payload.replace("\x00", " ").strip().lower(),))
        )[7:]
        hostile = " or ".join(f"{name} = {value} or {name} contains {value}" for name in names)
        assert await found(people, hostile) == set(), payload
    async with people.read() as conn:
        assert await conn.scalar(select(func.count()).select_from(Contact)) == len(PEOPLE)
        assert await conn.scalar(text("SELECT count(*) FROM contact_tag")) > 0


async def test_500_hostile_attribute_names_are_refused_or_find_nobody(people: Database) -> None:
    for payload in payloads():
        quoted = payload.replace("\\", "\\\\").replace('"', '\\"')
        try:
            expression = segment.to_text(segment.parse(f'attr."{quoted}" = x'))
        except SegmentError:
            continue
        assert await found(people, expression) == set(), payload


async def test_any_tree_is_a_statement_that_both_databases_accept(people: Database) -> None:
    statements: list[Any] = []

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(trees)
    def collect(tree: segment.Node) -> None:
        statements.append(segment.select_ids(tree, NOW))

    collect()
    async with people.read() as conn:
        for statement in statements:
            (await conn.execute(statement)).all()


def test_the_steps_add_up() -> None:
    tree = segment.parse("region = Europe and (grade = A or tag = vip) and not basis = none")
    steps = segment.explain(tree)
    assert [(s.path, s.depth, s.group) for s in steps] == [
        ("0", 0, "and"), ("1", 0, "and"), ("1.0", 1, "or"), ("1.1", 1, "or"), ("2", 0, "and")]  # fmt: skip
    assert steps[0].before == segment.Everyone()
    assert steps[-1].after == tree
    assert steps[0].zh == "地区 是 欧洲"
    assert steps[4].zh == "非：发信依据 是 none"
    assert segment.describe(segment.parse("last_order < 180 days ago"), "zh") == "最近下单 晚于 180 天前"  # type: ignore[arg-type]
