"""The seeded house as visitors find it: recipients' pages and the sign-up form in front, a past in templates and trail."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.config.settings import SignUpSettings
from outreach.content.store import snapshot
from outreach.content.template import TemplateSource, load_template
from outreach.main import with_sign_up
from outreach.tracking.views import PublicApp
from tests.web.house import House, open_house
from tests.web.seed import NOW
from tests.web.seed_campaigns import TEMPLATES


def whole(house: House) -> Any:
    """The service as it is served: the public pages, the sign-up form, then the staff's pages."""
    app = house.outreach
    offered = SignUpSettings(mailbox="info", interests=["LED panels", "High bay", "Street lights"])
    app.settings = app.settings.model_copy(update={"signup": offered})
    return PublicApp(with_sign_up(house.web, app), app.public_services(lambda: house.now))


#: Who, what, the object, before, after: a morning's work.
MORNING: list[tuple[int, str, str, int, dict[str, Any], dict[str, Any]]] = [
    (1, "campaign.submitted", "campaign", 3, {"state": "draft"}, {"state": "in_review"}),
    (2, "campaign.approved", "campaign", 3, {}, {"step": "marketing", "version": 2}),
    (5, "contact.edit", "contact", 1, {"grade": "B"}, {"grade": "A"}),
    (6, "company.assigned", "company", 4, {"owner": 6}, {"owner": 5}),
    (5, "deal.moved", "deal", 1, {"stage": "inquiry"}, {"stage": "quotation"}),
    (7, "case.opened", "ticket", 1, {}, {"kind": "complaint"}),
    (6, "suppression.removed", "suppression", 2, {}, {"why": "written wish of 20 November"}),
    (10, "user.edited", "user", 9, {"roles": ["marketer"]}, {"roles": ["technician"]}),
]


async def dress(house: House) -> None:
    """A template's two versions and some entries of the trail: a look back needs something to look at."""
    now = load_template(TEMPLATES / "product-launch")
    before = dict(now.files)
    before["body.mjml"] = before["body.mjml"].replace("{{", "Hello {{", 1).replace("</mj-text>", " …</mj-text>", 1)
    async with house.db.write() as conn:
        first = TemplateSource.from_files("product-launch", before)
        await snapshot(conn, first, NOW - timedelta(days=9), author_id=1, comment="first wording")
        await snapshot(conn, now, NOW - timedelta(days=2), author_id=1, comment="shorter")
        for minutes, (who, action, kind, number, old, new) in enumerate(MORNING, -200):
            actor = Actor(id=who, name="")
            await append_audit(
                conn, actor, action, kind, number, now=NOW + timedelta(minutes=minutes), before=old, after=new
            )


def dressed_house(url: str, **options: Any) -> House:
    """A house made in a thread of its own: Playwright keeps a loop running in the test's."""

    async def make() -> House:
        house = await open_house(url, **options)
        await dress(house)
        await house.db.close()
        return house

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, make()).result()
