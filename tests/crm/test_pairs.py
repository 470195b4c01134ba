"""Customers that may be one are compared in the background: no page waits, nothing newer is overlooked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from outreach.crm.owners.pairs import store as pairs
from outreach.crm.owners.pairs.store import PairBook
from outreach.model import Company, Contact
from outreach.model.base import table
from tests.crm.conftest import NOW, Firm
from tests.events.seeds import add

COMPANIES, CONTACTS = table(Company), table(Contact)


async def company(firm: Firm, name: str, phone: str | None = None) -> int:
    async with firm.db.write() as conn:
        number = await add(conn, Company, name=name, region="Other", created_at=NOW)
        await add(conn, Contact, company_id=number, source="fair", phone=phone, created_at=NOW)
    return number


async def told(book: PairBook) -> set[tuple[int, int]]:
    return {(pair.left, pair.right) for pair in (await book.pairs(NOW)).found}


async def test_names_and_telephones_are_compared_at_once_in_a_small_house(firm: Firm) -> None:
    one = await company(firm, "Lichtwerk Sommer GmbH")
    two = await company(firm, "Lichtwerk Sommer & Co. KG", "+49 30 998877")
    three = await company(firm, "Something Else", "+49 30 998877")
    book = PairBook(firm.db)
    assert {(one, two), (two, three)} <= await told(book)
    assert not (await book.pairs(NOW)).running


async def test_a_large_house_is_compared_in_the_background(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "AT_ONCE", 0)
    pair = (await company(firm, "Lichtwerk Sommer GmbH"), await company(firm, "Lichtwerk Sommer AG"))
    book = PairBook(firm.db)
    first = await book.pairs(NOW)
    assert (first.running, first.found) == (True, [])
    assert book._task is not None
    await book._task
    then = await book.pairs(NOW)
    assert not then.running
    assert pair in {(one.left, one.right) for one in then.found}
    assert then.customers == len(firm.companies) + 2


async def test_a_customer_that_is_new_merged_or_renamed_is_compared_again(firm: Firm) -> None:
    book = PairBook(firm.db)
    one = await company(firm, "Lichtwerk Sommer GmbH")
    before = await told(book)
    two = await company(firm, "Lichtwerk Sommer AG")
    assert await told(book) - before == {(one, two)}
    async with firm.db.write() as conn:
        renamed = {"name": "Winterhaus", "updated_at": NOW + timedelta(seconds=1)}
        await conn.execute(update(COMPANIES).where(COMPANIES.c.id == two).values(**renamed))
    assert await told(book) == before


async def test_a_comparison_that_fails_is_told_and_tried_again(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    book = PairBook(firm.db)
    with monkeypatch.context() as broken:
        broken.setattr(pairs, "similar_companies", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await book.pairs(NOW)
    assert (await book.pairs(NOW)).customers == len(firm.companies)
