"""A fair's 200 cards: a few by the keyboard, the rest as vCards; whose they are, who is warned of, what follows."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Place

pytestmark = pytest.mark.browser

FAIR = "Canton Fair 2026"
CARDS, TYPED = 200, 7
WORDS = {
    "en": {
        "people": "200 people from this source", "joins": "joins Al Safa Lumen LLC, a customer of 孙倩", "near": "May be customers already",
        "phone": "same telephone", "sum": ("read {read}", "new {new}", "changed 1", "refused 1"), "enrolled": "enrolled",
        "imported": "Imported", "made": "Task made", "new_task": "New task", "make": "Make the task",
    },
    "zh": {
        "people": "此来源已有 200 人", "joins": "Al Safa Lumen LLC", "near": "可能已是客户",
        "phone": "电话号码相同", "sum": ("读取 {read}", "新增 {new}", "更新 1", "退回 1"), "enrolled": "已加入",
        "imported": "导入完成", "made": "待办已建立", "new_task": "新待办", "make": "新建待办",
    },
}  # fmt: skip
#: Names that nobody takes for one another: no two share a word of their own in the same place.
FIRST = "Amber Birken Cobra Dachs Efeu Fjord Gneis Hasel Ibis Jade Krokus Luchs Mistral Narva Orbit Pirol"
SECOND = "Anker Bastei Cirrus Domino Eiche Falke Ginster Habicht Iltis Juno Kastell Lotse Merlin Nebel"
FIRMS = [f"{first} {second}" for first in FIRST.split() for second in SECOND.split()]


def card(number: int, company: str, country: str, phone: str, email: str) -> str:
    """A vCard as a scanner of cards writes it."""
    lines = ("BEGIN:VCARD", "VERSION:3.0", f"N:Roth{number};Nadia{number};;;", f"ORG:{company}", f"EMAIL;TYPE=WORK:{email}",
             f"TEL;TYPE=WORK:{phone}", f"ADR:;;Street 1;Port;;;{country}", "END:VCARD")  # fmt: skip
    return "\r\n".join(lines) + "\r\n"


def scanned() -> bytes:
    """The cards that nobody typed, two of them of customers that are there; one that was typed; one without an address."""
    cards = [
        card(900, "Nordlys Armaturer AS", "Norway", "+47 22 100900", "nadia900@nordlys-armaturer.example"),
        card(901, "Uhlenhorst Kontor", "Germany", "030 901820", "nadia901@uhlenhorst.example"),
        card(0, FIRMS[0], "Germany", "+49 30 1000000", "buyer0@messe0.example"),
        card(902, "Nobody Reads This", "Germany", "+49 30 1000902", "no address"),
    ]
    for n in range(TYPED, TYPED + CARDS - TYPED - 2):
        cards.append(card(n, FIRMS[n], "Germany", f"+49 30 {1000000 + n}", f"buyer{n}@messe{n}.example"))
    return "".join(cards).encode()


def test_two_hundred_cards_by_keyboard_and_file(page: Any, place: Place) -> None:
    base, lang, door, _ = place
    w = WORDS[lang]
    page.expect_errors = True  # 409, the question which company a card is of, is told on the console
    door.enter(page.context, "zhou.yang", lang)
    by_the_keyboard(page, base)
    page.keyboard.type("layla@gmail.example")
    for words in ("Layla", "Nasser", "Alsafa Lumen"):
        page.keyboard.press("Tab")
        page.keyboard.type(words)
    page.keyboard.press("Tab")
    page.keyboard.type("United Arab Emirates")
    page.keyboard.press("Enter")
    expect(page.locator(".o-note button").first).to_be_focused()  # which company is it? Enter takes the likeliest
    page.keyboard.press("Enter")
    expect(page.locator("#toast")).to_contain_text(w["joins"])
    door.enter(page.context, "li.na", lang)
    by_file(page, base, w)
    page.goto(base + "/customers/cards?source=" + quote(FAIR))
    expect(page.locator(".o-head")).to_contain_text(w["people"])
    whose = {"zhou.yang": CARDS - 1, "sun.qian": 1}  # the new customers are whose who met them; Al Safa stays hers
    for owner, count in whose.items():
        page.goto(base + "/contacts?segment=" + quote(f'source = "{FAIR}" and owner = {owner}'))
        expect(page.locator(".o-head .sub")).to_contain_text(str(count))
    what_follows(page, base, w)
    door.enter(page.context, "zhou.yang", lang)
    a_task(page, base, w)


def by_the_keyboard(page: Any, base: str) -> None:
    """Cards one after another: the fair, the colleague and the country stay, nothing is pressed but keys."""
    page.goto(base + "/customers/cards")
    page.keyboard.type(FAIR)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    for number in range(TYPED - 1):
        expect(page.locator("#email")).to_be_focused()
        page.keyboard.type(f"buyer{number}@messe{number}.example")
        for words in (f"Nadia{number}", f"Roth{number}", FIRMS[number], *(("Germany",) if not number else ())):
            page.keyboard.press("Tab")
            page.keyboard.type(words)
        page.keyboard.press("Enter")
        page.wait_for_selector(f".o-note:has-text('Nadia{number}')")
    expect(page.locator("#country")).to_have_value("Germany")
    page.fill("#country", "")
    page.focus("#email")


def by_file(page: Any, base: str, w: Any) -> None:
    """The scanner's file: looked at, given to who met the people, and told of whom are customers already."""
    page.goto(base + "/contacts/import")
    file = {"name": f"{FAIR}.vcf", "mimeType": "text/vcard", "buffer": scanned()}
    page.set_input_files("input[type=file]", file)
    page.click("main button[type=submit]")
    page.wait_for_url("**/contacts/import/*")
    expect(page.locator("#source")).to_have_value(FAIR)
    warned = page.locator(f"section:has(h2:text-is('{w['near']}'))")
    expect(warned).to_contain_text("Nordlys Armatur AS")
    expect(warned).to_contain_text(w["phone"])
    expect(page.locator("main")).to_contain_text("no address")
    page.select_option("#basis", "inquiry")
    page.select_option("#met", label="周洋")
    page.click(".o-head button[type=submit]")
    page.wait_for_selector("#import a[href='/contacts']")
    expect(page.locator("h1")).to_have_text(w["imported"])
    for told in w["sum"]:
        expect(page.locator("#import .cap")).to_contain_text(told.format(new=CARDS - TYPED, read=CARDS - TYPED + 2))
    expect(page.locator("#import")).to_contain_text("Lichtwerk Brandt GmbH")


def what_follows(page: Any, base: str, w: Any) -> None:
    """The fair's people enter a sequence, all at once."""
    page.goto(base + "/sequences/91")
    page.fill("#who", f'source = "{FAIR}"')
    page.click("form[action='/sequences/91/enrol'] button")
    expect(page.locator("#toast")).to_contain_text(w["enrolled"])
    expect(page.locator("#toast")).to_contain_text(str(CARDS))


def a_task(page: Any, base: str, w: Any) -> None:
    """Who asked at the stand for more is called tomorrow: the customer's page, then the plan."""
    page.goto(base + "/customers?q=" + quote(FIRMS[40]))
    page.click(f"tbody a:has-text('{FIRMS[40]}')")
    page.click(f"summary:has-text('{w['new_task']}')")
    page.fill("#task-title", "Promised: 3 samples of the T8")
    page.fill("#task-due", "2026-11-25")
    page.click(f"button:has-text('{w['make']}')")
    expect(page.locator("#toast")).to_contain_text(w["made"])
    page.goto(base + "/follow-ups/plan")
    expect(page.locator("main")).to_contain_text("Promised: 3 samples of the T8")
    page.goto(base + "/follow-ups/calls?segment=" + quote(f'source = "{FAIR}"'))
    expect(page.locator("main")).to_contain_text("Nadia40")
