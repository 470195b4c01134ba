"""Caps and wishes are counted again where a message leaves, whatever was planned side by side."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from outreach.model import Company, Preference
from outreach.model.base import table
from outreach.outbox.message import Outcome, Quota
from outreach.outbox.store import plan
from outreach.outbox.tables import campaign, contact, mailbox, message
from tests.outbox.test_store import LATER, NOW, claim, hand_over, leased, settle
from tests.sending.conftest import MakeWorld, new_world  # noqa: F401  (a fixture)
from tests.sending.world import World

ONE_A_WEEK = Quota(per_contact_mails=(1, 7))
TWO_A_FIRM = Quota(per_company_mails=(2, 7))


async def second_campaign(world: World, step: int = 0) -> None:
    """Queue everybody once more: for another campaign, or for a follow-up of the same."""
    async with world.db.write() as conn:
        number = world.campaign_id
        if step == 0:
            values = {"name": "autumn", "state": "running", "segment": "all", "approved_hash": "h2", "created_at": NOW}
            number = int(await conn.scalar(insert(campaign).values(**values).returning(campaign.c.id)) or 0)
        names = ("contact_id", "company_id", "address", "address_key", "mailbox_id", "due_at")
        rows = [{name: getattr(row, name) for name in names} for row in await world.messages()]
        more = {"campaign_id": number, "step": step, "mail_domain": "seller.example"}
        await plan(conn, [row | more for row in rows])


async def one_firm(world: World) -> None:
    firm = table(Company)
    await world.execute(
        insert(firm).values(id=1, name="Buyer", created_at=NOW),
        update(contact).values(company_id=1),
        update(message).values(company_id=1),
    )


async def test_two_campaigns_side_by_side_reach_a_person_once(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world(["a@one.example", "b@two.example"])
    await second_campaign(world)
    fence = await leased(world)
    claimed = await claim(world, fence, quota=ONE_A_WEEK)
    assert len(claimed) == 4
    # the first of each person leaves, the second is left out as a plan would have done, in one and the same group
    assert await hand_over(world, fence, claimed, quota=ONE_A_WEEK) == {3: "contact_cap", 4: "contact_cap"}
    assert [(row.state, row.reason) for row in await world.messages()] == [
        ("handing_over", None),
        ("handing_over", None),
        ("skipped", "contact_cap"),
        ("skipped", "contact_cap"),
    ]


async def test_who_has_had_enough_is_not_even_claimed(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world(["a@one.example"])
    fence = await leased(world)
    await hand_over(world, fence, await claim(world, fence), quota=ONE_A_WEEK)
    await settle(world, fence, Outcome(1, "accept", LATER))
    await second_campaign(world)
    assert await claim(world, fence, quota=ONE_A_WEEK) == []
    assert (await world.message(2)).state == "skipped"


async def test_a_follow_up_waits_until_there_is_room(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world(["a@one.example"])
    fence = await leased(world)
    await hand_over(world, fence, await claim(world, fence), quota=ONE_A_WEEK)
    await settle(world, fence, Outcome(1, "accept", LATER))
    await second_campaign(world, step=1)
    assert await claim(world, fence, quota=ONE_A_WEEK) == []
    row = await world.message(2)
    assert (row.state, row.reason, row.due_at) == ("queued", "contact_cap", LATER + timedelta(days=7))
    again = await world.store.claim(world.mailbox_id, fence, LATER + timedelta(days=7), 10, quota=ONE_A_WEEK)
    assert [item.id for item in again] == [2]


async def test_what_failed_does_not_count(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world(["a@one.example"])
    fence = await leased(world)
    await hand_over(world, fence, await claim(world, fence), quota=ONE_A_WEEK)
    await settle(world, fence, Outcome(1, "fail", LATER, "spamdetected", reply_code=550))
    await second_campaign(world)
    assert [item.id for item in await claim(world, fence, quota=ONE_A_WEEK)] == [2]


async def test_what_is_in_doubt_counts(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world(["a@one.example"])
    fence = await leased(world)
    await hand_over(world, fence, await claim(world, fence), quota=ONE_A_WEEK)
    await settle(world, fence, Outcome(1, "doubt", LATER, "drop after the final dot"))
    await second_campaign(world)
    assert await claim(world, fence, quota=ONE_A_WEEK) == []


async def test_a_customer_company_has_its_own_cap(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world([f"p{n}@buyer.example" for n in range(4)])
    await one_firm(world)
    fence = await leased(world)
    claimed = await claim(world, fence, quota=TWO_A_FIRM)
    refused = await hand_over(world, fence, claimed, quota=TWO_A_FIRM)
    assert refused == {3: "company_cap", 4: "company_cap"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"basis": "none"}, "gate:"),
        ({"country": "DE", "basis": "public-business"}, "gate:"),
        ({"erased_at": NOW}, "erased"),
        ({"country": "DE", "basis": "consent"}, None),
    ],
    ids=["withdrawn", "moved", "erased", "kept"],
)
async def test_the_basis_is_read_again(new_world: MakeWorld, change: dict[str, object], reason: str | None) -> None:  # noqa: F811
    world = await new_world(["a@one.example"])
    fence = await leased(world)
    claimed = await claim(world, fence)
    await world.execute(update(contact).values(**change))
    refused = await hand_over(world, fence, claimed)
    row = await world.message()
    if reason is None:
        assert (refused, row.state) == ({}, "handing_over")
    else:
        assert row.state == "skipped"
        assert row.reason.startswith(reason)


async def test_a_recipient_who_wants_one_mail_a_month_gets_one(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world(["a@one.example", "b@two.example"])
    wish = {"contact_id": 1, "topics_off": {}, "mails_per_month": 1, "at": NOW}
    await world.execute(insert(table(Preference)).values(**wish))
    await second_campaign(world)
    fence = await leased(world)
    assert await hand_over(world, fence, await claim(world, fence)) == {3: "wish"}


async def test_workers_on_several_mailboxes_count_together(new_world: MakeWorld) -> None:  # noqa: F811
    """Two workers hand over to one customer at the same moment, with locks asked for in opposite order."""
    world = await new_world([f"p{n}@buyer{n % 2}.example" for n in range(40)])
    await one_firm(world)
    other = {"name": "b2", "address": "b2@seller.example", "domain": "seller.example", "created_at": NOW}
    await world.execute(
        insert(mailbox).values(id=2, **other), update(message).where(message.c.id % 2 == 0).values(mailbox_id=2)
    )
    quota = Quota(per_company_mails=(10, 7), per_contact_mails=(1, 7), domain_per_minute=9)
    fences = [await leased(world), await world.store.lease(2, "w2", NOW, 45) or 0]
    boxes = (world.mailbox_id, 2)
    claims = [await world.store.claim(box, fence, NOW, 100) for box, fence in zip(boxes, fences, strict=True)]

    async def work(number: int) -> None:
        order = claims[number] if number else claims[number][::-1]
        for start in range(0, len(order), 4):
            marks = order[start : start + 4]
            await hand_over_from(world, boxes[number], fences[number], marks, quota)

    await asyncio.gather(work(0), work(1))
    handed = [row for row in await world.messages() if row.state == "handing_over"]
    assert len(handed) == 10


async def hand_over_from(world: World, box: int, fence: int, messages: list[object], quota: Quota) -> None:
    from outreach.outbox.message import Mark

    await world.store.settle_and_mark(box, fence, LATER, [], [Mark(m) for m in messages], quota)  # type: ignore[arg-type]
