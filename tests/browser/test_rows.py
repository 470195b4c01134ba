"""Values changed in the rows of the lists, by keyboard and mouse, in a real browser; the calendar of the schedule step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.door import Door

pytestmark = pytest.mark.browser


@pytest.fixture
def page(chromium: Any, door: Door) -> Iterator[Any]:
    """The manager, whose console must stay silent."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(60_000)
    door.enter(context, "sun.qian")
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    assert said == []
    context.close()


def cell(page: Any, number: int, field: str) -> Any:
    return page.locator(f"tr:has(input[name=id][value='{number}']) [data-cell={field}]")


def test_a_grade_by_keyboard_and_back_by_undo(page: Any, base: str) -> None:
    page.goto(base + "/contacts?sort=created")
    grade = cell(page, 5, "grade")
    expect(grade).to_have_text("B")
    grade.press("Enter")
    field = page.locator("[data-edit-cell=grade] select")
    expect(field).to_be_focused()
    field.select_option("D")
    expect(grade).to_have_text("D")
    expect(grade).to_be_focused()
    expect(page.locator("#toast")).to_contain_text("Changed.")
    page.keyboard.press("z")
    page.wait_for_url("**/contacts?sort=created")
    expect(cell(page, 5, "grade")).to_have_text("B")


def test_tags_are_typed_and_escape_leaves_them(page: Any, base: str) -> None:
    page.goto(base + "/contacts?sort=created")
    tags = cell(page, 5, "tags")
    before = tags.inner_text()
    tags.click()
    field = page.locator("[data-edit-cell=tags] input")
    field.fill("nothing of this")
    field.press("Escape")
    expect(tags).to_have_text(before)
    tags.click()
    field.fill("vip; fair 2026")
    field.press("Enter")
    expect(tags).to_contain_text("fair 2026")
    assert "/contacts?sort=created" in page.url, "Enter sends no other form"


def test_a_companys_owner_changes_in_its_row(page: Any, base: str) -> None:
    page.goto(base + "/customers")
    owner = page.locator("tr:has-text('Hafen Licht BV') [data-cell=owner_id]").first
    owner.click()
    page.locator("[data-edit-cell=owner_id] select").select_option(label="李娜")
    expect(owner).to_have_text("李娜")


def test_the_schedule_step_draws_the_calendar_and_a_day_is_chosen_on_it(page: Any, base: str, door: Door) -> None:
    door.enter(page.context, "li.na")
    page.goto(base + "/campaigns/new?segment=1#schedule")
    expect(page.locator("#near .is-own").first).to_be_visible(timeout=30_000)
    page.click("#near [data-day='2026-12-01']")
    assert page.input_value("#start") == "2026-12-01T09:00"
    expect(page.locator("#near")).to_contain_text("Tue 1 Dec 09:00", timeout=30_000)
