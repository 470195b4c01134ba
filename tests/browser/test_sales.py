"""A salesperson's day, a complaint from the reply to closed, a leaver's hand-over; in both languages."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Place
from tests.web.seed import PASSWORD

pytestmark = pytest.mark.browser

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "new_deal": "New deal", "open_deal": "Open the deal", "quoted": "Quotation sent", "waits": "waits for a manager",
        "approve": "Approve", "granted": "Approved by a manager", "store": "is stored", "case": "Open a case", "open": "Open the case",
        "ask": "Ask", "give": "Give the answer", "send": "Send the answer", "closed": "Settled", "down": "Write it down",
        "over": "Hand over and close the account", "undone": "Undone", "helped": "Yes", "vote": "Send", "thanks": "Thank you",
        "written": "Written down", "gone": "have passed on", "paused": "Paused", "on": "Goes on", "leaves": "It leaves",
    },
    "zh": {
        "new_deal": "新商机", "open_deal": "建立商机", "quoted": "已报价", "waits": "等待经理审批",
        "approve": "批准", "granted": "经理已批准", "store": "已保存", "case": "建立工单", "open": "建立工单",
        "ask": "询问", "give": "提交答复", "send": "发送答复", "closed": "已结案", "down": "保存记录",
        "over": "移交并关闭账号", "undone": "已撤销", "helped": "解决了", "vote": "提交", "thanks": "谢谢",
        "written": "已记录", "gone": "已移交", "paused": "已暂停", "on": "已继续", "leaves": "发出",
    },
}  # fmt: skip


def test_a_salespersons_day(page: Any, place: Place) -> None:
    base, lang, door, _ = place
    w = WORDS[lang]
    door.enter(page.context, "zhou.yang", lang)
    page.goto(base + "/follow-ups/calls/1")
    page.keyboard.press("1")
    page.keyboard.press("n")
    page.keyboard.type("Needs 500 pcs by March")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(f"#toast:has-text('{w['written']}')")
    page.goto(base + "/customers/1")
    expect(page.locator(".o-line").first).to_contain_text("Needs 500 pcs by March")
    page.click(f"summary:has-text('{w['new_deal']}')")
    page.fill("#deal-title", "500 pcs for March")
    page.fill("#deal-amount", "9800")
    page.click(f"button:has-text('{w['open_deal']}')")
    page.wait_for_url("**/customers/deals/*")
    page.fill("#s-margin", "7")
    page.click(f"button:has-text('{w['quoted']}')")
    expect(page.locator(".o-note").first).to_contain_text(w["waits"])
    deal = page.url
    door.enter(page.context, "sun.qian", lang)
    page.goto(deal)
    page.click(f"button[value='1']:has-text('{w['approve']}')")
    expect(page.locator(".o-head")).to_contain_text(w["granted"])
    expect(page.locator(".o-stages .is-here")).to_be_visible()


def test_what_a_morning_brings(page: Any, place: Place) -> None:
    """A reply is answered and its task goes; a sequence is held for one person; a birthday gets its yes; the regions."""
    base, lang, door, smtp = place
    w = WORDS[lang]
    door.enter(page.context, "zhou.yang", lang)
    page.goto(base + "/")
    page.click(".o-reply a.go[href^='/inbox/4?']")
    page.focus("#answer")
    page.keyboard.type("No, 4000 K takes the same four weeks.")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#toast:not([hidden])")
    assert "takes the same four weeks" in smtp.messages[-1].data.decode()
    page.goto(base + "/")
    expect(page.locator(".o-reply").first).to_be_visible()
    expect(page.locator(".o-reply a[href^='/inbox/4?']")).to_have_count(0)
    page.goto(base + "/customers/4")
    expect(page.locator(".o-line").first).to_contain_text("takes the same four weeks")
    page.goto(base + "/contacts/8")
    for action, told in (("pause", w["paused"]), ("resume", w["on"])):
        page.click(f"form[action='/sequences/91/people/8/{action}'] button")
        page.wait_for_selector(f"#toast:has-text('{told}')")
    page.goto(base + "/greetings")
    page.click("form[action='/greetings/1/send'] button")
    page.wait_for_selector(f"#toast:has-text('{w['leaves']}')")
    page.goto(base + "/customers/regions")
    expect(page.locator(".o-reg tbody tr")).to_have_count(7)
    page.click(".o-reg tbody tr >> nth=0 >> a >> nth=0")
    page.wait_for_url("**/customers?segment=*")
    expect(page.locator("tbody tr").first).to_be_visible()


def test_a_complaint_from_the_reply_to_closed(page: Any, place: Place) -> None:
    base, lang, door, smtp = place
    w = WORDS[lang]
    door.enter(page.context, "wu.hao", lang)
    page.goto(base + "/inbox/3?view=thread")
    page.click(f"a:has-text('{w['case']}')")
    page.wait_for_url("**/follow-ups/service/1")
    page.select_option("#user", label="周洋")
    page.fill("#question", "Which batch was it?")
    page.click(f"form[action$='/ask'] button:has-text('{w['ask']}')")
    page.wait_for_selector("#toast:not([hidden])")
    door.enter(page.context, "zhou.yang", lang)
    page.goto(base + "/follow-ups/service/1")
    page.fill("#dept", "Batch 7; we replace all six.")
    page.click(f"button:has-text('{w['give']}')")
    page.wait_for_selector("#toast:not([hidden])")
    door.enter(page.context, "wu.hao", lang)
    page.goto(base + "/follow-ups/service/1")
    page.click(f"button:has-text('{w['send']}')")
    page.wait_for_selector("#toast:not([hidden])")
    sent = smtp.messages[-1]
    from email import message_from_bytes
    from email.policy import default

    text = message_from_bytes(sent.data, policy=default).get_body(("plain",)).get_content()  # type: ignore[union-attr]
    link = next(line for line in text.splitlines() if "/q/" in line)
    page.context.clear_cookies()
    page.goto(base + "/q/" + link.rsplit("/", 1)[1] + f"?lang={lang}")
    page.click(f"label:has-text('{w['helped']}')")
    page.click("label:has-text('5')")
    page.click(f"button:has-text('{w['vote']}')")
    expect(page.locator("h1")).to_have_text(w["thanks"])
    door.enter(page.context, "wu.hao", lang)
    page.goto(base + "/follow-ups/service/1")
    expect(page.locator(".o-head")).to_contain_text(w["closed"])
    expect(page.locator("main")).to_contain_text("5/5")


def test_a_leavers_hand_over_and_its_undo(page: Any, place: Place) -> None:
    base, lang, door, _ = place
    w = WORDS[lang]
    door.enter(page.context, "sun.qian", lang)
    page.goto(base + "/settings/users/5/hand-over")
    page.select_option("#pick", label="孙倩")
    page.wait_for_url("**to=6**")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click(f"button:has-text('{w['over']}')")
    page.wait_for_selector(f"#toast:has-text('{w['gone']}')")
    beside = page.context.new_page()  # the word with its undo stays on the first
    beside.goto(base + "/follow-ups/plan")
    expect(beside.locator("main")).to_contain_text("报价 Q-2611")  # open work is the successor's
    beside.goto(base + "/customers/1")
    expect(beside.locator("form[action='/customers/1/assign'] select")).to_have_value("6")
    beside.close()
    stranger = page.context.browser.new_page()
    stranger.goto(base + "/login?lang=" + lang)
    stranger.fill("#name", "zhou.yang")
    stranger.fill("#password", PASSWORD)
    stranger.click("button[type=submit]")
    expect(stranger.locator("[role=alert]")).to_be_visible()
    stranger.close()
    page.keyboard.press("z")
    page.wait_for_selector(f"#toast:has-text('{w['undone']}')")
    page.goto(base + "/customers/1")
    expect(page.locator("main")).to_contain_text("周洋")
