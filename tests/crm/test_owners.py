"""Each customer has one owner; nobody is worked twice unknowingly."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from outreach.crm.owners.collide import Known, collisions
from outreach.crm.owners.rules import Lead, Person, Rule, choose
from outreach.crm.owners.store import OwnerStore
from outreach.crm.store import add_task, note
from outreach.model import Company, Contact, Task
from outreach.model.base import table
from tests.crm.conftest import NOW, Firm

PEOPLE = [Person(1, ["salesperson"], ["Europe"], 3), Person(2, ["salesperson"], [], 0), Person(3, ["manager"], [], 0)]
COMPANIES, TASKS = table(Company), table(Task)


def test_the_first_rule_that_fits_decides_then_the_load() -> None:
    rules = [Rule(7, [1, 2], region="Europe", source="canton fair"), Rule(8, [3], industry="Signage")]
    assert choose(Lead("Europe", "lighting", "Canton Fair 2026"), rules, PEOPLE) == choose(
        Lead("Europe", None, "canton fair"), rules, PEOPLE
    )
    chosen = choose(Lead("Europe", None, "Canton Fair 2026"), rules, PEOPLE)
    assert chosen is not None
    assert (chosen.owner_id, chosen.rule_id) == (2, 7)
    by_industry = choose(Lead("Asia", "signage", None), rules, PEOPLE)
    assert by_industry is not None
    assert by_industry.owner_id == 3


def test_without_a_rule_the_region_and_the_load_decide() -> None:
    near = choose(Lead("Europe"), [], PEOPLE)
    far = choose(Lead("Africa"), [], PEOPLE)
    assert near is not None
    assert far is not None
    assert (near.owner_id, far.owner_id) == (1, 2)
    assert choose(Lead("Asia"), [Rule(1, [99])], PEOPLE) is not None
    assert choose(Lead(), [], []) is None


@given(st.lists(st.integers(0, 20), min_size=1, max_size=8), st.sampled_from([None, "Europe", "Asia"]))
def test_as_long_as_somebody_sells_everybody_gets_an_owner(loads: list[int], region: str | None) -> None:
    people = [Person(number, ["salesperson"], [], load) for number, load in enumerate(loads)]
    choice = choose(Lead(region), [Rule(1, [999], region="Europe")], people)
    assert choice is not None
    assert loads[choice.owner_id] == min(loads)


@pytest.mark.parametrize(
    ("new", "by"),
    [
        (Known(0, "Anything", "mail.brandt.example", "DE"), "domain"),
        (Known(0, "Quite another", None, "DE", ("030 1234567",)), "phone"),
        (Known(0, "Lichtwerk Brant GmbH", None, "DE"), "name"),
        (Known(0, "LICHTWERK BRANDT AG", None, "AT"), "name"),
        (Known(0, "Lichtwerk Brant GmbH", None, "CN"), None),
        (Known(0, "Hafen Licht BV", None, "NL"), None),
        (Known(0, "Lichtwerk Brand France", "brandt.fr", "FR"), "sister"),
        (Known(0, "Something else", "brandt.fr", "FR"), None),
    ],
)
def test_what_may_be_the_same(new: Known, by: str | None) -> None:
    there = [Known(5, "Lichtwerk Brandt GmbH", "brandt.example", "DE", ("+49 30 123 4567",))]
    found = collisions(new, there)
    assert [one.by for one in found] == ([by] if by else [])


@pytest.mark.parametrize(
    ("stored", "new"),
    [
        ("Aurora", "Auroras Ltda"),
        ("Müller Licht GmbH", "Mueller Licht"),
        ("Nord Wind Design", "Nordwind Design A/S"),
        ("Hanssen Wholesale ApS", "Hansen Wholesale"),
    ],
)
async def test_a_slip_in_the_only_own_word_is_found_among_the_stored(firm: Firm, stored: str, new: str) -> None:
    ours = firm.companies["Aurora"]
    async with firm.db.write() as conn:
        await conn.execute(update(COMPANIES).where(COMPANIES.c.id == ours).values(name=stored))
    found = await OwnerStore(firm.db).find_collisions(Known(0, new, None, None))
    assert [one.id for one, _ in found] == [ours]


async def test_nobody_stays_without_an_owner(firm: Firm) -> None:
    owners = OwnerStore(firm.db)
    assert await owners.place_unowned(NOW) == 1
    assert await owners.place_unowned(NOW) == 0
    async with firm.db.read() as conn:
        row = (await conn.execute(select(COMPANIES).where(COMPANIES.c.id == firm.companies["Aurora"]))).one()
        person = await conn.scalar(
            select(table(Contact).c.owner_id).where(table(Contact).c.id == firm.contacts["Aurora"])
        )
    assert row.owner_id in (firm.users["zhou"], firm.users["wang"])
    assert person == row.owner_id
    assert [(change.from_id, change.reason) for change in await owners.history(row.id)] == [(None, "rules")]


async def test_rules_are_data_with_an_order_and_an_undo(firm: Firm) -> None:
    owners, sun = OwnerStore(firm.db), firm.actor("sun")
    first = await owners.add_rule(Rule(0, [firm.users["wang"]], region="Americas"), sun, NOW)
    second = await owners.add_rule(Rule(0, [firm.users["zhou"]], source="Canton"), sun, NOW)
    await owners.move_rule(second, True, sun, NOW)
    assert [row.id for row in await owners.rules()] == [second, first]
    kept = await owners.remove_rule(second, sun, NOW)
    assert kept is not None
    assert [row.id for row in await owners.rules()] == [first]
    await owners.restore_rule(kept, sun, NOW)
    assert [row.id for row in await owners.rules()] == [second, first]
    await owners.place_unowned(NOW)
    async with firm.db.read() as conn:
        row = (await conn.execute(select(COMPANIES).where(COMPANIES.c.id == firm.companies["Aurora"]))).one()
    assert row.owner_id == firm.users["zhou"]


async def test_open_work_moves_with_the_customer_and_back(firm: Firm) -> None:
    owners, sun = OwnerStore(firm.db), firm.actor("sun")
    brandt, zhou, wang = firm.companies["Brandt"], firm.users["zhou"], firm.users["wang"]
    async with firm.db.write() as conn:
        mine = await add_task(conn, "call", "Call", NOW, owner_id=zhou, company_id=brandt)
        others = await add_task(conn, "case", "Case", NOW, owner_id=firm.users["wu"], company_id=brandt)

    async def holders() -> dict[int, Any]:
        async with firm.db.read() as conn:
            return {row.id: row.owner_id for row in await conn.execute(select(TASKS.c.id, TASKS.c.owner_id))}

    undo = await owners.assign([brandt], wang, sun, NOW)
    assert await holders() == {mine: wang, others: firm.users["wu"]}
    await owners.take_back(undo, sun, NOW)
    assert await holders() == {mine: zhou, others: firm.users["wu"]}
    assert [(one.from_id, one.to_id) for one in await owners.history(brandt)] == [(wang, zhou), (zhou, wang)]


async def test_colleagues_at_work_are_named(firm: Firm) -> None:
    owners, brandt = OwnerStore(firm.db), firm.companies["Brandt"]
    assert await owners.at_work(brandt, firm.users["zhou"], NOW) == []
    async with firm.db.write() as conn:
        await note(conn, "call", "spoke", NOW, company_id=brandt, user_id=firm.users["wang"])
    found = await owners.at_work(brandt, firm.users["zhou"], NOW)
    assert [(one.user_id, one.what) for one in found] == [(firm.users["wang"], "contact")]
    assert await owners.at_work(brandt, firm.users["wang"], NOW) == []


async def test_collisions_are_found_in_the_database(firm: Firm) -> None:
    owners = OwnerStore(firm.db)
    async with firm.db.write() as conn:
        mine = table(Contact).c.id == firm.contacts["Safa"]
        await conn.execute(update(table(Contact)).where(mine).values(phone="+971 4 123 4567"))
    for new, name, by in (
        (Known(0, "Brand Lighting", None, "DE"), "Brandt", "name"),
        (Known(0, "", "brandt.example"), "Brandt", "domain"),
        (Known(0, "Other", None, "AE", ("04 1234567",)), "Safa", "phone"),
    ):
        found = await owners.find_collisions(new)
        assert [(row.id, one.by) for one, row in found][:1] == [(firm.companies[name], by)]
    assert await owners.find_collisions(Known(0, "Zzyzx", "zzyzx.example")) == []
