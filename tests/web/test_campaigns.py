"""The campaign pages: a draft is written, submitted, approved by three and started; what changed is shown."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import quote

from httpx import Response
from sqlalchemy import func, select, update

from outreach.config.mailbox import MailboxLimits
from outreach.model import Approval, Campaign, CampaignRecipient, Contact, Message
from outreach.model.base import table
from tests.web.house import House, Visitor

CAMPAIGNS, MESSAGES, APPROVALS = table(Campaign), table(Message), table(Approval)
RECIPIENTS, CONTACTS = table(CampaignRecipient), table(Contact)

FORM = {
    "name": "LED show", "goal": "visits", "segment": "region = Asia and grade in (A, B)", "template": "product-launch",
    "mailbox": ["sales", "info"], "window": "09:00-17:00", "local_time": "1", "pilot_share": "10", "pilot_wait": "2",
    "budget": "3000", "currency": "CNY", "step_template_1": "follow-up", "step_days_1": "4", "step_if_1": "no reply",
}  # fmt: skip


async def approve(approver: Visitor, number: str, page: str = "", **more: str) -> Response:
    """Press "Approve" on the page as it stands, or as it stood: `page`."""
    shown = page or (await approver.get(f"/approvals/{number}")).text
    version = re.search(r'name="version" value="([0-9a-f]+)"', shown)
    return await approver.post(f"/approvals/{number}/approve", {"version": version[1] if version else "", **more})


async def test_an_approval_is_of_the_version_that_the_page_showed(house: House) -> None:
    async with house.visitor("li.na") as author, house.visitor("zhao.min") as legal:
        here = (await author.post("/campaigns/new", FORM)).headers["location"]
        number = here.rsplit("/", 1)[1]
        await author.post(here + "/submit")
        seen = (await legal.get(f"/approvals/{number}")).text
        await author.post(here + "/edit", FORM | {"goal": "samples"})
        drafted = await approve(legal, number, seen)
        await author.post(here + "/submit")
        later = await approve(legal, number, seen, comment="fine")
        assert (drafted.status_code, later.status_code) == (409, 409)
        for words in ("this is another version than the one you looked at", "Approve version 2", "fine"):
            assert words in later.text
        assert (await legal.post(f"/approvals/{number}/approve")).status_code == 409, "a form that does not say which"
        async with house.db.read() as conn:
            given = select(func.count()).select_from(APPROVALS).where(APPROVALS.c.campaign_id == int(number))
            assert (await conn.execute(given)).scalar_one() == 0
        assert (await approve(legal, number, later.text)).status_code == 303


async def test_another_version_is_told_before_the_password_is_asked(house: House) -> None:
    """Asking for the password shows the page anew, with the new version in it: nobody may approve that by the way."""
    async with house.visitor("li.na") as author, house.visitor("zhao.min") as legal:
        here = (await author.post("/campaigns/new", FORM)).headers["location"]
        number = here.rsplit("/", 1)[1]
        await author.post(here + "/submit")
        seen = (await legal.get(f"/approvals/{number}")).text
        await author.post(here + "/edit", FORM | {"goal": "samples"})
        await author.post(here + "/submit")
        house.now += timedelta(minutes=30)
        for act in ("approve", "return"):
            version = re.search(r'name="version" value="([0-9a-f]+)"', seen)
            assert version
            answer = await legal.post(f"/approvals/{number}/{act}", {"version": version[1], "comment": "fine"})
            assert answer.status_code == 409
            for words in ("this is another version than the one you looked at", "Approve version 2", "fine"):
                assert words in answer.text


async def test_a_change_made_in_another_tab_is_not_overwritten_by_the_way(house: House) -> None:
    async with house.visitor("li.na") as author:
        here = (await author.post("/campaigns/new", FORM)).headers["location"]
        opened = re.search(r'name="seen" value="([0-9a-f]+)"', (await author.get(here + "/edit")).text)
        assert opened
        first = await author.post(here + "/edit", FORM | {"seen": opened[1], "goal": "samples"})
        second = await author.post(here + "/edit", FORM | {"seen": opened[1], "goal": "orders of lamps"})
        assert (first.status_code, second.status_code) == (303, 409)
        assert "orders of lamps" in second.text, "nothing typed is lost"
        assert "samples" in (await author.get(here + "/edit")).text
        again = re.search(r'name="seen" value="([0-9a-f]+)"', second.text)
        assert again
        knowing = await author.post(here + "/edit", FORM | {"seen": again[1], "goal": "orders of lamps"})
        assert knowing.status_code == 303
        assert "orders of lamps" in (await author.get(here + "/edit")).text


async def test_topic_and_ticks_of_the_form_reach_the_campaign(house: House) -> None:
    async with house.visitor("li.na") as author:
        shown = (await author.get("/campaigns/new")).text
        for words in ('value="price"', "Price lists", 'name="count_opens" value="1" checked', 'name="stop_colleagues"'):
            assert words in shown
        wish = {"ticks": "1", "topic": "show", "count_clicks": "1"}
        here = (await author.post("/campaigns/new", FORM | wish)).headers["location"]
        async with house.db.read() as conn:
            what = await conn.scalar(
                select(CAMPAIGNS.c.definition).where(CAMPAIGNS.c.id == int(here.rsplit("/", 1)[1]))
            )
        assert (what["topic"], what["stop_colleagues"]) == ("show", False)
        assert what["tracking"] == {"opens": False, "clicks": True}
        assert 'value="show" selected' in (await author.get(here + "/edit")).text
        refused = await author.post("/campaigns/new", FORM | wish | {"topic": "shwo"})
        assert refused.status_code == 422
        assert "there are: new, show, price" in refused.text


async def test_from_the_form_to_the_first_mail(house: House) -> None:
    async with house.visitor("li.na") as author:
        answer = await author.post("/campaigns/new", FORM)
        assert answer.status_code == 303, answer.text
        here = answer.headers["location"]
        assert "people get it" in (await author.get(here + "/preflight")).text
        assert (await author.post(here + "/submit")).status_code == 303
        assert "In review" in (await author.get(here)).text
        number = here.rsplit("/", 1)[1]
        assert (await author.post(f"/approvals/{number}/approve")).status_code == 403, "the author does not approve"
    for name in ("wang.lei", "chen.jing", "zhao.min"):
        async with house.visitor(name) as approver:
            assert (await approve(approver, number, comment="fine")).status_code == 303
    async with house.visitor("li.na") as author:
        assert "Start the pilot" in (await author.get(here)).text
        assert (await author.post(here + "/start")).status_code == 303
    async with house.db.read() as conn:
        state = (await conn.execute(select(CAMPAIGNS.c.state).where(CAMPAIGNS.c.id == int(number)))).scalar_one()
        planned = (await conn.execute(select(func.count()).where(MESSAGES.c.campaign_id == int(number)))).scalar_one()
    assert state == "pilot"
    assert planned > 0


async def test_a_mailbox_without_limits_has_a_pace_too(house: House) -> None:
    none = MailboxLimits(per_minute=0, per_hour=0, per_day=0)
    given = house.outreach.settings
    boxes = [box.model_copy(update={"limits": none}) for box in given.mailbox]
    house.outreach.settings = given.model_copy(update={"mailbox": boxes})
    async with house.visitor("li.na") as author:
        for path in ("/campaigns/1", "/campaigns/1/live"):
            answer = await author.get(path)
            assert answer.status_code == 200
            assert "Last minute" in answer.text


async def test_a_fault_in_the_form_is_told_and_nothing_is_lost(house: House) -> None:
    async with house.visitor("li.na") as author:
        answer = await author.post("/campaigns/new", FORM | {"segment": "regoin = Asia"})
        assert answer.status_code == 422
        assert "LED show" in answer.text
        assert "regoin" in answer.text


async def test_returning_shows_the_comment_and_the_next_version_what_changed(house: House) -> None:
    async with house.visitor("li.na") as author:
        here = (await author.post("/campaigns/new", FORM)).headers["location"]
        number = here.rsplit("/", 1)[1]
        await author.post(here + "/submit")
    async with house.visitor("zhao.min") as legal:
        empty = await legal.post(f"/approvals/{number}/return")
        assert empty.status_code == 422
        await legal.post(f"/approvals/{number}/return", {"comment": "three years, not five"})
    async with house.visitor("li.na") as author:
        assert "three years, not five" in (await author.get(here)).text
        await author.post(here + "/edit", FORM | {"goal": "samples"})
        await author.post(here + "/submit")
    async with house.visitor("zhao.min") as legal:
        page = (await legal.get(f"/approvals/{number}")).text
        assert "<del>visits</del>" in page
        assert "<ins>samples</ins>" in page
        assert "Approve version 2" in page


async def test_an_approval_asks_for_the_password_when_the_login_is_old(house: House) -> None:
    async with house.visitor("zhao.min") as legal:
        house.now += timedelta(minutes=30)
        asked = await legal.post("/approvals/3/approve")
        assert (asked.status_code, "Type your password" in asked.text) == (422, True)
        wrong = await legal.post("/approvals/3/approve", {"password": "nonsense"})
        assert "The password is wrong." in wrong.text


async def test_mail_in_doubt_is_settled_by_hand(house: House) -> None:
    async with house.db.read() as conn:
        query = select(MESSAGES.c.id).where(MESSAGES.c.state == "in_doubt").order_by(MESSAGES.c.id)
        doubtful = (await conn.execute(query)).scalars().all()
    async with house.visitor("li.na") as visitor:
        assert "Sending again may deliver it twice" in (await visitor.get("/campaigns/1?stage=in_doubt")).text
        for number, answer in zip(doubtful, ("sent", "retry", "failed"), strict=True):
            done = await visitor.post(f"/campaigns/1/messages/{number}/resolve", {"answer": answer})
            assert done.status_code == 303
        again = await visitor.post(f"/campaigns/1/messages/{doubtful[0]}/resolve", {"answer": "sent"})
        assert again.status_code == 409
        other = await visitor.post(f"/campaigns/2/messages/{doubtful[0]}/resolve", {"answer": "sent"})
        assert other.status_code == 404
    async with house.db.read() as conn:
        rows = await conn.execute(select(MESSAGES.c.state).where(MESSAGES.c.id.in_(doubtful)).order_by(MESSAGES.c.id))
        assert [row.state for row in rows] == ["sent", "queued", "failed"]


async def test_the_ledger_leaves_as_csv_and_is_on_record(house: House) -> None:
    async with house.db.write() as conn:
        await conn.execute(update(MESSAGES).where(MESSAGES.c.id == 1).values(address="=cmd()@x.example", state="sent"))
    async with house.visitor("li.na") as visitor:
        answer = await visitor.get("/campaigns/1/ledger.csv?stage=sent")
        assert answer.text.startswith("\ufeffaddress,name")
        assert "'=cmd()@x.example" in answer.text
    (newest,) = await house.outreach.access.entries(limit=1)
    assert (newest.action, newest.actor_id) == ("campaign.exported", 1)


async def test_each_fault_stands_at_its_field_in_the_readers_language(house: House) -> None:
    wrong = {"name": "", "budget": "much", "pilot_share": "80", "window": "17-9", "start": "soon", "step_days_1": "x"}
    async with house.visitor("li.na", "zh") as author:
        answer = await author.post("/campaigns/new", {key: v for key, v in (FORM | wrong).items() if key != "mailbox"})
        refused = await author.post("/campaigns/1/submit")
    assert (refused.status_code, "不能提交审核；可以：" in refused.text) == (409, True)
    assert answer.status_code == 422
    for field in (*wrong, "mailbox"):
        assert f'id="fault-{field}"' in answer.text, field
    assert "请起个名称" in answer.text
    for typed in ("much", "80", "17-9", "soon"):
        assert f'value="{typed}"' in answer.text, "what was typed stays to be mended"
    async with house.db.read() as conn:
        assert (await conn.execute(select(func.count()).where(CAMPAIGNS.c.name == ""))).scalar_one() == 0


async def test_the_ledger_lists_who_is_planned_before_anything_begins(house: House) -> None:
    """The funnel counts the frozen audience, so the list below it shows its people, found by any part of their name."""
    async with house.visitor("li.na") as author:
        here = (await author.post("/campaigns/new", FORM)).headers["location"]
        await author.post(here + "/submit")
        page = (await author.get(here + "?stage=planned")).text
        funnel = re.search(r"Planned <span class=\"dim num\">([0-9,]+)</span>", page)
        assert funnel
        assert int(funnel[1]) > 0
        async with house.db.read() as conn:
            frozen = select(func.count()).select_from(RECIPIENTS).where(RECIPIENTS.c.campaign_id == int(here[11:]))
            assert await conn.scalar(frozen.where(RECIPIENTS.c.skip_reason.is_(None))) == int(funnel[1])
            joined = RECIPIENTS.join(CONTACTS, CONTACTS.c.id == RECIPIENTS.c.contact_id)
            query = select(CONTACTS.c.first_name, CONTACTS.c.last_name, RECIPIENTS.c.address).select_from(joined)
            one = (
                await conn.execute(
                    query.where(RECIPIENTS.c.campaign_id == int(here[11:]), RECIPIENTS.c.skip_reason.is_(None))
                )
            ).first()
        assert one
        for words in (one.first_name, f"{one.first_name} {one.last_name}", one.address):
            assert one.address in (await author.get(f"{here}?stage=planned&q={quote(words)}")).text, words
