"""Text in, tree out; errors point at the place."""

from __future__ import annotations

from datetime import date

import pytest

from outreach.audience import segment
from outreach.audience.segment import Ago, And, Condition, Everyone, Not, Op, Or, SegmentError


def test_the_campaign_file_of_the_contract() -> None:
    tree = segment.parse(
        "region = Europe and industry in (lighting, signage) and not tag = competitor and last_order < 180 days ago"
    )
    assert tree == And((
        Condition("region", Op.EQ, ("Europe",)),
        Condition("industry", Op.IN, ("lighting", "signage")),
        Not(Condition("tag", Op.EQ, ("competitor",))),
        Condition("last_order", Op.LT, (Ago(180, "day"),)),
    ))  # fmt: skip


@pytest.mark.parametrize(("text", "same"), [
    ("地区 = 欧洲 且 行业 属于 （照明，标识）", "region = Europe and industry in (照明, 标识)"),
    ("最近下单 < 180天前 或 退信", "last_order < 180 days ago or bounced"),
    ("国家 = 德国 并且 非 标签 = 竞争对手", "country = DE and not tag = 竞争对手"),
    ("城市 为空 或者 等级 = a", "city is empty or grade = A"),
    ("城市 不为空 and 标签 不包含 展会", "city is not empty and tag not contains 展会"),
    ("最近回复 近 60 天", "last_replied within 60 days"),
    ("负责人 = “李 娜”", 'owner = "李 娜"'),
    ("语言 = 德语 and 公司 包含 GmbH", "language = de and company contains GmbH"),
])  # fmt: skip
def test_chinese_is_understood(text: str, same: str) -> None:
    assert segment.parse(text) == segment.parse(same)


@pytest.mark.parametrize(("text", "tree"), [
    ("", Everyone()),
    ("  \n", Everyone()),
    ("everyone", Everyone()),
    ("region = Middle East", Condition("region", Op.EQ, ("Middle East",))),
    ("REGION = middle east", Condition("region", Op.EQ, ("Middle East",))),
    ("country != Deutschland", Condition("country", Op.NE, ("DE",))),
    ('country <> "Côte d’Ivoire"', Condition("country", Op.NE, ("CI",))),
    ("tag = 2025", Condition("tag", Op.EQ, ("2025",))),
    ("tag = VIP", Condition("tag", Op.EQ, ("vip",))),
    ('tag = "a and b"', Condition("tag", Op.EQ, ("a and b",))),
    (r'city = "say \"hi\" \\"', Condition("city", Op.EQ, ('say "hi" \\',))),
    ("created >= 2026-01-31", Condition("created", Op.GE, (date(2026, 1, 31),))),
    ("orders_total > 1500.50", Condition("orders_total", Op.GT, (1500.5,))),
    ("bounced", Condition("bounced", Op.IS, (True,))),
    ("bounced = no", Condition("bounced", Op.IS, (False,))),
    ("suppressed != yes", Condition("suppressed", Op.IS, (False,))),
    ("not suppressed", Not(Condition("suppressed", Op.IS, (True,)))),
    ("bounced within 1 week", Condition("bounced", Op.WITHIN, (Ago(1, "week"),))),
    ("opened within 30 days", Condition("last_opened", Op.WITHIN, (Ago(30, "day"),))),
    ("city is Berlin", Condition("city", Op.EQ, ("Berlin",))),
    ("city is not Berlin", Condition("city", Op.NE, ("Berlin",))),
    ("attr.size > 5", Condition("attr.size", Op.GT, (5.0,))),
    ('attr."booth no" = 7', Condition("attr.booth no", Op.EQ, ("7",))),
    ("domain = ACME.example", Condition("domain", Op.EQ, ("acme.example",))),
    ("email contains @acme.", Condition("email", Op.CONTAINS, ("@acme.",))),
    ("source = AT&T", Condition("source", Op.EQ, ("AT&T",))),
    ("not (grade = A or grade = B)",
     Not(Or((Condition("grade", Op.EQ, ("A",)), Condition("grade", Op.EQ, ("B",)))))),
    ("grade = A or grade = B and city = Rom",
     Or((Condition("grade", Op.EQ, ("A",)), And((Condition("grade", Op.EQ, ("B",)), Condition("city", Op.EQ, ("Rom",))))))),
])  # fmt: skip
def test_spellings(text: str, tree: segment.Node) -> None:
    assert segment.parse(text) == tree


@pytest.mark.parametrize(("text", "place", "suggestion", "says"), [
    ("regon = Europe", "regon", "region", "no field"),
    ("region = Europ", "Europ", "Europe", "no region"),
    ("country = Germny", "Germny", "Germany", "no country"),
    ("地区 = 欧州", "欧州", "欧洲", "no region"),
    ("grade = E", "E", None, "no grade"),
    ("basis = concent", "concent", "consent", "no basis"),
    ("language = klingonish", "klingonish", None, "no language"),
    ("region = Europe city = Rom", "=", "and", "between them"),
    ('tag = "abc', '"abc', None, "not closed"),
    ("tag = and", "and", '"and"', "cannot stand here"),
    ("last_order < yesteryear", "yesteryear", None, "no day"),
    ("last_order < 2026-02-30", "2026-02-30", None, "no day"),
    ("orders_total > lots", "lots", None, "no number"),
    ("city > 5", "city", None, "cannot be asked"),
    ("city", "", None, "needs a comparison"),
    ("city = ", "", None, "ends here"),
    ("(grade = A", "", None, "ends here"),
    ("city = x ; DROP TABLE contact", ";", None, "no meaning"),
    ("last_opened within soon", "soon", None, "a time such as"),
    ('city = ""', '""', None, "is empty"),
])  # fmt: skip
def test_errors_point_and_suggest(text: str, place: str, suggestion: str | None, says: str) -> None:
    with pytest.raises(SegmentError, match=says) as caught:
        segment.parse(text)
    error = caught.value
    assert text[error.start : error.start + len(place)] == place
    assert error.suggestion == suggestion
    assert "^" in error.pointer().splitlines()[1]
    assert error.message("zh").startswith(f"第 {error.start + 1} 个字符")


def test_the_pointer_stands_under_the_place_also_after_wide_characters() -> None:
    with pytest.raises(SegmentError) as caught:
        segment.parse("地区 = 欧州")
    line, marks = caught.value.pointer().splitlines()
    assert (line, marks) == ("地区 = 欧州", " " * 7 + "^^^^")


@pytest.mark.parametrize("text", [
    "not (" * 3000 + "bounced" + ")" * 3000,
    "not " * 4000 + "bounced",
    " or ".join(["bounced"] * 400),
    f"tag in ({', '.join(str(i) for i in range(2500))})",
    "x" * 30_000,
])  # fmt: skip
def test_what_no_person_writes_is_refused_and_does_not_exhaust_the_stack(text: str) -> None:
    with pytest.raises(SegmentError):
        segment.parse(text)
