"""Every page in a real browser: nothing on the console, nothing wider than the window, nothing serious for axe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.door import Door
from tests.browser.shots import PAGES, SIZES
from tests.browser.steps import STATUS, prepare
from tests.fakes.axe import violations

pytestmark = pytest.mark.browser

#: What is wrong with a page: controls without a name, doubled ids, images without text, pages without a heading.
AUDIT = """() => {
  const faults = [];
  const name = el => (el.getAttribute('aria-label') || el.getAttribute('title') || el.textContent || el.placeholder ||
    (el.type === 'submit' ? el.value : '') || '').trim()
    || (el.labels && [...el.labels].map(l => l.textContent).join('').trim());
  for (const el of document.querySelectorAll('button, a[href], input:not([type=hidden]), select, textarea, summary, iframe'))
    if (!name(el) && !el.closest('[hidden]') && !el.closest('template') && !el.closest('[aria-hidden="true"]'))
      faults.push('no name: ' + el.outerHTML.slice(0, 120));
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  for (const id of new Set(ids)) if (ids.filter(i => i === id).length > 1) faults.push('doubled id: ' + id);
  for (const img of document.querySelectorAll('img')) if (!img.hasAttribute('alt')) faults.push('no alt: ' + img.outerHTML.slice(0, 90));
  if (document.querySelectorAll('h1').length !== 1) faults.push(document.querySelectorAll('h1').length + ' h1');
  if (!document.documentElement.lang) faults.push('no lang');
  if (!document.querySelector('main')) faults.push('no main');
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) faults.push(wide + ' px wider than the window');
  return faults;
}"""


@pytest.fixture(scope="module")
def window(chromium: Any, door: Door) -> Iterator[Callable[[str, str, str], Any]]:
    """One browser for each person, language and scheme: style sheets and scripts are loaded once, as by a visitor."""
    kept: dict[tuple[str, str, str], Any] = {}

    def of(user: str, lang: str, scheme: str) -> Any:
        if (user, lang, scheme) not in kept:
            kept[user, lang, scheme] = chromium.new_context(color_scheme=scheme)
            door.enter(kept[user, lang, scheme], user, lang)
        return kept[user, lang, scheme]

    yield of
    for context in kept.values():
        context.close()


#: What is looked for: all that axe knows of WCAG 2.2 AA and its best practices.
#: A sandboxed frame has no origin that axe could speak to: what stands in frames is looked at as pages of their own below.
SERIOUS = ("serious", "critical")


def serious(page: Any) -> list[str]:
    """What axe calls serious or critical: rule, and the first element that breaks it."""
    found = violations(page, iframes=False)
    return [
        f"{fault['id']}: {fault['nodes'][0]['html'][:160]} {fault['nodes'][0].get('failureSummary', '')[:200]}"
        for fault in found
        if fault["impact"] in SERIOUS
    ]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", list(PAGES))
def test_a_page_is_clean(base: str, window: Callable[[str, str, str], Any], name: str, lang: str) -> None:
    """Chinese in light, English in dark; each at both widths, so that every rule meets every page."""
    path, user = PAGES[name]
    sizes = list(SIZES.values()) if lang == "zh" else list(SIZES.values())[::-1]
    page = window(user, lang, "light" if lang == "zh" else "dark").new_page()
    page.set_viewport_size(dict(zip(("width", "height"), sizes[0], strict=True)))
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    answer = page.goto(base + path.format(lang=lang))
    assert answer.status == STATUS.get(name, 200)
    prepare(name, page)
    faults = page.evaluate(AUDIT) + serious(page)
    page.set_viewport_size(dict(zip(("width", "height"), sizes[1], strict=True)))
    faults += [f"at {sizes[1][0]} px: {fault}" for fault in page.evaluate(AUDIT)]
    page.close()
    assert [line for line in said if name not in STATUS or not line.startswith("Failed to load resource")] == []
    assert faults == []


#: One address for each kind of frame → who looks at it. What stands in a frame is a document of its own.
FRAMES = {
    "a mail to approve": ("/approvals/3/mail", "zhao.min"),
    "its text": ("/approvals/3/mail?format=text", "zhao.min"),
    "a template without pictures": ("/templates/quality-check/mail?view=off", "li.na"),
    "a template in dark": ("/templates/product-launch/mail?view=dark", "li.na"),
    "a greeting": ("/greetings/1/mail", "sun.qian"),
    "a mail that came in": ("/inbox/1/original", "zhou.yang"),
    "a mail of the archive": ("/inbox/archive/3/original", "zhou.yang"),
    "a mail that could not be read": ("/inbox/quarantine/901/source", "wu.hao"),
}


@pytest.mark.parametrize("kind", list(FRAMES))
def test_what_stands_in_a_frame_is_clean(
    base: str, window: Callable[[str, str, str], Any], kind: str, chromium: Any
) -> None:
    """The frame's document in a page that may run axe: as the server gave it, at the width of a phone's frame."""
    path, user = FRAMES[kind]
    answer = window(user, "en", "light").request.get(base + path)
    assert answer.status == 200
    assert "sandbox" in answer.headers["content-security-policy"]
    page = chromium.new_page(viewport={"width": 375, "height": 800})
    page.set_content(answer.text())
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert serious(page) == []
    page.close()


@pytest.mark.parametrize(
    "name", ["approval", "template", "templates", "greeting", "inbox", "archived-mail", "quarantine"]
)
def test_a_frame_holds_only_what_is_looked_at(base: str, window: Callable[[str, str, str], Any], name: str) -> None:
    """A frame that shows something else than FRAMES knows asks for a line there."""
    path, user = PAGES[name]
    page = window(user, "en", "light").request.get(base + path).text()
    shown = re.findall(r'<iframe[^>]*\ssrc="([^"?]+)', page)
    assert shown
    assert {shape(address) for address in shown} <= {shape(known) for known, _ in FRAMES.values()}


def shape(address: str) -> str:
    """The kind of an address: numbers and names of templates are one like another."""
    return re.sub(r"/templates/[a-z-]+/", "/templates/*/", re.sub(r"\d+", "*", address.partition("?")[0]))


def test_a_long_company_name_stays_in_the_side_bar(base: str, window: Callable[[str, str, str], Any]) -> None:
    """The name that the example configuration gives is longer than the bar is wide: it takes a second line."""
    page = window("li.na", "en", "light").new_page()
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(base + "/campaigns")
    name = page.locator(".navbar-brand > .clip")
    name.evaluate("element => { element.textContent = 'Example Lighting Manufacturing and Export Co., Ltd.' }")
    bar, box = page.locator("aside.navbar").bounding_box(), name.bounding_box()
    mark = page.locator(".navbar-brand > .o-mark").bounding_box()
    assert box["x"] - (mark["x"] + mark["width"]) < 16, "the name stands beside the mark"
    assert box["x"] + box["width"] <= bar["x"] + bar["width"]
    assert box["y"] + box["height"] <= page.locator("aside .nav-link").first.bounding_box()["y"]
    page.close()


def test_a_menu_opens_inside_the_window_of_a_telephone(base: str, window: Callable[[str, str, str], Any]) -> None:
    page = window("li.na", "en", "light").new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    for path, summary in (("/campaigns/1", ".o-head .o-menu"), ("/", ".o-top .o-menu"), ("/", ".o-tabbar .o-more")):
        page.goto(base + path)
        page.click(f"{summary} > summary")
        box = page.locator(f"{summary} > .o-menu-b").bounding_box()
        assert box["x"] >= 0, path
        assert box["x"] + box["width"] <= 390, path
    page.close()
