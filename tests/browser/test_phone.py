"""What a telephone shows of a list: whole numbers to dial, the figures of a row, and no field that has nothing to say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.door import Door

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def telephone(chromium: Any, door: Door) -> Iterator[Any]:
    """A page of 390 px."""
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    yield context
    context.close()


def opened(telephone: Any, door: Door, path: str, name: str) -> Any:
    door.enter(telephone, name)
    page = telephone.new_page()
    page.goto(door.base + path)
    return page


def test_a_number_to_dial_is_not_cut(telephone: Any, door: Door) -> None:
    """The line with the number once ended in dots."""
    page = opened(telephone, door, "/follow-ups/calls", "zhou.yang")
    lines = page.locator(".o-task .clip", has_text="+")
    expect(lines.first).to_be_visible()
    assert lines.evaluate_all("lines => lines.every(line => line.scrollWidth <= line.clientWidth)")


def test_a_mailbox_tells_what_it_sent_and_what_came_back(telephone: Any, door: Door) -> None:
    page = opened(telephone, door, "/settings/mailboxes", "tang.ke")
    row = page.locator("tr", has_text="export@minxu-lighting.example")
    expect(row.locator("td[data-t='Today']")).to_be_visible()
    expect(row.locator("td[data-t='Bounced']")).to_be_visible()


def test_costs_are_read_without_scrolling_sideways(telephone: Any, door: Door) -> None:
    page = opened(telephone, door, "/reports/indicators?period=2026-Q4", "sun.qian")
    table = page.locator("#costs .o-scroll").first
    expect(table.locator("td[data-t='an order']").first).to_be_visible()
    assert table.evaluate("box => box.scrollWidth <= box.clientWidth")


def test_an_unused_step_has_nothing_to_fill_in(telephone: Any, door: Door) -> None:
    """Its kind comes first; the rest of its fields come with it."""
    page = opened(telephone, door, "/sequences/91/edit", "li.na")
    last = page.locator(".o-step-row").last
    days = last.locator("input[name^='days_']")
    expect(days).to_be_hidden()
    last.locator("select[name^='kind_']").select_option("mail")
    expect(days).to_be_visible()
