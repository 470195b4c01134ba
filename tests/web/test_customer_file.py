"""The customer file, owners, calls, service and surveys over HTTP: what is shown, asked for, undone and refused."""

from __future__ import annotations

import re
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, insert, select, update

from outreach.crm.store import note
from outreach.crm.survey.store import Vote
from outreach.model import (
    Activity,
    Attachment,
    Company,
    Contact,
    ContactTag,
    Deal,
    EmailAddress,
    Tag,
    Task,
    Ticket,
)
from outreach.model.base import table
from tests.fakes.smtp import ScriptedSMTP, reply
from tests.web.house import House, Visitor

DEALS, TASKS, COMPANIES, CONTACTS, TICKETS = table(Deal), table(Task), table(Company), table(Contact), table(Ticket)
ADDRESSES, ACTIVITIES = table(EmailAddress), table(Activity)


async def one(house: House, query: Any) -> Any:
    async with house.db.read() as conn:
        return (await conn.execute(query)).first()


async def undo(visitor: Visitor, page: str) -> None:
    """Press Undo on the page where the act led."""
    told = await visitor.get(page)
    signed = re.search(r'name="undo" value="([^"]+)"', told.text)
    assert signed, "no undo is offered"
    assert (await visitor.post("/undo", {"undo": signed[1], "next": page})).status_code == 303


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_the_file_shows_everything_and_leaves_nobody_elses_open(house: House, lang: str) -> None:
    async with house.visitor("zhou.yang", lang) as visitor:
        page = (await visitor.get("/customers/1")).text
        for words in (
            "2,000 支 T8",
            "MX-26-0002",
            "Preisliste 2026.pdf",
            "Katrin",
            "tel:+49-30-901820",
            "wa.me/4930901820",
        ):
            assert words in page, words
        assert ("时间线" if lang == "zh" else "Timeline") in page
        assert (await visitor.get("/customers/1?show=talk")).text.count("Wants a price") == 1
        assert "Wants a price" not in (await visitor.get("/customers/1?show=file")).text
        for path in ("/customers/2", "/customers/files/1", "/follow-ups/calls/2", "/follow-ups/service/1"):
            assert (await visitor.get(path)).status_code == 403, path


async def test_a_persons_page_leads_to_the_reply_that_waits_and_closes_what_is_done(house: House) -> None:
    async with house.visitor("zhou.yang") as zhou:
        page = (await zhou.get("/contacts/1")).text
        [mail] = re.findall(r'class="btn btn-primary" href="/inbox/(\d+)', page)
        thread = await zhou.get(f"/inbox/{mail}?view=thread")
        assert (thread.status_code, "Katrin" in thread.text) == (200, True)
        [task] = re.findall(r'action="(/follow-ups/\d+/done)"', page)
        await zhou.post(task, {"next": "/contacts/1"})
        assert task not in (await zhou.get("/contacts/1")).text
    async with house.visitor("li.na") as li:
        for path in ("/contacts/1", "/customers/1"):  # zhou.yang's customer: she may look, he answers
            assert 'href="/inbox/' not in (await li.get(path)).text, path


async def test_a_deal_under_the_floor_needs_the_manager_and_the_rest_goes_on(house: House) -> None:
    async with house.visitor("zhou.yang") as zhou:
        made = await zhou.post(
            "/customers/deals", {"company": "1", "title": "Panels", "amount": "12,500", "currency": "eur"}
        )
        path = urlsplit(made.headers["location"]).path
        answer = await zhou.post(f"{path}/step", {"action": "quote", "margin": "8", "amount": "12500"})
        assert answer.status_code == 303
        assert "waits for a manager" in (await zhou.get(path)).text.lower()
        assert (await zhou.post(f"{path}/decide", {"grant": "1"})).status_code == 403
        assert (await zhou.post(f"{path}/step", {"action": "pay"})).status_code == 409
    async with house.visitor("sun.qian") as sun:
        assert "margin of 8%" in (await sun.get(path)).text
        seen = dict(re.findall(r'name="(amount|currency|margin)" value="([^"]*)"', (await sun.get(path)).text))
        assert (await sun.post(f"{path}/decide", {"grant": "0", **seen})).status_code == 422
        granted = {"grant": "1", "comment": "first order"}
        for other in ({}, {**seen, "margin": "9"}, {**seen, "amount": "1"}, {**seen, "currency": "USD"}):
            answer = await sun.post(f"{path}/decide", {**granted, **other})
            assert (answer.status_code, "have changed since you looked" in answer.text) == (422, True), other
        assert (await sun.post(f"{path}/decide", {**granted, **seen})).status_code == 303
    async with house.visitor("zhou.yang") as zhou:
        assert "Approved by a manager" in (await zhou.get(path)).text
        await zhou.post(f"{path}/step", {"action": "order"})
        await undo(zhou, path)
        row = await one(house, select(DEALS.c.stage, DEALS.c.currency).where(DEALS.c.title == "Panels"))
        assert tuple(row) == ("quotation", "EUR")
        assert (await zhou.post(f"{path}/step", {"action": "lose", "reason": " "})).status_code == 422


async def test_orders_are_imported_with_the_refusals_named(house: House) -> None:
    async with house.visitor("sun.qian") as sun:
        await sun.get("/customers/orders")
        rows = (
            b"number,company,date,amount,currency\nN-1,Hafen Licht BV,2026-11-02,900,USD\nN-2,Nobody,2026-11-02,1,USD\n"
        )
        files = {"file": ("orders.csv", rows, "text/csv")}
        page = await sun.client.post("/customers/orders/import", data={"form_token": sun.token}, files=files)
        assert "1 new, 0 changed, 0 known already, 1 refused" in page.text
        assert "line 3:" in page.text
        assert "N-1" in page.text
        bad = {"file": ("orders.csv", b"colour\nred\n", "text/csv")}
        refused = await sun.client.post("/customers/orders/import", data={"form_token": sun.token}, files=bad)
        assert refused.status_code == 422
        assert "needs columns" in refused.text


async def test_a_file_is_put_in_the_folder_served_harmlessly_and_taken_out_again(house: House) -> None:
    async with house.visitor("zhou.yang") as zhou:
        await zhou.get("/customers/1")
        files = {"file": ("evil.html", b"<script>alert(1)</script>", "text/html")}
        answer = await zhou.client.post("/customers/files/of/1", data={"form_token": zhou.token}, files=files)
        assert answer.status_code == 303
        row = await one(house, select(table(Attachment).c.id).where(table(Attachment).c.name == "evil.html"))
        served = await zhou.get(f"/customers/files/{row[0]}")
        assert served.headers["content-type"] == "application/octet-stream"
        assert served.headers["content-disposition"].startswith("attachment")
        assert "sandbox" in served.headers["content-security-policy"]
        await undo(zhou, "/customers/1")
        assert (await zhou.get(f"/customers/files/{row[0]}")).status_code == 404


async def test_two_customers_are_merged_and_taken_apart(house: House) -> None:
    async with house.db.write() as conn:
        await conn.execute(update(COMPANIES).where(COMPANIES.c.id == 8).values(name="Hafen Licht B.V."))
        await conn.execute(update(CONTACTS).where(CONTACTS.c.id.in_((14, 16))).values(phone="+61 8 9448 0000"))
    async with house.visitor("sun.qian") as sun:
        page = (await sun.get("/customers/duplicates")).text
        assert "Hafen Licht B.V." in page
        assert "Nyota Lighting" in page
        assert "One customer: merge" in page
        await sun.post("/customers/1/merge", {"other": "21"})
        assert (await sun.get("/customers/21")).headers["location"] == "/customers/1"
        page = (await sun.get("/customers/1")).text
        assert "Merged with Lichtwerk Brandt GmbH 2" in page
        await sun.post("/customers/1/take-apart", {"other": "21"})
        row = await one(house, select(CONTACTS.c.company_id).where(CONTACTS.c.id == 21))
        assert row[0] == 21
        assert (await sun.get("/customers/21")).status_code == 200


async def test_an_owner_changes_with_the_work_and_the_history_tells_it(house: House) -> None:
    async with house.visitor("sun.qian") as sun:
        await sun.post("/customers/1/assign", {"owner": "6"})
        assert (await one(house, select(DEALS.c.owner_id).where(DEALS.c.id == 1)))[0] == 6
        await undo(sun, "/customers/1")
        assert (await one(house, select(DEALS.c.owner_id).where(DEALS.c.id == 1)))[0] == 5
        assert "taken back" in (await sun.get("/customers/1")).text


async def test_rules_are_kept_as_data_and_assign_who_has_nobody(house: House) -> None:
    async with house.visitor("sun.qian") as sun:
        await sun.post("/customers/rules", {"region": "Americas", "owner": "5", "source": "法兰克福"})
        rules = await house.outreach.owners.rules()
        assert (rules[-1].region, rules[-1].owners) == ("Americas", [5])
        await sun.post(f"/customers/rules/{rules[-1].id}/move", {"up": "1"})
        await sun.post("/customers/rules/apply")
        nobody = select(func.count()).select_from(COMPANIES).where(COMPANIES.c.owner_id.is_(None))
        assert (await one(house, nobody))[0] == 0
        await sun.post(f"/customers/rules/{rules[0].id}/remove")
        await undo(sun, "/customers/rules")
        assert len(await house.outreach.owners.rules()) == len(rules)


async def test_grades_are_revised_and_put_back(house: House) -> None:
    async with house.visitor("sun.qian") as sun:
        page = (await sun.get("/customers/grades")).text
        assert "large orders in the last year" in page or "good orders in the last year" in page
        await sun.post("/customers/grades", {"id": ["1"]})
        assert (await one(house, select(COMPANIES.c.grade).where(COMPANIES.c.id == 1)))[0] in ("A", "B")
        assert (await sun.get("/customers/regions")).status_code == 200


async def test_two_hundred_cards_go_through_the_form(house: House) -> None:
    async with house.visitor("zhou.yang") as zhou:
        await zhou.get("/customers/cards")
        before = (await one(house, select(func.count()).select_from(CONTACTS)))[0]
        for number in range(200):
            card = {"source": "Canton Fair 2026", "met": "5", "email": f"buyer{number}@stand{number}.example"}
            card |= {
                "first_name": f"B{number}",
                "company": f"Quarzwerk {number:03d} {'xyzabc'[number % 6] * 6}",
                "country": "DE",
            }
            answer = await zhou.post("/customers/cards", card | ({"same": "new"} if number else {}))
            assert answer.status_code == 303, answer.text[:300]
        assert "country=DE" in answer.headers["location"]
        assert (await one(house, select(func.count()).select_from(CONTACTS)))[0] == before + 200
        fair = (CONTACTS.c.source == "Canton Fair 2026", CONTACTS.c.owner_id == 5)
        assert (await one(house, select(func.count()).select_from(CONTACTS).where(*fair)))[0] == 200


async def test_birthday_and_interests_are_entered_by_hand(house: House) -> None:
    """On a card, and later in their place; each change has its way back."""
    card = {
        "source": "Canton Fair 2026", "met": "5", "email": "iva@novak.example", "company": "Novak Svitidla", "country": "CZ",
        "interests": "panels; high bays", "birthday": "1985-03-14", "tags": "fair", "same": "new",
    }  # fmt: skip
    async with house.visitor("zhou.yang") as zhou:
        refused = await zhou.post("/customers/cards", card | {"birthday": "the 14th"})
        assert (refused.status_code, "high bays" in refused.text) == (422, True)
        assert (await zhou.post("/customers/cards", card)).status_code == 303
        row = await one(house, select(CONTACTS.c.id, CONTACTS.c.birthday).order_by(CONTACTS.c.id.desc()))
        assert str(row.birthday) == "1985-03-14"
        path = f"/contacts/{row.id}"
        assert "high bays; panels" in (await zhou.get(path)).text
        await zhou.post(f"{path}/interests", {"value": "panels；floodlights"})
        assert await labels(house, row.id) == {("interest", "panels"), ("interest", "floodlights"), ("tag", "fair")}
        await undo(zhou, path)
        assert await labels(house, row.id) == {("interest", "panels"), ("interest", "high bays"), ("tag", "fair")}
        await zhou.post(f"{path}/edit", {"field": "birthday", "value": "1986-04-01"})
        await undo(zhou, path)
        assert str((await one(house, select(CONTACTS.c.birthday).where(CONTACTS.c.id == row.id)))[0]) == "1985-03-14"
        answer = await zhou.post(f"{path}/edit", {"field": "birthday", "value": "some day"})
        assert answer.status_code == 422


async def labels(house: House, contact: int) -> set[tuple[str, str]]:
    """Tags and interests of a person."""
    tags, carried = table(Tag), table(ContactTag)
    query = select(tags.c.kind, tags.c.name).join(carried, carried.c.tag_id == tags.c.id)
    async with house.db.read() as conn:
        return {(kind, name) for kind, name in await conn.execute(query.where(carried.c.contact_id == contact))}


async def test_a_card_of_a_known_company_asks_first_and_joins_it(house: House) -> None:
    card = {
        "source": "Canton Fair 2026",
        "met": "5",
        "email": "anna@gmail.com",
        "company": "Hafenn Licht B.V.",
        "country": "NL",
    }
    async with house.visitor("zhou.yang") as zhou:
        asked = await zhou.post("/customers/cards", card)
        assert asked.status_code == 409
        assert "Hafen Licht BV" in asked.text
        assert (await zhou.post("/customers/cards", card | {"same": "5"})).status_code == 303
        row = await one(house, select(CONTACTS.c.company_id, CONTACTS.c.owner_id).order_by(CONTACTS.c.id.desc()))
        assert row.company_id == 5
        refused = await zhou.post("/customers/cards", card | {"email": "no address", "same": "new"})
        assert refused.status_code == 422


async def test_a_card_of_a_colleagues_customer_leaves_only_the_meeting_and_the_note(house: House) -> None:
    async with house.db.read() as conn:
        known = select(ADDRESSES.c.address).where(ADDRESSES.c.contact_id == 2).order_by(ADDRESSES.c.id)
        address = (await conn.execute(known)).scalars().first()
    before = await one(house, select(CONTACTS).where(CONTACTS.c.id == 2))
    companies = await one(house, select(func.count()).select_from(COMPANIES))
    card = {"source": "Canton Fair 2026", "met": "5", "email": address, "note": "asks for a catalogue", "tags": "fair"}
    card |= {"first_name": "Mallory", "city": "Nowhere", "phone": "+86 760 555 0101", "company": "Mallory Ltd"}
    async with house.visitor("zhou.yang") as zhou:
        done = await zhou.post("/customers/cards", card | {"same": "new"})
        assert done.status_code == 303
        told = (await zhou.get(done.headers["location"])).text
        assert "is a customer of 孙倩: the meeting and the note stand there, nothing else was changed" in told
    assert await one(house, select(CONTACTS).where(CONTACTS.c.id == 2)) == before
    assert await one(house, select(func.count()).select_from(COMPANIES)) == companies
    async with house.db.read() as conn:
        mine = select(ACTIVITIES.c.kind, ACTIVITIES.c.text).where(ACTIVITIES.c.contact_id == 2)
        lines = (await conn.execute(mine.order_by(ACTIVITIES.c.id.desc()).limit(2))).all()
    assert set(map(tuple, lines)) == {("meeting", "Canton Fair 2026"), ("note", "asks for a catalogue")}


async def test_who_is_at_work_now_comes_first_of_a_large_scope(house: House) -> None:
    """Of thousands of better ones who are asleep none stands before; a company's number is one to call, too."""
    house.now = house.now.replace(hour=10)  # London is at work, Chicago asleep
    async with house.db.write() as conn:
        await conn.execute(update(CONTACTS).values(phone=None))
        await conn.execute(update(COMPANIES).values(phone=None))
        row = (await conn.execute(select(CONTACTS).where(CONTACTS.c.id == 1))).one()
        asleep = dict(row._mapping) | {"country": "US", "city": "Chicago", "grade": "A", "phone": "+1 312 555 0100"}
        people = [asleep | {"id": number, "company_id": None} for number in range(5_000, 7_100)]
        await conn.execute(insert(CONTACTS), people)
        at_work = {"country": "GB", "city": None, "grade": "C", "intent": None, "company_id": 4, "phone": None}
        await conn.execute(update(CONTACTS).where(CONTACTS.c.id == 4).values(at_work))
        await conn.execute(
            update(CONTACTS).where(CONTACTS.c.company_id == 4, CONTACTS.c.id != 4).values(company_id=None)
        )
        await conn.execute(update(COMPANIES).where(COMPANIES.c.id == 4).values(phone="+44 20 7946 0018"))
        name = (await conn.execute(select(CONTACTS.c.last_name).where(CONTACTS.c.id == 4))).scalar_one()
    async with house.visitor("sun.qian") as sun:
        page = (await sun.get("/follow-ups/calls")).text
        lines = re.findall(r'href="/follow-ups/calls/(\d+)">([^<]+)</a>', page)
        assert lines[0][0] == "4"
        assert name in lines[0][1]
        assert "the company's number" in page
        assert "1 person can be reached now" in page
        assert "and 2,041 more after these" in page or "and 2041 more after these" in page
        call = (await sun.get("/follow-ups/calls/4")).text
        assert "tel:+44-20-7946-0018" in call


async def test_a_call_is_logged_with_its_next_step_and_undone(house: House) -> None:
    async with house.visitor("zhou.yang") as zhou:
        page = (await zhou.get("/follow-ups/calls/1")).text
        assert "Good morning Katrin Vogel, this is 周洋" in page
        assert "certificates do you need in Germany" in page
        assert (await zhou.post("/follow-ups/calls/1", {"outcome": "nothing"})).status_code == 422
        await zhou.post(
            "/follow-ups/calls/1", {"outcome": "reached", "text": "Call again", "next": "3", "intent": "order"}
        )
        row = await one(house, select(TASKS).where(TASKS.c.contact_id == 1, TASKS.c.kind == "call"))
        assert row.title == "Call again"
        assert row.due_at - house.now > timedelta(days=2)
        await undo(zhou, "/follow-ups/calls")
        row = await one(house, select(TASKS.c.state).where(TASKS.c.contact_id == 1, TASKS.c.kind == "call"))
        assert row[0] == "dropped"
        listed = (await zhou.get("/follow-ups/calls?segment=grade+%3D+A")).text
        assert "Katrin Vogel" in listed
        assert "Katrin Vogel" not in (await zhou.get("/follow-ups/calls?segment=grade+%3D")).text


async def test_a_script_with_a_fault_is_refused_and_breaks_no_call(house: House) -> None:
    async with house.visitor("li.na") as li:
        given = {"name": "x", "language": "de", "intent": "price", "body": "{{ first_name.__class__ }}"}
        for body in ("{{ 1 / 0 }}", "{% for i in range(10**9) %}x{% endfor %}", "{{ open"):
            assert (await li.post("/follow-ups/scripts", given | {"body": body})).status_code == 422, body
        assert (await li.post("/follow-ups/scripts", given | {"body": "Hallo {{ last_name }}"})).status_code == 303
    async with house.visitor("zhou.yang") as zhou:
        assert "Hallo Vogel" in (await zhou.get("/follow-ups/calls/1")).text


async def test_the_plan_and_its_feed(house: House) -> None:
    async with house.visitor("zhou.yang") as zhou:
        assert "报价 Q-2611" in (await zhou.get("/follow-ups/plan")).text
        address = re.search(r'value="(http[^"]+\.ics)"', (await zhou.post("/follow-ups/feed")).text)
        assert address
        path = urlsplit(address[1]).path
        async with house.client() as stranger:
            feed = await stranger.get(path)
            assert feed.headers["content-type"].startswith("text/calendar")
            assert "Q-2611" in feed.text.replace("\r\n ", "")
            await zhou.post("/follow-ups/feed/close")
            assert (await stranger.get(path)).status_code == 404
        assert "报价 Q-2611" in (await zhou.get("/follow-ups/plan?of=6")).text  # others' plans are not theirs to see
    async with house.visitor("sun.qian") as sun:
        assert "周洋" in (await sun.get("/follow-ups/team")).text


async def test_a_complaint_goes_from_the_reply_to_closed_by_the_customers_word(
    sending: House, scripted_smtp: ScriptedSMTP
) -> None:
    house = sending
    async with house.visitor("wu.hao") as wu:
        assert "Open a case" in (await wu.get("/inbox/3?view=thread")).text
        page = (await wu.get("/follow-ups/service/new?mail=4")).text
        assert "If we change the 600×600 panels" in page
        made = await wu.post("/follow-ups/service", {"mail": "4", "contact": "4", "company": "4", "kind": "question",
                                                     "subject": "4000 K", "text": "Lead time?"})  # fmt: skip
        path = urlsplit(made.headers["location"]).path
        ask = {"department": "product", "user": "5", "question": "Does it change?"}
        assert (await wu.post(f"{path}/ask", ask)).status_code == 303
    async with house.visitor("zhou.yang") as zhou:
        assert "Does it change?" in (await zhou.get(path)).text
        assert (await zhou.post(f"{path}/answer", {"text": "no"})).status_code == 403
        assert (await zhou.post(f"{path}/told", {"answer": "No, 15 days"})).status_code == 303
    async with house.visitor("wu.hao") as wu:
        assert "No, 15 days" in (await wu.get(path)).text
        answer = await wu.post(f"{path}/answer", {"text": "It stays 15 days.", "how": "mail"})
        assert answer.status_code == 303, answer.text[-3000:]
        assert (await wu.post(f"{path}/answer", {"text": "Twice", "how": "mail"})).status_code == 409
    (sent,) = scripted_smtp.messages
    mail = message_from_bytes(sent.data, policy=default)
    assert mail["In-Reply-To"] == "<in4@x.example>"
    link = re.search(r"https?://\S+/q/(\S+)", mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    assert link
    async with house.client(headers={"accept-language": "de"}) as customer:
        for method in ("GET", "HEAD"):
            assert (await customer.request(method, f"/q/{link[1]}")).status_code in (200, 405)
        assert (await one(house, select(TICKETS.c.state).order_by(TICKETS.c.id.desc())))[0] == "answered"
        assert (await customer.post(f"/q/{link[1]}", data={})).status_code == 422
        told = await customer.post(f"/q/{link[1]}", data={"helped": "yes", "score": "5", "text": "Danke"})
        assert told.status_code == 200
        assert "<script" not in told.text
        assert (await customer.get("/q/" + "x" * 24)).status_code == 404
    row = await one(house, select(TICKETS.c.state, TICKETS.c.helped).order_by(TICKETS.c.id.desc()))
    assert tuple(row) == ("closed", True)


async def test_nobody_who_left_the_list_is_asked_by_mail(house: House) -> None:
    address = (await one(house, select(ADDRESSES.c.address).where(ADDRESSES.c.contact_id == 4)))[0]
    await house.outreach.suppression.add(address, source="test", now=house.now)
    async with house.visitor("wu.hao") as wu:
        await wu.post("/follow-ups/service/2/step/take_back")
        page = (await wu.get("/follow-ups/service/2")).text
        assert "wants no mail" in page
        assert (await wu.post("/follow-ups/service/2/answer", {"text": "No", "how": "mail"})).status_code == 422
        assert (await wu.post("/follow-ups/service/2/answer", {"text": "No", "how": "note"})).status_code == 303


async def test_a_leaver_is_handed_over_in_one_step_and_back(house: House) -> None:
    async with house.visitor("zhou.yang") as zhou, house.visitor("sun.qian") as sun:
        assert (await zhou.get("/")).status_code == 200
        preview = (await sun.get("/settings/users/5/hand-over?to=6")).text
        assert "zhou.yang@minxu-lighting.example" in preview
        done = await sun.post("/settings/users/5/hand-over", {"to": "6", "sequences": "stop"})
        assert done.status_code == 303
        assert (await zhou.get("/")).status_code == 303  # the session has ended
        for source in (COMPANIES, CONTACTS):
            left = select(func.count()).select_from(source).where(source.c.owner_id == 5)
            assert (await one(house, left))[0] == 0
        still = select(func.count()).select_from(TASKS).where(TASKS.c.owner_id == 5, TASKS.c.state == "open")
        assert (await one(house, still))[0] == 0
        await undo(sun, "/settings/users/5")
        assert "hand-over" in (await sun.get("/customers/1")).text
        mine = select(func.count()).select_from(COMPANIES).where(COMPANIES.c.owner_id == 5)
        assert (await one(house, mine))[0] > 50


async def test_a_survey_answered_by_a_stranger_is_stored_for_the_file(house: House) -> None:
    surveys = house.outreach.surveys
    _, link = await surveys.ask(1, house.now)
    assert await surveys.answer(link.rsplit("/", 1)[1], Vote(4, None, "Gut"), house.now)
    async with house.visitor("zhou.yang") as zhou:
        page = (await zhou.get("/customers/1?show=service")).text
        assert "4/5" in page
        assert "Gut" in page


@pytest.mark.parametrize(
    ("lang", "warning"), [("en", "A colleague works with this customer"), ("zh", "有同事也在跟进")]
)
async def test_who_quotes_or_answers_is_warned_of_a_colleague(house: House, lang: str, warning: str) -> None:
    pages = ("/customers/1", "/customers/deals/1", "/inbox/1?view=thread", "/follow-ups/calls/1")
    async with house.visitor("zhou.yang", lang) as zhou:
        for path in pages:
            assert warning not in (await zhou.get(path)).text, path
        async with house.db.write() as conn:
            await note(conn, "call", "spoke to them", house.now, company_id=1, user_id=6)
        for path in pages:
            page = (await zhou.get(path)).text
            assert warning in page, path
            assert "孙倩" in page, path


async def test_search_finds_deals_orders_cases_and_files_that_may_be_seen(house: House) -> None:
    async with house.visitor("sun.qian") as sun:
        for words, link in (
            ("floodlights", "/customers/deals/5"),
            ("MX-26-0003", "/customers/9#orders"),
            ("S-2026-00002", "/follow-ups/service/2"),
            ("Preisliste", "/customers/files/2"),
            ("éclairage", "/customers/10"),
            ("ŚWIETLNY", "/customers/4"),
        ):
            assert link in (await sun.get("/search", params={"q": words})).text, words
    async with house.visitor("zhou.yang") as zhou:
        assert "/customers/files/1" not in (await zhou.get("/search?q=price-list")).text
        assert "/follow-ups/service/1" not in (await zhou.get("/search?q=S-2026-00001")).text


async def test_search_finds_notes_numbers_and_tags_of_contacts_and_customers(house: House) -> None:
    async with house.db.write() as conn:
        await conn.execute(update(CONTACTS).where(CONTACTS.c.id == 6).values(note="Prefers sea freight"))
        await conn.execute(update(COMPANIES).where(COMPANIES.c.id == 6).values(phone="+48 22 123-45-67"))
        await note(conn, "note", "met at the zeppelin", house.now, contact_id=6, user_id=6)
        await conn.execute(update(CONTACTS).where(CONTACTS.c.id == 10).values(company_id=None, note="knows zeppelins"))
        await conn.execute(insert(table(Tag)).values(id=70, kind="interest", name="Spa hotels"))
        await conn.execute(insert(table(ContactTag)).values(tag_id=70, contact_id=2))
    async with house.visitor("sun.qian") as sun:
        for words, link in (
            ("sea freight", "/contacts/6"),
            ("zeppelin", "/customers/6#timeline"),
            ("knows zeppelins", "/contacts/10"),
            ("+971 4 337 7000", "/contacts/2"),
            ("3377000", "/contacts/2"),
            ("0048221234567", "/customers/6"),
            ("spa hotels", "/contacts/2"),
            ("spa hotels", "/customers/2"),
        ):
            assert f'href="{link}"' in (await sun.get("/search", params={"q": words})).text, words
    async with house.visitor("zhou.yang") as zhou:
        for words, link in (("sea freight", "/contacts/6"), ("3377000", "/contacts/2"), ("zeppelin", "/contacts/10")):
            assert f'href="{link}"' not in (await zhou.get("/search", params={"q": words})).text, words


async def test_letters_by_hand_stand_under_mail_and_the_pages_of_a_timeline_join_without_a_gap(house: House) -> None:
    async with house.db.write() as conn:
        for number in range(150):
            await note(conn, "sent", f"letter {number:03}", house.now, company_id=1, user_id=5)
    async with house.visitor("zhou.yang") as zhou:
        path, seen = "/customers/1?show=mail", []
        while path:
            page = (await zhou.get(path)).text
            seen += re.findall(r"letter (\d{3})", page)
            older = re.search(r'href="([^"]+before=[^"]+)"', page)
            path = unescape(older[1]) if older else ""
        assert seen == [f"{number:03}" for number in reversed(range(150))]
        assert "letter 149" in (await zhou.get("/customers/1?before=yesterday~1")).text, "what is no mark is no mark"


async def test_a_delivered_order_is_asked_after_once_and_the_answer_stands_at_it(
    sending: House, scripted_smtp: ScriptedSMTP
) -> None:
    house = sending
    async with house.db.write() as conn:
        await conn.execute(update(COMPANIES).where(COMPANIES.c.id == 9).values(owner_id=6))
    async with house.visitor("zhou.yang") as zhou:
        assert (await zhou.get("/customers/1")).text.count("Ask how content they are") == 1, "one of two has arrived"
        for told in ("Asked; the answer comes", "asked about this order already"):
            answer = await zhou.post("/customers/orders/1/survey", {"next": "/customers/1"})
            assert told in (await zhou.get(answer.headers["location"])).text
        assert (await zhou.post("/customers/orders/3/survey")).status_code == 403
        answer = await zhou.post("/customers/orders/2/survey", {"next": "/customers/1"})
        assert "Note the day of delivery first" in (await zhou.get(answer.headers["location"])).text
    (sent,) = scripted_smtp.messages
    mail = message_from_bytes(sent.data, policy=default)
    assert mail["Subject"] == "Wie zufrieden sind Sie mit der Bestellung MX-26-0001?"
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert text.startswith("Guten Tag Katrin Vogel,")
    link = re.search(r"https?://\S+/q/(\S+)", text)
    assert link
    async with house.client(headers={"accept-language": "de"}) as customer:
        page = (await customer.get(f"/q/{link[1]}")).text
        assert "Zu Ihrer Bestellung MX-26-0001" in page
        assert 'name="helped"' not in page
        assert (await customer.post(f"/q/{link[1]}", data={"score": "2", "text": "Zwei defekt"})).status_code == 200
    async with house.visitor("zhou.yang") as zhou:
        page = (await zhou.get("/customers/1")).text
        assert "content: 2 of 5" in page
        assert "Zwei defekt" in page
        assert "(2/5)" in page, "an unhappy customer is called"


async def test_a_refused_survey_may_be_sent_again_and_nobody_who_left_the_list_is_asked(
    sending: House, scripted_smtp: ScriptedSMTP
) -> None:
    house = sending
    scripted_smtp.on("RCPT", reply("550 5.7.1 refused"), times=1)
    scripted_smtp.settings.refuse_greeting = True
    async with house.visitor("zhou.yang") as zhou:
        answer = await zhou.post("/customers/orders/1/survey", {"next": "/customers/1"})
        page = (await zhou.get(answer.headers["location"])).text
        assert "Nothing was sent" in page
        assert "Ask how content they are" in page
        async with house.db.read() as conn:
            people = select(ADDRESSES.c.address).join(CONTACTS, CONTACTS.c.id == ADDRESSES.c.contact_id)
            addresses = list(await conn.scalars(people.where(CONTACTS.c.company_id == 1)))
        for address in addresses:
            await house.outreach.suppression.add(address, source="test", now=house.now)
        answer = await zhou.post("/customers/orders/1/survey", {"next": "/customers/1"})
        assert "wants no mail" in (await zhou.get(answer.headers["location"])).text
