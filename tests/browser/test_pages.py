"""Every page in a real browser: nothing on the console, nothing wider than the window, nothing serious for axe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.door import Door
from tests.browser.shots import PAGES, SIZES

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


AXE = Axe()
#: What is looked for: all that axe knows of WCAG 2.2 AA and its best practices.
#: Frames hold mails, which have tests of their own; a sandboxed one has no origin that axe could speak to.
RULES = {"resultTypes": ["violations"], "iframes": False}
SERIOUS = ("serious", "critical")


def serious(page: Any) -> list[str]:
    """What axe calls serious or critical: rule, and the first element that breaks it."""
    found = AXE.run(page, options=RULES).response["violations"]
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
    assert answer.status == 200
    faults = page.evaluate(AUDIT) + serious(page)
    page.set_viewport_size(dict(zip(("width", "height"), sizes[1], strict=True)))
    faults += [f"at {sizes[1][0]} px: {fault}" for fault in page.evaluate(AUDIT)]
    page.close()
    assert said == []
    assert faults == []
