"""Every field of the segment language: its kind, its names in English and Chinese, what may be asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from outreach.audience.regions import country_name, country_names, region_name
from outreach.audience.segment.tree import Op
from outreach.model.enums import Basis, Region


class Kind(StrEnum):
    """What kind of value a field has; the kind decides the operators."""

    TEXT = "text"
    CHOICE = "choice"
    SET = "set"
    NUMBER = "number"
    DAY = "day"
    FLAG = "flag"
    FLAG_DAY = "flag_day"
    ATTRIBUTE = "attribute"


_EQUAL = (Op.EQ, Op.NE, Op.IN, Op.NOT_IN)
_ORDER = (Op.LT, Op.LE, Op.GT, Op.GE)
_EMPTY = (Op.EMPTY, Op.NOT_EMPTY)
_LIKE = (Op.CONTAINS, Op.NOT_CONTAINS)
_DAYS = (Op.EQ, Op.NE, *_ORDER, Op.WITHIN, Op.NOT_WITHIN, Op.BEFORE, Op.AFTER)

OPERATORS: dict[Kind, tuple[Op, ...]] = {
    Kind.TEXT: (*_EQUAL, *_LIKE, *_EMPTY),
    Kind.CHOICE: (*_EQUAL, *_EMPTY),
    Kind.SET: (*_EQUAL, *_LIKE, *_EMPTY),
    Kind.NUMBER: (*_EQUAL, *_ORDER, *_EMPTY),
    Kind.DAY: (*_DAYS, *_EMPTY),
    Kind.FLAG: (Op.IS,),
    Kind.FLAG_DAY: (Op.IS, *_DAYS, *_EMPTY),
    Kind.ATTRIBUTE: (*_EQUAL, *_ORDER, *_LIKE, *_EMPTY),
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field. `name` is the one that is stored and printed; `zh` the printed Chinese one; `aliases` are read too."""

    name: str
    kind: Kind
    en: str
    zh: str
    aliases: tuple[str, ...] = ()

    @property
    def operators(self) -> tuple[Op, ...]:
        """Return what may be asked of it."""
        return OPERATORS[self.kind]

    def choices(self, language: str = "en") -> dict[str, str]:
        """Return stored value → name for people, where the values are closed; else empty."""
        if self.name == "region":
            return {str(region): region_name(region, language) for region in Region}
        if self.name == "country":
            return country_names(language)
        if self.name == "basis":
            return {str(basis): str(basis) for basis in Basis}
        return {grade: grade for grade in "ABCD"} if self.name == "grade" else {}


FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("email", Kind.TEXT, "E-mail", "邮箱", ("mail", "address", "邮箱地址", "邮件")),
        Field("domain", Kind.TEXT, "Mail domain", "域名", ("邮箱域名",)),
        Field("country", Kind.CHOICE, "Country", "国家", ("国家地区",)),
        Field("region", Kind.CHOICE, "Region", "地区", ("区域", "大区")),
        Field("city", Kind.TEXT, "City", "城市"),
        Field("industry", Kind.TEXT, "Industry", "行业"),
        Field("language", Kind.CHOICE, "Language", "语言", ("语种",)),
        Field("grade", Kind.CHOICE, "Grade", "等级", ("级别", "客户等级")),
        Field("intent", Kind.TEXT, "Intent", "意向"),
        Field("source", Kind.TEXT, "Source", "来源"),
        Field("basis", Kind.CHOICE, "Legal basis", "发信依据", ("依据", "合法依据")),
        Field("owner", Kind.TEXT, "Owner", "负责人", ("业务员", "跟进人")),
        Field("tag", Kind.SET, "Tag", "标签", ("tags",)),
        Field("interest", Kind.SET, "Interest", "兴趣", ("interests", "感兴趣")),
        Field("company", Kind.TEXT, "Customer", "公司", ("客户", "customer")),
        Field("created", Kind.DAY, "Created", "创建时间", ("创建", "录入时间")),
        Field("last_order", Kind.DAY, "Last order", "最近下单", ("下单", "ordered", "最后下单")),
        Field("orders_total", Kind.NUMBER, "Orders total", "订单总额", ("采购总额",)),
        Field("last_contacted", Kind.DAY, "Last contacted", "最近联系", ("contacted", "联系")),
        Field("last_opened", Kind.DAY, "Last opened", "最近打开", ("opened", "打开")),
        Field("last_clicked", Kind.DAY, "Last clicked", "最近点击", ("clicked", "点击")),
        Field("last_replied", Kind.DAY, "Last replied", "最近回复", ("replied", "回复")),
        Field("bounced", Kind.FLAG_DAY, "Bounced", "退信"),
        Field("suppressed", Kind.FLAG, "Suppressed", "禁发", ("禁发名单",)),
    )
}

#: What a field of the file may be called, in lower case → the field's name.
BY_NAME: dict[str, str] = {
    called: field.name for field in FIELDS.values() for called in (field.name, field.zh, *field.aliases)
}

ATTRIBUTE_PREFIX = "attr."


def field_named(name: str) -> Field | None:
    """Return the field of that name; any ``attr.NAME`` is a field too. None where there is none."""
    if name.startswith(ATTRIBUTE_PREFIX) and len(name) > len(ATTRIBUTE_PREFIX):
        return Field(name, Kind.ATTRIBUTE, name.removeprefix(ATTRIBUTE_PREFIX), name.removeprefix(ATTRIBUTE_PREFIX))
    return FIELDS.get(BY_NAME.get(name.lower(), ""))


def shown(field: Field, value: str, language: str) -> str:
    """Return a stored value as people of that language read it."""
    if field.name == "country":
        return country_name(value, language)
    return field.choices(language).get(value, value)
