"""What is pressed before some pages show what they are for: tests/browser/shots.py names the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: A list with a row of each kind: new, of a known customer, with a broken address, without one, known already.
LIST = """公司,名,姓,邮箱,国家,等级
Nordic Lumen AB,Elin,Sjöberg,elin@nordiclumen.example,SE,A
Lichtwerk Brandt GmbH,Jonas,Brandt,jonas@lichtwerkbrandtgmbh.example,DE,B
Luz y Color SL,Marta,Gil,marta.gil@luzycolor,ES,B
Casa Lumina,Paolo,Riva,,IT,C
Atlas Éclairage,Sami,Benali,sami@atlas-eclairage.example,MA,B
Lichtwerk Brandt GmbH,Katrin,Vogel,katrin.vogel@lichtwerkbrandtgmbh.example,DE,A
"""


def preview(page: Any) -> None:
    """Hand in a list with faults."""
    file = {"name": "法兰克福展.csv", "mimeType": "text/csv", "buffer": LIST.encode()}
    page.locator("input[type=file]").set_input_files(file)
    page.locator("main form button[type=submit]").first.click()
    page.locator("select[name=field]").first.wait_for()


def imported(page: Any) -> None:
    """Hand it in, and import it."""
    preview(page)
    page.locator("main form button[type=submit]").first.click()
    page.locator("#import a.btn-primary").wait_for()


def pressed(button: str, shown: str) -> Callable[[Any], None]:
    """Press something and wait for what comes."""

    def step(page: Any) -> None:
        page.locator(button).first.click()
        page.locator(shown).first.wait_for()

    return step


def sampled(page: Any) -> None:
    """Draw a random sample of the trail."""
    with page.expect_response(lambda answer: answer.url.endswith("/audit/sample")):
        page.locator("[hx-get='/settings/audit/sample']").click()
    page.locator("#trail tbody tr").first.wait_for()


def keys(page: Any) -> None:
    """Ask which keys there are."""
    page.keyboard.press("?")
    page.locator("#keys[open]").wait_for()


def asked(page: Any) -> None:
    """Ask to be written to."""
    page.locator("input[type=email]").fill("new@visitor.example")
    pressed("main form button", ".done")(page)


#: Page → what is done once it has loaded.
STEPS: dict[str, Callable[[Any], None]] = {
    "import-preview": preview,
    "import-run": imported,
    "audit-verified": pressed("[hx-get='/settings/audit/verify']", "#verified .o-note"),
    "audit-sample": sampled,
    "keys": keys,
    "unsubscribed": pressed("section.box button", ".done"),
    "sign-up-asked": asked,
}
#: Pages that are refused: their status. The browser's console names it, too.
STATUS = {"missing": 404, "refused": 403, "gone": 404}


def prepare(name: str, page: Any) -> None:
    """Do what the page needs before it is looked at."""
    step = STEPS.get(name)
    if step is not None:
        step(page)
