"""What pages, commands and the inbox ask of contacts."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text

from outreach.audience.people.edit import EditRefused
from outreach.audience.people.query import CompanyQuery, ContactQuery, QueryError
from outreach.audience.people.store import set_preference
from outreach.audience.privacy.store import ERASED
from outreach.audience.segment import SegmentError
from outreach.audience.store import AudienceStore
from outreach.db.session import Database
from outreach.model import (
    Activity,
    ArchivedMail,
    Campaign,
    CampaignRecipient,
    Contact,
    Deal,
    EmailAddress,
    Event,
    InboundMail,
    Mailbox,
    Message,
    Preference,
    Task,
    User,
)
from outreach.model.base import table
from outreach.suppression.store import SuppressionStore, suppress
from tests.audience.hostile import payloads
from tests.audience.people import NOW, SECRET, population
from tests.audience.people import store as write_people

CONTACT = table(Contact)


@pytest.fixture
async def store(db: Database) -> AudienceStore:
    async with db.write() as conn:
        await conn.execute(
            insert(User),
            [{"id": i, "name": name, "created_at": NOW} for i, name in enumerate(("li.na", "wang.wei", "zhao.min"), 1)],
        )
    return AudienceStore(db, SECRET, suppress=suppress)


@pytest.fixture
async def crowd(db: Database) -> AudienceStore:
    async with db.write() as conn:
        await write_people(conn, population())
    return AudienceStore(db, SECRET, suppress=suppress)


async def add(store: AudienceStore, address: str, **values: str) -> int:
    return await store.add_contact({"email": address, **values}, source="fair", now=NOW)


# ---- pages


async def test_pages_sort_filter_and_count(crowd: AudienceStore) -> None:
    alive = [p for p in population() if not p["erased"]]
    page = await crowd.page(ContactQuery(sort="email", limit=10), NOW)
    assert page.total == len(alive)
    assert [row.email for row in page.rows] == sorted(p["email"] for p in alive)[:10]
    second = await crowd.page(ContactQuery(sort="email", limit=10, offset=10), NOW)
    assert [row.email for row in second.rows] == sorted(p["email"] for p in alive)[10:20]
    europe = await crowd.page(ContactQuery(segment="region = Europe", search="ACME", limit=500), NOW)
    found = {
        p["id"] for p in alive if p["region"] == "Europe" and ("acme" in p["email"] or "Acme" in (p["company"] or ""))
    }
    assert {row.id for row in europe.rows} == found
    assert europe.total == len(found)


@pytest.mark.parametrize(
    "sort", ["created", "-created", "name", "company", "owner", "-grade", "last_replied", "-orders_total", "city"]
)
async def test_every_sort_shows_everybody_once(crowd: AudienceStore, sort: str) -> None:
    ids: list[int] = []
    for offset in range(0, 200, 40):
        ids += [row.id for row in (await crowd.page(ContactQuery(sort=sort, offset=offset, limit=40), NOW)).rows]
    assert sorted(ids) == [p["id"] for p in population() if not p["erased"]]


async def test_rows_know_owner_company_tags_and_what_stops_mail(crowd: AudienceStore) -> None:
    page = await crowd.page(ContactQuery(limit=500), NOW)
    people = {p["id"]: p for p in population()}
    for row in page.rows:
        p = people[row.id]
        assert row.owner == (p["owner"] or (p["company_owner"] if p["company"] else None))
        assert (row.company, row.tags) == (p["company"], sorted(p["tags"]))
        assert (row.suppressed, row.bounced) == (p["blocked"], p["bounced_at"] is not None)


async def test_own_contacts_are_those_of_the_owner_and_of_the_owner_s_customers(crowd: AudienceStore) -> None:
    page = await crowd.page(ContactQuery(owners=(3,), limit=500), NOW)
    assert {row.id for row in page.rows} == {
        p["id"] for p in population() if not p["erased"] and not p["owner"] and p["company"] and p["company_owner"]
    }
    assert (await crowd.page(ContactQuery(owners=()), NOW)).total == 0


async def test_a_wrong_sort_or_segment_is_refused(crowd: AudienceStore) -> None:
    with pytest.raises(QueryError, match="cannot sort"):
        await crowd.page(ContactQuery(sort="id; DROP TABLE contact"), NOW)
    with pytest.raises(SegmentError):
        await crowd.page(ContactQuery(segment="nonsense = 1"), NOW)


async def test_500_hostile_searches_and_sorts(crowd: AudienceStore, db: Database) -> None:
    for payload in payloads():
        clean = payload.replace("\x00", "")
        assert (await crowd.page(ContactQuery(search=clean, limit=1), NOW)).total == 0, payload
        assert (await crowd.company_page(CompanyQuery(search=clean, region=clean, limit=1))).total == 0
        with pytest.raises(QueryError):
            await crowd.page(ContactQuery(sort=clean), NOW)
        with pytest.raises(QueryError):
            await crowd.company_page(CompanyQuery(sort=clean))
    async with db.read() as conn:
        assert await conn.scalar(text("SELECT count(*) FROM contact")) == 120


async def test_companies_are_listed_with_their_people(store: AudienceStore) -> None:
    await add(store, "a@acme.example", company="Acme", country="Germany")
    await add(store, "b@acme.example")
    await add(store, "c@bolt.example", company="Bolt", country="France")
    page = await store.company_page(CompanyQuery())
    assert [(row["name"], row["contacts"]) for row in page.rows] == [("Acme", 2), ("Bolt", 1)]
    assert (await store.company_page(CompanyQuery(search="bolt.exa"))).total == 1
    assert (await store.company_page(CompanyQuery(country="DE"))).total == 1


# ---- one contact


async def test_an_edit_is_cleaned_and_can_be_undone(store: AudienceStore) -> None:
    number = await add(store, "a@acme.example", country="Germany", city="Berlin")
    before = await store.edit(number, {"country": "法国", "city": "  Lyon ", "last_order": "2026-01-02"}, NOW)
    view = await store.get(number)
    assert view is not None
    assert (view.values["country"], view.values["region"], view.values["city"]) == ("FR", "Europe", "Lyon")
    assert before == {"country": "DE", "region": "Europe", "city": "Berlin", "last_order": None}
    await store.edit(number, before, NOW)
    view = await store.get(number)
    assert view is not None
    assert (view.values["country"], view.values["city"], view.values["last_order"]) == ("DE", "Berlin", None)


@pytest.mark.parametrize(("field", "value"), [("country", "Atlantis"), ("grade", "E"), ("birthday", "soon"), ("id", "1"),
                                              ("created_at", "x"), ("erased_at", None), ("source", "other")])  # fmt: skip
async def test_what_cannot_be_edited(store: AudienceStore, field: str, value: Any) -> None:
    number = await add(store, "a@acme.example")
    with pytest.raises(EditRefused) as caught:
        await store.edit(number, {field: value}, NOW)
    assert caught.value.reason("zh")


async def test_a_company_keeps_a_name(store: AudienceStore) -> None:
    number = await add(store, "a@acme.example", company="Acme")
    view = await store.get(number)
    assert view is not None
    assert view.company is not None
    with pytest.raises(EditRefused):
        await store.edit_company(view.company["id"], {"name": " "}, NOW)
    assert await store.edit_company(view.company["id"], {"grade": "vip"}, NOW) == {"grade": None}
    with pytest.raises(LookupError):
        await store.edit_company(999, {"grade": "A"}, NOW)


async def test_tags_are_added_once_and_removed(store: AudienceStore) -> None:
    ids = [await add(store, f"p{i}@acme.example") for i in range(3)]
    assert await store.tag(ids, ["VIP", " fair  2026 "]) == 6
    assert await store.tag(ids, ["vip"]) == 0
    assert await store.untag(ids[:2], ["VIP", "unknown"]) == 2
    views = [await store.get(number) for number in ids]
    assert [view.tags for view in views if view] == [["fair 2026"], ["fair 2026"], ["fair 2026", "vip"]]


async def test_a_customer_is_assigned_with_its_people(store: AudienceStore) -> None:
    ids = [await add(store, f"p{i}@acme.example", company="Acme") for i in range(2)]
    view = await store.get(ids[0])
    assert view is not None
    assert view.company is not None
    assert await store.assign_companies([view.company["id"]], 2, NOW) == 1
    assert [v.owner for v in [await store.get(number) for number in ids] if v] == ["wang.wei"] * 2
    assert await store.assign(ids[:1], 1, NOW) == 1
    assert await store.assign(ids[:1], 1, NOW) == 0


async def test_the_timeline_holds_what_happened_newest_first(store: AudienceStore, db: Database) -> None:
    number = await add(store, "a@acme.example", basis="consent")
    later = NOW + timedelta(days=1)
    async with db.write() as conn:
        await conn.execute(
            insert(Activity).values(kind="call", at=later, contact_id=number, text="asked for samples", data={})
        )
        await conn.execute(
            insert(Event).values(
                kind="open", key="k", at=later + timedelta(hours=1), recorded_at=later, contact_id=number
            )
        )
    items = await store.timeline(number)
    assert [item.kind for item in items] == ["open", "call", "consent", "created"]
    assert items[1].text == "asked for samples"


async def test_a_preference_replaces_the_one_before(store: AudienceStore, db: Database) -> None:
    number = await add(store, "a@acme.example")
    for topics in ({"offers": True}, {"news": True}):
        async with db.write() as conn:
            await set_preference(conn, number, NOW, topics_off=topics, mails_per_month=2, tracking=False)
    async with db.read() as conn:
        rows = (await conn.execute(select(table(Preference)))).all()
        assert [(row.topics_off, row.mails_per_month) for row in rows] == [({"news": True}, 2)]
        assert await conn.scalar(select(CONTACT.c.tracking)) in (False, 0)


# ---- companies that are one


async def test_a_merge_takes_everything_along_and_can_be_undone(store: AudienceStore, db: Database) -> None:
    a, b = (
        await add(store, "a@acme.example", company="Acme"),
        await add(store, "b@acme-group.example", company="Acme GmbH", country="Germany"),
    )
    keep, drop = [v.values["company_id"] for v in [await store.get(a), await store.get(b)] if v]
    async with db.write() as conn:
        await conn.execute(
            insert(Deal).values(company_id=drop, title="panels", stage="inquiry", created_at=NOW, stage_at=NOW)
        )
    undo = json.loads(json.dumps(await store.merge(keep, drop, NOW)))
    merged = await store.get(b)
    assert merged is not None
    assert merged.company is not None
    assert (merged.company["id"], merged.company["country"]) == (keep, "DE")
    assert [row["name"] for row in (await store.company_page(CompanyQuery())).rows] == ["Acme"]
    later = await add(store, "c@acme-group.example")
    view = await store.get(later)
    assert view is not None
    assert view.values["company_id"] == keep, "an import of the dropped domain finds the kept company"
    with pytest.raises(ValueError, match="already part"):
        await store.merge(keep, drop, NOW)
    await store.unmerge(undo, NOW)
    again = await store.get(b)
    assert again is not None
    assert again.values["company_id"] == drop
    async with db.read() as conn:
        assert await conn.scalar(select(table(Deal).c.company_id)) == drop
    with pytest.raises(ValueError, match="undone already"):
        await store.unmerge(undo, NOW)


# ---- a person's rights


async def _a_whole_life(store: AudienceStore, db: Database) -> int:
    number = await add(
        store, "anna@acme.example", first_name="Anna", basis="consent", phone="+49 30 1", note="likes 3000 K"
    )
    async with db.write() as conn:
        await conn.execute(
            insert(Mailbox).values(
                id=1, name="sales", address="s@we.example", domain="we.example", state="active", created_at=NOW
            )
        )
        await conn.execute(insert(Campaign).values(id=1, name="c", segment="everyone", state="running", created_at=NOW))
        await conn.execute(
            insert(CampaignRecipient).values(
                campaign_id=1, contact_id=number, address="anna@acme.example", is_pilot=False
            )
        )
        await conn.execute(
            insert(Message).values(
                id=1,
                uid="u",
                message_id="m@we.example",
                campaign_id=1,
                step=0,
                contact_id=number,
                address="anna@acme.example",
                address_key="a:1",
                domain="acme.example",
                state="sent",
                language="en",
                due_at=NOW,
                sent_at=NOW,
                reply_text="250 anna@acme.example",
            )
        )
        await conn.execute(
            insert(InboundMail).values(
                id=1,
                mailbox_id=1,
                folder="INBOX",
                key="k",
                from_address="anna@acme.example",
                from_name="Anna",
                subject="Re: LED",
                received_at=NOW,
                kind="reply",
                reply_text="please call Anna",
                contact_id=number,
                state="new",
            )
        )
        await conn.execute(
            insert(ArchivedMail).values(
                sha256="x", direction="in", inbound_id=1, raw=b"From: anna", text="Anna writes", at=NOW
            )
        )
        await conn.execute(
            insert(Event).values(
                kind="reply", key="e", at=NOW, recorded_at=NOW, contact_id=number, data={"from": "anna@acme.example"}
            )
        )
        await conn.execute(
            insert(Activity).values(kind="call", at=NOW, contact_id=number, text="spoke with Anna", data={})
        )
        await conn.execute(insert(Task).values(kind="reply", title="answer Anna", contact_id=number, state="open", due_at=NOW, created_at=NOW))  # fmt: skip
    await SuppressionStore(db, SECRET).add("anna@acme.example", "unsubscribed", now=NOW)
    return number


async def test_an_export_holds_everything_on_a_person(store: AudienceStore, db: Database) -> None:
    await _a_whole_life(store, db)
    found = await store.export_person("Anna@acme.example")
    assert found is not None
    assert found["contact"]["note"] == "likes 3000 K"
    for kind in (
        "addresses",
        "messages",
        "events",
        "received",
        "activities",
        "tasks",
        "campaigns",
        "suppression",
        "archive",
    ):
        assert len(found[kind]) == 1, kind
    assert await store.export_person("nobody@acme.example") is None


async def test_after_erasure_nothing_readable_is_left_and_the_ledger_still_counts(
    store: AudienceStore, db: Database
) -> None:
    number = await _a_whole_life(store, db)
    erasure = await store.erase("Anna@acme.example", now=NOW)
    assert erasure.found
    async with db.read() as conn:
        for name in await conn.run_sync(lambda c: __import__("sqlalchemy").inspect(c).get_table_names()):
            for row in await conn.execute(text(f'SELECT * FROM "{name}"')):  # noqa: S608 - names come from the database itself
                assert "anna" not in str(tuple(row)).lower(), name
        message = (await conn.execute(select(table(Message)))).one()
        assert (message.address, message.state) == (ERASED, "sent")
        assert await conn.scalar(select(func.count()).select_from(table(EmailAddress))) == 0
    assert await store.get(number) is None
    assert await store.count("everyone", NOW) == 0
    [listed] = await SuppressionStore(db, SECRET).check("anna@acme.example")
    assert (listed.reason, listed.entry) == ("erased", "")
    assert await store.export_person("anna@acme.example") is None


async def test_who_was_never_stored_is_promised_the_same(store: AudienceStore, db: Database) -> None:
    assert not (await store.erase("stranger@acme.example", now=NOW)).found
    assert (await SuppressionStore(db, SECRET).check("stranger@acme.example"))[0].reason == "erased"


async def test_erasure_is_one_act(store: AudienceStore, db: Database) -> None:
    number = await _a_whole_life(store, db)

    async def fails(*args: Any, **options: Any) -> bool:
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        await AudienceStore(db, SECRET, suppress=fails).erase("anna@acme.example", now=NOW)
    assert await store.get(number) is not None


# ---- segments


async def test_counts_members_samples_and_reach_agree(crowd: AudienceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outreach.audience.store.PAGE", 7)
    expression = "region = Europe and not tag = competitor"
    ids = [number async for number in crowd.members(expression, NOW)]
    assert ids == sorted(set(ids))
    assert len(ids) == await crowd.count(expression, NOW)
    reach = await crowd.reach(expression, NOW)
    assert sum(reach.values()) == len(ids)
    blocked = {p["id"] for p in population() if p["blocked"]}
    assert reach["suppressed"] == len(blocked & set(ids))
    sample = await crowd.sample(expression, NOW, 5)
    assert [row.id for row in sample] == ids[:5]
    assert [row.id for row in await crowd.sample(expression, NOW, 5, after=ids[4])] == ids[5:10]


async def test_each_line_says_what_it_costs(crowd: AudienceStore) -> None:
    lines = await crowd.explain("region = Europe and (grade = A or tag = vip)", NOW)
    everyone = await crowd.count("", NOW)
    assert lines[0]["removed"] == everyone - lines[0]["left"]
    assert lines[0]["left"] == await crowd.count("region = Europe", NOW)
    assert lines[1]["left"] == await crowd.count("region = Europe and (grade = A or tag = vip)", NOW)
    assert lines[3]["added"] == await crowd.count("tag = vip and not grade = A", NOW)


async def test_segments_are_stored_in_their_canonical_spelling(crowd: AudienceStore) -> None:
    number = await crowd.save_segment("Europe", "地区 = 欧洲", 1, NOW)
    assert await crowd.save_segment("Europe", "地区 = 欧洲 且 标签 = 展会", 1, NOW) == number
    stored = await crowd.segment_named("Europe")
    assert stored is not None
    assert stored["expression"] == "region = Europe and tag = 展会"
    assert [row["name"] for row in await crowd.segments()] == ["Europe"]
    assert await crowd.delete_segment("Europe")
    assert not await crowd.delete_segment("Europe")
    with pytest.raises(SegmentError):
        await crowd.save_segment("bad", "nonsense = 1", 1, NOW)
