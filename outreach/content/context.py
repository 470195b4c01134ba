"""Rows → the plain values that a template sees. Nothing but str, numbers, lists and dicts passes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from outreach.content.languages import country_name

LONG = 10_000  # characters of one value: longer ones are notes, not words of a mail


@dataclass(frozen=True)
class VariableInfo:
    """A documented variable: captions for the editor, an example for the docs."""

    en: str
    zh: str
    example: str


VARIABLES: dict[str, VariableInfo] = {
    "first_name": VariableInfo("First name", "名", "Anna"),
    "last_name": VariableInfo("Last name", "姓", "Schmidt"),
    "full_name": VariableInfo("Full name", "姓名", "Anna Schmidt"),
    "email": VariableInfo("E-mail address", "邮箱", "anna@example.com"),
    "company": VariableInfo("Company", "公司", "Lumen GmbH"),
    "country": VariableInfo("Country, ISO code", "国家代码", "DE"),
    "country_name": VariableInfo("Country in the mail's language", "国家名称", "Germany"),
    "region": VariableInfo("Region", "地区", "Europe"),
    "city": VariableInfo("City", "城市", "Hamburg"),
    "industry": VariableInfo("Industry", "行业", "lighting"),
    "language": VariableInfo("The contact's language", "语言", "en"),
    "grade": VariableInfo("Grade A to D", "等级", "A"),
    "intent": VariableInfo("Intent", "意向", "price"),
    "phone": VariableInfo("Telephone", "电话", "+49 40 123456"),
    "birthday": VariableInfo("Birthday", "生日", "1985-03-14"),
    "interests": VariableInfo("Interests, a list", "兴趣(列表)", "floodlights, street lights"),
    "tags": VariableInfo("Tags, a list", "标签(列表)", "fair-2026"),
    "attr": VariableInfo("Further columns: attr.NAME", "其他列:attr.列名", "attr.booth"),
    "orders_total": VariableInfo("Sum of all orders", "累计订单额", "18250"),
    "last_order.number": VariableInfo("Number of the last order", "最近订单号", "PO-2026-118"),
    "last_order.date": VariableInfo("Date of the last order", "最近订单日期", "2026-09-30"),
    "last_order.amount": VariableInfo("Amount of the last order", "最近订单金额", "4200"),
    "last_order.currency": VariableInfo("Its currency", "币种", "EUR"),
    "last_order.product": VariableInfo("What was ordered", "最近订单产品", "floodlights"),
    "owner.name": VariableInfo("The salesperson", "业务员姓名", "Li Na"),
    "owner.email": VariableInfo("The salesperson's address", "业务员邮箱", "li.na@example.com"),
    "owner.phone": VariableInfo("The salesperson's telephone", "业务员电话", "+86 755 1234 5678"),
    "owner.title": VariableInfo("The salesperson's position", "业务员职位", "Sales Manager"),
    "sender.company": VariableInfo("Our company", "我方公司", "Aurora Lighting Co., Ltd."),
    "sender.postal_address": VariableInfo("Our postal address", "我方邮政地址", "8 Harbour Road, Shenzhen"),
    "sender.website": VariableInfo("Our website", "我方网站", "https://www.example.com"),
    "sender.phone": VariableInfo("Our telephone", "我方电话", "+86 755 1234 5600"),
    "sender.email": VariableInfo("Our address", "我方邮箱", "info@example.com"),
    "sender.country": VariableInfo("Our country", "我方国家", "CN"),
    "campaign.name": VariableInfo("The campaign", "活动名称", "LED show 2027"),
    "today": VariableInfo("The day of sending", "发送日期", "2026-11-22"),
    "unsubscribe_url": VariableInfo("Unsubscribe page", "退订链接", "https://t.example.com/u/…"),
    "preferences_url": VariableInfo("Preference page", "偏好设置链接", "https://t.example.com/p/…"),
}
KNOWN = frozenset(VARIABLES) | {name.partition(".")[0] for name in VARIABLES}

_CONTACT = (
    *("first_name", "last_name", "email", "company", "country", "region", "city", "industry", "language"),
    *("grade", "intent", "phone", "birthday", "interests", "tags", "orders_total"),
)


def build_context(
    *,
    contact: Any,
    company: Any = None,
    owner: Any = None,
    sender: Any = None,
    last_order: Any = None,
    campaign: Any = None,
    today: date | None = None,
    language: str = "en",
) -> dict[str, Any]:
    """The context of one recipient; each argument is a mapping or a row with attributes, or None."""
    values: dict[str, Any] = {name: plain(_get(contact, name)) for name in _CONTACT}
    for name in ("interests", "tags"):
        values[name] = _names(_get(contact, name))
    named = _get(company, "name")
    values["company"] = plain(named if named else _name(_get(contact, "company")))
    for name in ("country", "region", "city", "industry"):
        values[name] = values[name] or plain(_get(company, name)) or ""
    values["full_name"] = _full_name(contact, language)
    values["country_name"] = country_name(values["country"], language) if values["country"] else ""
    values["attr"] = plain(_get(contact, "attr") or _get(contact, "attributes") or {})
    values["last_order"] = _table(_order(last_order, contact), "last_order")
    values["owner"] = _table(owner, "owner")
    values["sender"] = _table(sender, "sender")
    values["campaign"] = _table(campaign, "campaign")
    values["today"] = today.isoformat() if today else ""
    values["language"] = values["language"] or language
    return values


def _table(row: Any, head: str) -> dict[str, Any]:
    names = [name.partition(".")[2] for name in VARIABLES if name.startswith(head + ".")]
    return {name: plain(_get(row, name)) for name in names}


def _order(last_order: Any, contact: Any) -> Any:
    """A row of its own, or the contact's bare date."""
    given = last_order if last_order is not None else _get(contact, "last_order")
    return {"date": given} if isinstance(given, (str, date)) else given


def _full_name(contact: Any, language: str) -> str:
    """Family name first, and unspaced, where both parts are Chinese, Japanese or Korean."""
    given = str(plain(_get(contact, "full_name")) or "")
    first, last = str(plain(_get(contact, "first_name"))), str(plain(_get(contact, "last_name")))
    if given:
        return given
    if first and last and all("぀" <= letter <= "힣" for letter in first + last):
        return last + first
    return f"{first} {last}".strip()


def _get(row: Any, name: str) -> Any:
    if row is None:
        return None
    if isinstance(row, Mapping):
        return row.get(name)
    return getattr(row, name, None)


def _name(value: Any) -> Any:
    """A related row stands for its name."""
    return value if value is None or isinstance(value, (str, int, float)) else _get(value, "name")


def _names(values: Any) -> list[str]:
    """`a; b`, a list of texts or of rows with a name → texts."""
    if isinstance(values, str):
        return [part.strip() for part in values.replace("；", ";").split(";") if part.strip()]
    if isinstance(values, Sequence | set | frozenset):
        return (
            sorted(str(_name(value)) for value in values if _name(value))
            if _unordered(values)
            else [str(_name(value)) for value in values if _name(value)]
        )
    return []


def _unordered(values: Any) -> bool:
    return isinstance(values, set | frozenset)


def plain(value: Any) -> Any:
    """A value as str, number, list or dict; None is ""; an unknown object is refused with TypeError."""
    if value is None:
        return ""
    if isinstance(value, str):
        return str.__str__(value)[:LONG] if type(value) is str else str(getattr(value, "value", value))[:LONG]
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    raise TypeError(f"a template cannot see a {type(value).__name__}")
