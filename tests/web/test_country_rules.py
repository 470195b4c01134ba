"""The rules of countries, as staff see them."""

from __future__ import annotations

from dataclasses import replace

from outreach.content.gates import gates
from outreach.web.render import environment
from tests.web.house import House


async def test_every_rule_stands_with_its_source_and_own_ones_are_marked(house: House) -> None:
    shipped = gates()
    own = replace(shipped[0], countries=frozenset(), source="our counsel, 2026-11-02")
    house.outreach.gates = (own, *shipped[1:])
    async with house.visitor("li.na", "zh") as visitor:
        page = (await visitor.get("/settings/country-rules")).text
        for rule in shipped[1:]:
            assert rule.id in page
            assert rule.zh in page
        assert "our counsel, 2026-11-02" in page
        assert page.count(">自有<") == 1
        assert "不构成法律意见" in page


async def test_a_skip_reason_names_the_rule_in_words() -> None:
    text = "{{ 'gate:DE-UWG-7'|said('skip') }}; {{ 'replied'|said('skip') }}"
    assert environment("zh").from_string(text).render() == "该国规则不允许（DE-UWG-7）; 已回复"
    assert (
        environment("zh").from_string("{{ 'suppressed:unsubscribed'|said('skip') }}").render()
        == "在禁发名单上（已退订）"
    )
