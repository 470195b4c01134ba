"""Pictures of the pages: ``python -m tests.browser.shots`` takes those of the documentation again.

Serves the seeded house over real HTTP. ``--only NAME …`` takes others, at 1440 and 390 px, in Chinese and English;
``--out DIR`` puts them elsewhere; ``--theme dark`` takes them in dark.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from outreach.crm.survey.store import survey_signer
from outreach.tracking.tokens import Signer
from tests.browser.door import Door
from tests.browser.dressing import dress, whole
from tests.browser.steps import STATUS, prepare
from tests.fakes.browser import running_chromium
from tests.web.house import SECRET, House, open_house
from tests.web.seed import NOW

RECIPIENT = Signer.from_secret(SECRET)
#: Name → path, user. What is pressed there first stands in steps.py.
PAGES: dict[str, tuple[str, str]] = {
    "today": ("/?scope=all", "sun.qian"),
    "login": ("/login", ""),
    "customers": ("/customers", "li.na"),
    "campaigns": ("/campaigns", "li.na"),
    "campaign": ("/campaigns/1", "li.na"),
    "pilot": ("/campaigns/2", "li.na"),
    "approvals": ("/approvals", "zhao.min"),
    "approval": ("/approvals/3", "zhao.min"),
    "segments": ("/segments", "li.na"),
    "segment": ("/segments/1", "li.na"),
    "templates": ("/templates", "li.na"),
    "template": ("/templates/product-launch", "li.na"),
    "template-edit": ("/templates/product-launch/edit", "li.na"),
    "country-rules": ("/settings/country-rules", "li.na"),
    "template-dark": ("/templates/product-launch?view=dark", "li.na"),
    "template-words": ("/templates/product-launch/words", "li.na"),
    "template-pictures": ("/template-pictures", "li.na"),
    "template-layout": ("/template-layout", "li.na"),
    "import": ("/contacts/import", "li.na"),
    "campaign-new": ("/campaigns/new?template=product-launch&segment=1", "li.na"),
    "campaign-draft": ("/campaigns/5", "li.na"),
    "calendar": ("/campaigns/calendar", "li.na"),
    "search": ("/search?q=lich", "sun.qian"),
    "report": ("/reports/2026-W48", "sun.qian"),
    "follow-ups": ("/follow-ups?scope=all", "sun.qian"),
    "settings": ("/settings", "admin"),
    "start": ("/start", "admin"),
    "company-form": ("/settings/company", "admin"),
    "mailbox-new": ("/settings/mailboxes/new", "admin"),
    "mailbox": ("/settings/mailboxes/1", "admin"),
    "mailboxes": ("/settings/mailboxes", "tang.ke"),
    "users": ("/settings/users", "admin"),
    "user": ("/settings/users/5", "admin"),
    "roles": ("/settings/roles", "ma.jun"),
    "suppression": ("/settings/suppression", "sun.qian"),
    "audit": ("/settings/audit", "ma.jun"),
    "account": ("/account", "li.na"),
    "violation": ("/violations/new", "li.na"),
    "violations": ("/settings/violations", "ma.jun"),
    "violation-outside": ("/v/?lang={lang}", ""),
    "inbox": ("/inbox", "zhou.yang"),
    "archived-mail": ("/inbox/archive/3", "zhou.yang"),
    "quarantine": ("/inbox/quarantine?look=901", "wu.hao"),
    "doubt": ("/campaigns/1?stage=in_doubt", "li.na"),
    "doubts": ("/doubt", "li.na"),
    "contacts": ("/contacts", "sun.qian"),
    "contact": ("/contacts/1", "sun.qian"),
    "merge": ("/contacts/1/merge?other=21", "sun.qian"),
    "contacts-filtered": ("/contacts?segment=region+%3D+Europe+and+grade+in+(A%2C+B)", "sun.qian"),
    "company": ("/customers/1", "sun.qian"),
    "survey": ("/q/" + survey_signer(SECRET).sign("p", 10) + "?lang={lang}", ""),
    "deals": ("/customers/deals?scope=all", "sun.qian"),
    "deal": ("/customers/deals/1", "zhou.yang"),
    "deal-approval": ("/customers/deals/6", "sun.qian"),
    "orders": ("/customers/orders", "sun.qian"),
    "cards": ("/customers/cards?source=Canton+Fair+2026", "zhou.yang"),
    "rules": ("/customers/rules", "sun.qian"),
    "duplicates": ("/customers/duplicates", "sun.qian"),
    "grades": ("/customers/grades", "sun.qian"),
    "regions": ("/customers/regions", "sun.qian"),
    "hand-over": ("/settings/users/5/hand-over?to=6", "sun.qian"),
    "plan": ("/follow-ups/plan", "zhou.yang"),
    "team": ("/follow-ups/team", "sun.qian"),
    "targets": ("/follow-ups/targets?quarter=2026-Q4", "sun.qian"),
    "targets-own": ("/follow-ups/targets?quarter=2026-Q4", "zhou.yang"),
    "indicators": ("/reports/indicators?period=2026-Q4", "sun.qian"),
    "suggestions": ("/suggestions", "sun.qian"),
    "calls": ("/follow-ups/calls", "zhou.yang"),
    "call": ("/follow-ups/calls/1", "zhou.yang"),
    "scripts": ("/follow-ups/scripts", "li.na"),
    "service": ("/follow-ups/service", "wu.hao"),
    "case": ("/follow-ups/service/1", "wu.hao"),
    "case-asked": ("/follow-ups/service/2", "zhou.yang"),
    "case-new": ("/follow-ups/service/new?mail=3", "wu.hao"),
    "sequences": ("/sequences", "li.na"),
    "sequence": ("/sequences/91", "li.na"),
    "sequence-edit": ("/sequences/91/edit", "li.na"),
    "sequence-new": ("/sequences/new", "li.na"),
    "sequence-contact": ("/contacts/5", "sun.qian"),
    "greetings": ("/greetings", "sun.qian"),
    "greeting": ("/greetings/1", "sun.qian"),
    "programme": ("/greetings/programmes/92", "li.na"),
    "programme-new": ("/greetings/new?kind=holiday", "li.na"),
    "campaign-edit": ("/campaigns/5/edit", "li.na"),
    "segment-new": ("/segments/new", "li.na"),
    "programme-edit": ("/greetings/programmes/92/edit", "li.na"),
    "targets-behind": ("/follow-ups/targets/orders?of=5&quarter=2026-Q4", "sun.qian"),
    "webhooks": ("/settings/webhooks", "admin"),
    "webhook": ("/settings/webhooks/1", "admin"),
    "template-version": ("/templates/product-launch/versions/2", "li.na"),
    "import-preview": ("/contacts/import", "li.na"),
    "import-run": ("/contacts/import", "li.na"),
    "audit-verified": ("/settings/audit", "ma.jun"),
    "audit-sample": ("/settings/audit", "ma.jun"),
    "inbox-thread": ("/inbox/1?view=thread", "zhou.yang"),
    "inbox-done": ("/inbox?show=done", "zhou.yang"),
    "inbox-auto": ("/inbox?show=auto", "wu.hao"),
    "inbox-bounces": ("/inbox?show=bounces", "wu.hao"),
    "report-month": ("/reports/2026-11", "sun.qian"),
    "report-quarter": ("/reports/2026-Q4", "sun.qian"),
    "keys": ("/settings", "admin"),
    "missing": ("/nothing/here", "li.na"),
    "refused": ("/settings/users", "zhou.yang"),
    "session-ended": ("/login?next=/campaigns&ended=1", ""),
    "leaving": (f"/u/{RECIPIENT.sign('u', 5)}?lang={{lang}}", ""),
    "leaving-ar": (f"/u/{RECIPIENT.sign('u', 5)}?lang=ar", ""),
    "unsubscribed": (f"/u/{RECIPIENT.sign('u', 6)}?lang={{lang}}", ""),
    "preferences": (f"/p/{RECIPIENT.sign('p', 5)}?lang={{lang}}", ""),
    "preferences-de": (f"/p/{RECIPIENT.sign('p', 5)}?lang=de", ""),
    "gone": ("/c/nothing?lang={lang}", ""),
    "sign-up": ("/j/?lang={lang}", ""),
    "sign-up-asked": ("/j/?lang={lang}", ""),
    "survey-ar": ("/q/" + survey_signer(SECRET).sign("p", 10) + "?lang=ar", ""),
}
#: Pages with columns that scroll by themselves are shown as a window shows them.
VIEWPORT_ONLY = {"inbox", "inbox-thread", "inbox-done", "inbox-auto", "inbox-bounces", "keys"}
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
BOTH = ("zh", "en")
#: What the documentation shows: name → languages, sizes. docs/screens.md holds the screens of every day.
SHOWN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    **{name: (BOTH, tuple(SIZES)) for name in ("today", "campaign", "approval", "segment", "inbox", "report")},
    **{name: (BOTH, tuple(SIZES)) for name in ("template", "campaign-draft", "company", "orders")},
    **{name: (BOTH, tuple(SIZES)) for name in ("import-preview", "template-version", "audit-verified", "audit-sample")},
    **dict.fromkeys(
        ("call", "case", "deals", "hand-over", "mailboxes", "roles", "service", "survey"), (("zh",), ("desktop",))
    ),
}


def shoot(browser: Any, door: Door, name: str, lang: str, size: str, out: Path, theme: str = "light") -> list[str]:
    """Take one picture; what the console complained of is returned."""
    path, user = PAGES[name]
    path = path.format(lang=lang)
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=size == "phone")
    door.enter(context, user, lang)
    page = context.new_page()
    said: list[str] = []
    page.on(
        "console",
        lambda m: (
            said.append(f"{name} {lang} {size}: {m.text}")
            if m.type in ("error", "warning") and name not in STATUS
            else None
        ),
    )
    page.on("pageerror", lambda e: said.append(f"{name} {lang} {size}: {e}"))
    mark = "&" if "?" in path else "?"
    page.goto(f"{door.base}{path}{mark}theme={theme}", wait_until="load")
    prepare(name, page)
    page.wait_for_timeout(4000 if name == "campaign-draft" else 900)
    for _ in range(0 if name in VIEWPORT_ONLY else 2):  # a taller window may show more, which makes it taller again
        tall = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": width, "height": max(height, min(tall, 4000))})
        page.wait_for_timeout(100)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wide > 0:
        said.append(f"{name} {lang} {size}: {wide}px wider than the window")
    suffix = "" if theme == "light" else f"-{theme}"
    save(page.screenshot(full_page=name not in VIEWPORT_ONLY), out / f"{name}-{lang}-{size}{suffix}.png")
    context.close()
    return said


def save(png: bytes, path: Path) -> None:
    """Write a picture in 256 colours: a third of the size, and the pages have few more (its own ones stay exact)."""
    whole = Image.open(BytesIO(png)).convert("RGB")
    whole.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, optimize=True)


def main() -> None:
    """Take them all."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--out", default="docs/images")
    arguments.add_argument("--only", nargs="*")
    arguments.add_argument("--lang", nargs="*", default=list(BOTH))
    arguments.add_argument("--size", nargs="*", default=list(SIZES))
    arguments.add_argument("--theme", default="light")
    given = arguments.parse_args()
    out = Path(given.out)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        house: House = asyncio.run(_open(f"sqlite:///{folder}/house.db"))
        with house.served(whole(house)) as base, running_chromium() as browser:
            door = Door(base)
            wanted = dict.fromkeys(given.only or (), (given.lang, given.size)) or SHOWN
            for name, (langs, sizes) in wanted.items():
                for lang in langs:
                    for size in sizes:
                        for line in shoot(browser, door, name, lang, size, out, given.theme):
                            print(line)


async def _open(url: str) -> House:
    house = await open_house(url)
    await add_reports(house)
    await dress(house)
    await house.db.close()
    house.now = NOW
    return house


async def add_reports(house: House) -> None:
    """Two reports of violations: one from outside, one of staff."""
    told = "You wrote to me three times after I had asked you to stop."
    await house.outreach.violations.report("mailing", told, NOW - timedelta(hours=5), outside=True)
    await house.outreach.violations.report("conduct", "未经审核的名单被导入。", NOW - timedelta(days=2))


if __name__ == "__main__":
    main()
