"""Forms in a real browser: pressed twice they are sent once, and a login that ended costs nothing that was typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.door import Door
from tests.web.seed import PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture
def page(chromium: Any, door: Door) -> Iterator[Any]:
    """A marketer."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(60_000)
    door.enter(context, "li.na")
    yield context.new_page()
    context.close()


def test_a_form_that_is_pressed_twice_is_sent_once(page: Any, base: str) -> None:
    held: list[Any] = []
    page.route("**/segments/save", lambda route: held.append(route))
    page.goto(base + "/segments/new?expression=grade%20%3D%20A")
    page.fill("#segname", "Twice")
    page.dblclick(".o-head button[type=submit]", delay=50, no_wait_after=True)
    assert len(held) == 1
    held[0].continue_()
    page.wait_for_url(re.compile(r"/segments/\d+$"))
    page.go_back()
    page.fill("#segname", "Again")
    with page.expect_request("**/segments/save"):  # who comes back may send it again
        page.click(".o-head button[type=submit]", no_wait_after=True)


@pytest.mark.parametrize(
    ("path", "field", "button"),
    [
        ("/segments/new?expression=grade%20%3D%20A", "#segname", ".o-head button[type=submit]"),
        ("/templates/product-launch/edit", "[name=comment]", "#editor [type=submit]"),
        ("/campaigns/new?template=product-launch&segment=1", "#name", ".o-head button[type=submit]"),
    ],
)
def test_a_login_that_ended_costs_nothing_that_was_typed(
    page: Any, base: str, path: str, field: str, button: str
) -> None:
    page.goto(base + path)
    page.locator(field).first.fill("What took an hour")
    session = page.context.cookies()
    page.context.clear_cookies(name="outreach_session")
    page.locator(button).first.click()
    page.wait_for_url("**/login?**")
    page.fill("#name", "li.na")
    page.fill("#password", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(base + path + "*")
    expect(page.locator(field).first).to_have_value("What took an hour")
    expect(page.locator("#toast")).to_be_visible()
    page.reload()
    assert page.evaluate("sessionStorage.getItem('o-typed')") is None
    page.context.add_cookies(session)
