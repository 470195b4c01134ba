"""A working day in the browser: log in, look, tag and undo, pause and resume, approve, all by clicks and keys."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.door import Door
from tests.web.seed import PASSWORD

pytestmark = pytest.mark.browser


def log_in(page: Any, base: str, name: str) -> None:
    page.context.clear_cookies()
    page.context.add_cookies([{"name": "outreach_lang", "value": "en", "url": base}])
    page.goto(base + "/login")
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(base + "/")


def test_from_the_login_to_a_campaign_and_its_pause(page: Any, base: str) -> None:
    log_in(page, base, "li.na")
    assert page.inner_text("h1") == "Today"
    page.click("text=2027 法兰克福照明展邀请")
    page.wait_for_url("**/campaigns/1")
    page.click(".o-funnel a:has-text('Accepted')")
    page.wait_for_url("**stage=accepted**")
    assert "Accepted" in page.inner_text("#ledger h2")
    page.click("text=Pause sending")
    page.wait_for_selector(".o-head .badge:has-text('Paused')")
    assert "Paused" in page.inner_text("#toast")


def test_tagging_and_undo_by_key(page: Any, base: str, door: Door) -> None:
    door.enter(page.context, "sun.qian")
    page.goto(base + "/contacts")
    page.check("input[name=id] >> nth=0")
    page.check("input[name=id] >> nth=1")
    assert page.inner_text("[data-count]") == "2"
    page.fill("input[name=tag]", "fair-2026")
    page.click("button:has-text('Add tag')")
    page.wait_for_selector("#toast:not([hidden])")
    assert page.locator("td .badge:has-text('fair-2026')").count() == 2
    page.keyboard.press("z")
    page.wait_for_selector("#toast:has-text('Undone')")
    assert page.locator("td .badge:has-text('fair-2026')").count() == 0


def test_a_segment_is_built_line_by_line(page: Any, base: str, door: Door) -> None:
    door.enter(page.context, "li.na")
    page.goto(base + "/segments/new")
    page.select_option("#add-field", "region")
    page.fill("input[name=value]", "Europe")
    page.click("button[value=add]")
    expect(page.locator("#expr")).to_have_value("region = Europe")
    expect(page.locator(".o-cond")).to_have_count(1)
    page.fill("#expr", "region = Europe and grade = A")
    expect(page.locator(".o-cond")).to_have_count(2)
    page.fill("#segname", "A in Europe")
    page.click("button:has-text('Save')")
    page.wait_for_url("**/segments/*")
    assert page.inner_text("h1") == "A in Europe"


def test_an_approval_needs_the_comment_only_for_a_return(page: Any, base: str, door: Door) -> None:
    page.expect_errors = True  # 422 is told on the console
    door.enter(page.context, "zhao.min")
    page.goto(base + "/approvals/3")
    frame = page.frame_locator(".o-stage iframe")
    assert frame.locator("body").inner_text() != ""
    page.click("button:has-text('Return')")
    page.wait_for_selector("[role=alert]")
    assert "Say what is to be changed" in page.inner_text("[role=alert]")


def test_keys_in_the_inbox(page: Any, base: str, door: Door) -> None:
    door.enter(page.context, "zhou.yang")
    page.goto(base + "/inbox")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    assert page.evaluate("document.activeElement.id") == "answer"
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.wait_for_url("**/inbox/2**")
    assert page.inner_text(".c3 .strong >> nth=0") == "Omar Haddad"


def test_dark_and_light(page: Any, base: str, door: Door) -> None:
    door.enter(page.context, "li.na")
    page.goto(base + "/")
    before = page.get_attribute("html", "data-bs-theme")
    page.click("[data-theme-toggle]")
    page.reload()
    assert page.get_attribute("html", "data-bs-theme") != before


def test_the_help_for_keys(page: Any, base: str, door: Door) -> None:
    door.enter(page.context, "li.na")
    page.goto(base + "/")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    assert "undo what was just done" in page.inner_text("#keys")
    page.keyboard.press("Escape")
    assert not page.locator("#keys").is_visible()
