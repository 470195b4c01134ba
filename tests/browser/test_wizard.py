"""The campaign's steps in a real browser: one at a time, back and forward, faults at their fields, nothing typed is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.door import Door

pytestmark = pytest.mark.browser


@pytest.fixture
def page(chromium: Any, base: str, door: Door) -> Iterator[Any]:
    """A marketer at the first step of a new campaign."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(60_000)
    door.enter(context, "li.na")
    page = context.new_page()
    page.goto(base + "/campaigns/new")
    yield page
    context.close()


def test_a_step_is_left_only_when_it_is_right_and_back_goes_back(page: Any) -> None:
    expect(page.locator("#audience")).to_be_visible()
    expect(page.locator("#content")).to_be_hidden()
    page.click("[data-step=audience] [data-next]")
    expect(page.locator("#audience")).to_be_visible()
    page.fill("#name", "Spring")
    page.fill("#segment", "region = Europe")
    page.click("[data-step=audience] [data-next]")
    expect(page.locator("#content")).to_be_visible()
    expect(page.locator("[data-way=audience]")).to_have_class("done")
    page.check("input[name=template][value=product-launch]", force=True)
    page.click("[data-step=content] [data-next]")
    expect(page.locator("#pace")).to_be_visible()
    page.go_back()
    expect(page.locator("#content")).to_be_visible()
    page.go_forward()
    expect(page.locator("#pace")).to_be_visible()


def test_what_was_typed_outlives_a_reload(page: Any) -> None:
    page.fill("#name", "Kept")
    page.fill("#segment", "region = Asia")
    page.click("[data-step=audience] [data-next]")
    page.check("input[name=template][value=follow-up]", force=True)
    page.reload()
    expect(page.locator("#content")).to_be_visible()
    assert page.input_value("#name") == "Kept"
    assert page.is_checked("input[name=template][value=follow-up]")
    page.click("[data-drop]")
    page.wait_for_url("**/campaigns")
    page.goto(page.url + "/new")
    assert page.input_value("#name") == ""


def test_a_fault_that_the_server_finds_stands_at_its_field_and_its_step_is_shown(page: Any) -> None:
    page.fill("#name", "Faulty")
    page.fill("#segment", "regoin = Asia")
    page.click("[data-step=audience] [data-next]")
    page.check("input[name=template][value=product-launch]", force=True)
    page.click(".o-head button[type=submit]")
    expect(page.locator("#fault-segment")).to_be_visible()
    expect(page.locator("#audience")).to_be_visible()
    assert page.input_value("#segment") == "regoin = Asia"
    assert page.input_value("#name") == "Faulty"


def test_saving_from_an_early_step_shows_the_step_that_lacks_something(page: Any) -> None:
    page.fill("#name", "Early")
    page.fill("#segment", "region = Asia")
    page.click(".o-head button[type=submit]")
    expect(page.locator("#content")).to_be_visible()
    assert page.url.endswith("#content")
