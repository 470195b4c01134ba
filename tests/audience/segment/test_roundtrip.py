# ruff: noqa: PT017 - a case is read best on one line
"""Text, tree and JSON are one thing: any tree survives being written and read."""

from __future__ import annotations

import json
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.audience import segment
from outreach.audience.segment import (
    FIELDS,
    Ago,
    And,
    Condition,
    Everyone,
    Kind,
    Node,
    Not,
    Op,
    Or,
    SegmentError,
    field_named,
)
from outreach.audience.segment.build import clean
from tests.audience.hostile import payloads

words = (
    (
        st.text(min_size=1, max_size=12)
        | st.sampled_from([*payloads(60), "and", "或", "30 days ago", "2026-01-01", "everyone"])
    )
    .map(clean)
    .filter(bool)
)
ages = st.builds(Ago, st.integers(0, 900), st.sampled_from(["hour", "day", "week", "month", "year"]))
days = st.dates(date(1900, 1, 1), date(2100, 1, 1)) | ages
numbers = st.integers(-(10**9), 10**9).map(float) | st.sampled_from([0.5, 1234.25, -3.125])
attribute_names = st.from_regex(r"attr\.[A-Za-z\u4e00-\u9fff _.;')(-]{1,10}", fullmatch=True)
choices = {
    "region": st.sampled_from(["Europe", "Middle East", "Other"]),
    "country": st.sampled_from(["DE", "CN", "AE", "NO"]),
    "language": st.sampled_from(["de", "zh", "zh-Hant"]),
    "grade": st.sampled_from("ABCD"),
    "basis": st.sampled_from(["consent", "public-business", "none"]),
}


def _values(field: segment.Field, op: Op) -> st.SearchStrategy[object]:
    if op is Op.IS:
        return st.booleans()
    if op in (Op.WITHIN, Op.NOT_WITHIN):
        return ages
    if field.kind in (Kind.DAY, Kind.FLAG_DAY):
        return days
    if field.kind is Kind.NUMBER:
        return numbers
    if field.kind is Kind.ATTRIBUTE and op in (Op.LT, Op.LE, Op.GT, Op.GE):
        return numbers | st.dates(date(1900, 1, 1), date(2100, 1, 1))
    if field.name in choices:
        return choices[field.name]
    lower = field.kind is Kind.SET or field.name in ("email", "domain")
    return words.map(str.lower).map(clean).filter(bool) if lower else words


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    name = draw(st.sampled_from(sorted(FIELDS)) | attribute_names)
    field = field_named(name)
    assert field is not None
    op = draw(st.sampled_from(field.operators))
    if op in (Op.EMPTY, Op.NOT_EMPTY):
        return Condition(name, op)
    value = _values(field, op)
    count = draw(st.integers(1, 4)) if op in (Op.IN, Op.NOT_IN) else 1
    return Condition(name, op, tuple(draw(value) for _ in range(count)))  # type: ignore[arg-type]


def _groups(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    items = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.builds(And, items) | st.builds(Or, items) | st.builds(Not, inner)


trees: st.SearchStrategy[Node] = st.recursive(conditions() | st.just(Everyone()), _groups, max_leaves=12)


@settings(max_examples=600, deadline=None)
@given(trees)
def test_text_reads_back_as_the_same_tree(tree: Node) -> None:
    assert segment.parse(segment.to_text(tree)) == tree


@settings(max_examples=400, deadline=None)
@given(trees)
def test_json_reads_back_as_the_same_tree(tree: Node) -> None:
    assert segment.from_json(json.loads(json.dumps(segment.to_json(tree)))) == tree


@settings(max_examples=500, deadline=None)
@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            [
                "tag",
                "=",
                "(",
                ")",
                "and",
                "not",
                "in",
                "region",
                ",",
                '"',
                "'",
                "x",
                "5",
                "days",
                "ago",
                "is",
                "empty",
                "<",
                "中",
            ]
        )
    ).map(" ".join)
)
def test_any_text_is_a_segment_or_an_error_with_a_place(text: str) -> None:
    try:
        tree = segment.parse(text)
    except SegmentError as error:
        assert 0 <= error.start <= len(text)
        assert error.pointer().count("\n") >= 1
        assert error.message("zh")
        return
    assert segment.parse(segment.to_text(tree)) == tree
