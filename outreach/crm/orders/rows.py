"""A list of orders as ERPs and spreadsheets write it: header names in two languages, dates, amounts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from outreach.audience import values as v
from outreach.crm.deals.money import currency_of

#: Field → the headers that people write, folded (lower case, no blanks).
HEADERS: dict[str, tuple[str, ...]] = {
    "number": (
        "number",
        "order",
        "orderno",
        "ordernumber",
        "orderid",
        "po",
        "pono",
        "订单号",
        "订单编号",
        "合同号",
        "单号",
    ),
    "company": ("company", "customer", "client", "buyer", "客户", "客户名称", "公司", "公司名称"),
    "email": ("email", "e-mail", "contact", "邮箱", "客户邮箱", "电子邮件"),
    "ordered_on": ("orderedon", "orderdate", "date", "下单日期", "订单日期", "日期", "签约日期"),
    "delivered_on": ("deliveredon", "deliverydate", "delivered", "交货日期", "到货日期", "签收日期"),
    "amount": ("amount", "total", "value", "金额", "订单金额", "总额", "合同金额"),
    "currency": ("currency", "币种", "货币"),
    "note": ("note", "remark", "remarks", "备注"),
}
_FIELD_OF = {name: field for field, names in HEADERS.items() for name in names}
NEEDED = ("number", "ordered_on", "amount")


class OrderRefused(ValueError):
    """A row that is no order. `column` and `code` say what is wrong; the text says it in words."""

    def __init__(self, column: str, code: str, text: str) -> None:
        self.column, self.code = column, code
        super().__init__(text)


@dataclass(frozen=True)
class OrderRow:
    """One order as read. The customer is found by `email` first, then by the name of the `company`."""

    number: str
    ordered_on: date
    amount: float
    currency: str = "USD"
    company: str = ""
    email: str = ""
    delivered_on: date | None = None
    note: str | None = None


def field_of(header: str) -> str | None:
    """Return the field that a column's header names."""
    return _FIELD_OF.get("".join(header.lower().split()).replace("_", "").replace(".", ""))


def missing_columns(headers: list[str]) -> list[str]:
    """Return what a list of these columns lacks: number, date, amount, and company or email."""
    there = {field_of(header) for header in headers}
    lacking = [field for field in NEEDED if field not in there]
    return lacking if there & {"company", "email"} else [*lacking, "company"]


def read_order(cells: Mapping[str, str], default_currency: str) -> OrderRow:
    """Turn the cells of a row (field → text) into an order. Raises OrderRefused."""
    number = cells.get("number", "").strip()[:80]
    if not number:
        raise OrderRefused("number", "no_number", "the order has no number")
    if not (cells.get("company", "").strip() or cells.get("email", "").strip()):
        raise OrderRefused("company", "no_customer", "the row names no customer: give a company or an address")
    amount = _amount(cells.get("amount", ""))
    try:
        currency = currency_of(cells.get("currency") or default_currency)
    except ValueError as error:
        raise OrderRefused("currency", "bad_currency", str(error)) from error
    return OrderRow(
        number=number,
        ordered_on=_day("ordered_on", cells.get("ordered_on", "")) or _no_day(),
        amount=amount,
        currency=currency,
        company=cells.get("company", "").strip()[:200],
        email=cells.get("email", "").strip().lower()[:320],
        delivered_on=_day("delivered_on", cells.get("delivered_on", "")),
        note=cells.get("note", "").strip()[:2000] or None,
    )


def _amount(text: str) -> float:
    try:
        amount = v.parse_number(text)
    except v.ValueRefused as error:
        raise OrderRefused("amount", "bad_amount", f"{text!r} is no amount") from error
    if amount < 0:
        raise OrderRefused("amount", "bad_amount", f"{text!r} is no amount of an order")
    return amount


def _day(column: str, text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return v.parse_date(text)
    except v.ValueRefused as error:
        raise OrderRefused(column, "bad_date", f"{text!r} is no date: write YYYY-MM-DD") from error


def _no_day() -> date:
    raise OrderRefused("ordered_on", "no_date", "the order has no date")
