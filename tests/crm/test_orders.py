"""Orders come from other systems' lists; reading a list twice changes nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from outreach.crm.deals.money import Money
from outreach.crm.orders.rows import OrderRefused, field_of, missing_columns, read_order
from outreach.crm.orders.store import OrderStore
from outreach.model import Contact, Order
from outreach.model.base import table
from tests.crm.conftest import NOW, Firm

LIST = """\
订单号,客户,日期,金额,币种,交货日期
MX-1,Brandt Lighting,2026-10-01,"12,500.00",EUR,2026-11-10
MX-2,Brandt Lighting GmbH,2026-11-02,800,USD,
MX-3,Nobody at all,2026-11-02,800,USD,
MX-4,Safa Lighting GmbH,2.11.2026,-5,USD,
,Safa Lighting GmbH,2026-11-02,5,USD,
MX-5,Safa Lighting GmbH,2026-11-02,5,Taler,
"""


def test_headers_are_known_in_both_languages() -> None:
    assert [field_of(name) for name in ("Order No.", "客户名称", "order_date", "金额", "Colour")] == [
        "number",
        "company",
        "ordered_on",
        "amount",
        None,
    ]
    assert missing_columns(["Order no", "Total"]) == ["ordered_on", "company"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"number": ""}, "no_number"),
        ({"company": ""}, "no_customer"),
        ({"amount": "lots"}, "bad_amount"),
        ({"ordered_on": "31.31.2026"}, "bad_date"),
        ({"ordered_on": ""}, "no_date"),
        ({"currency": "Taler"}, "bad_currency"),
    ],
)
def test_a_row_that_is_no_order_says_why(change: dict[str, str], code: str) -> None:
    cells = {"number": "1", "company": "A", "ordered_on": "2026-01-02", "amount": "5", "currency": "USD"}
    with pytest.raises(OrderRefused) as error:
        read_order(cells | change, "USD")
    assert error.value.code == code
    assert read_order(cells, "USD").ordered_on == date(2026, 1, 2)


async def test_a_list_is_imported_once_and_its_refusals_named(firm: Firm, tmp_path: Path) -> None:
    orders = OrderStore(firm.db, Money("USD", {"EUR": 1.1}))
    path = tmp_path / "orders.csv"
    path.write_bytes(LIST.encode("gb18030"))
    first = await orders.import_file(path, firm.actor("sun"), NOW)
    assert (first.read, first.added, first.rejected) == (6, 2, 4)
    assert [refused["code"] for refused in first.rejects] == [
        "bad_amount", "no_number", "bad_currency", "unknown_customer",
    ]  # fmt: skip
    again = await orders.import_file(path, firm.actor("sun"), NOW)
    assert (again.added, again.updated, again.unchanged) == (0, 0, 2)
    contacts = table(Contact)
    async with firm.db.read() as conn:
        person = (await conn.execute(select(contacts).where(contacts.c.id == firm.contacts["Brandt"]))).one()
        assert await conn.scalar(select(func.count()).select_from(table(Order))) == 2
    assert (person.last_order, person.orders_total) == (date(2026, 11, 2), pytest.approx(12_500 * 1.1 + 800))


async def test_a_changed_line_updates_and_a_delivery_can_be_noted(firm: Firm, tmp_path: Path) -> None:
    orders = OrderStore(firm.db, Money())
    path = tmp_path / "orders.csv"
    head = "number,email,date,amount\n"
    path.write_text(head + "A-1,KIM@safa.example,2026-11-02,100\n")
    assert (await orders.import_file(path, firm.actor("sun"), NOW)).added == 1
    path.write_text(head + "A-1,kim@safa.example,2026-11-02,150\n")
    assert (await orders.import_file(path, firm.actor("sun"), NOW)).updated == 1
    async with firm.db.read() as conn:
        order = (await conn.execute(select(table(Order)))).one()
    assert (order.amount, order.contact_id, order.company_id) == (150, firm.contacts["Safa"], firm.companies["Safa"])
    assert await orders.deliver(order.id, date(2026, 11, 20), firm.actor("sun"), NOW) is None
    assert await orders.deliver(order.id, None, firm.actor("sun"), NOW) == date(2026, 11, 20)


async def test_a_list_without_the_columns_is_refused(firm: Firm, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("number,colour\nA-1,red\n")
    with pytest.raises(ValueError, match=r"ordered_on, amount, company"):
        await OrderStore(firm.db, Money()).import_file(path, firm.actor("sun"), NOW)
