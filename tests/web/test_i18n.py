"""Every text of the pages is in both catalogues, translated, with its placeholders."""

from __future__ import annotations

import re

import pytest

from outreach.web import catalogue
from outreach.web.i18n import choose, translate, translations

HOLE = re.compile(r"%\((\w+)\)s")


@pytest.mark.parametrize("name", ["zh_CN", "en"])
def test_no_text_is_missing_empty_or_left_over(name: str) -> None:
    wanted = {message.id for message in catalogue.extract() if message.id}
    stored = {message.id: message for message in catalogue.stored(name) if message.id}
    assert sorted(map(str, wanted - stored.keys())) == [], "run  python -m outreach.web.catalogue"
    assert sorted(map(str, stored.keys() - wanted)) == []
    empty = [str(m.id) for m in stored.values() if not (all(m.string) if isinstance(m.string, tuple) else m.string)]
    assert empty == [], f"{len(empty)} texts are not translated into {name}"


@pytest.mark.parametrize("name", ["zh_CN", "en"])
def test_placeholders_survive(name: str) -> None:
    for message in catalogue.stored(name):
        if not message.id:
            continue
        wanted = set(HOLE.findall(message.id[-1] if isinstance(message.id, tuple) else message.id))
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        for string in strings:
            assert set(HOLE.findall(string)) <= wanted | {"num"}, message.id
            missing = wanted - set(HOLE.findall(string)) - {"num", "n"}
            assert not missing, f"{message.id}: {missing} is missing"


def test_chinese_is_chinese() -> None:
    plain = [
        str(m.id)
        for m in catalogue.stored("zh_CN")
        if m.id and isinstance(m.string, str) and m.string == m.id and re.search(r"[a-z]{4}", m.string)
    ]
    assert plain == [], "translated by itself"


def test_choosing_and_translating() -> None:
    assert choose("en", "zh-CN") == "en"
    assert choose(None, "fr, en-GB;q=0.8") == "en"
    assert choose(None, None) == "zh"
    assert translate("zh", "%(time)s left", time="2 小时") == "剩 2 小时"
    assert translate("en", "%(time)s left", time="2 h") == "2 h left"
    assert translations("en").ngettext("%(n)s day", "%(n)s days", 2) % {"n": 2} == "2 days"
