"""One voice: two colleagues never write to one customer within the cap, whatever was planned side by side."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, update

from outreach.model import Company, User
from outreach.model.base import table
from outreach.outbox.message import Claimed, Mark, Outcome, Quota
from outreach.outbox.tables import campaign, contact, mailbox, message
from tests.outbox.test_store import LATER, NOW
from tests.sending.conftest import MakeWorld, new_world  # noqa: F401  (a fixture)
from tests.sending.world import World

ONE_VOICE = Quota(one_voice=14)
USERS, COMPANIES = table(User), table(Company)


async def two_colleagues(make: MakeWorld, firms: int = 1, **campaign_values: object) -> tuple[World, list[int]]:
    """Two people at each customer, each written to from another colleague's own mailbox; returns the fences."""
    world = await make([f"p{n % 2}@firm{n // 2}.example" for n in range(firms * 2)])
    box = {"name": "b2", "address": "b2@seller.example", "domain": "seller.example", "created_at": NOW, "owner_id": 2}
    users = [{"id": n, "name": f"user{n}", "roles": [], "regions": [], "created_at": NOW} for n in (1, 2)]
    await world.execute(
        insert(USERS).values(users),
        insert(COMPANIES).values([{"id": n, "name": f"Firm {n}", "created_at": NOW} for n in range(1, firms + 1)]),
        update(mailbox).values(owner_id=1),
        insert(mailbox).values(id=2, **box),
        update(contact).values(company_id=contact.c.id - contact.c.id // 2),
        update(message).values(company_id=message.c.contact_id - message.c.contact_id // 2),
        update(message).where(message.c.contact_id % 2 == 0).values(mailbox_id=2),
    )
    if campaign_values:
        await world.execute(update(campaign).values(**campaign_values))
    fences = [await world.store.lease(number, f"w{number}", NOW, 45) or 0 for number in (1, 2)]
    return world, fences


async def claim(world: World, box: int, fence: int, now: datetime = NOW, quota: Quota = ONE_VOICE) -> list[Claimed]:
    return await world.store.claim(box, fence, now, 100, quota=quota)


async def hand_over(
    world: World, box: int, fence: int, mails: list[Claimed], now: datetime = LATER, quota: Quota = ONE_VOICE
) -> dict[int, str]:
    refused = await world.store.settle_and_mark(box, fence, now, [], [Mark(mail) for mail in mails], quota)
    return {number: found.reason for number, found in refused.items()}


async def test_the_second_colleague_of_a_campaign_is_left_out(new_world: MakeWorld) -> None:  # noqa: F811
    world, fences = await two_colleagues(new_world)
    mine, theirs = [await claim(world, box, fence) for box, fence in zip((1, 2), fences, strict=True)]
    assert await hand_over(world, 1, fences[0], mine) == {}
    assert await hand_over(world, 2, fences[1], theirs) == {theirs[0].id: "colleague_cap"}
    row = await world.message(theirs[0].id)
    assert (row.state, row.reason) == ("skipped", "colleague_cap")


async def test_a_sequence_waits_until_the_colleague_has_been_silent(new_world: MakeWorld) -> None:  # noqa: F811
    world, fences = await two_colleagues(new_world, kind="sequence")
    mine = await claim(world, 1, fences[0])
    assert await hand_over(world, 1, fences[0], mine) == {}
    await world.store.settle_and_mark(1, fences[0], LATER, [Outcome(mine[0].id, "accept", LATER)], [])
    assert await claim(world, 2, fences[1]) == []
    row = await world.message(2)
    free = LATER + timedelta(days=14)
    assert (row.state, row.reason, row.due_at) == ("queued", "colleague_cap", free)
    assert [mail.id for mail in await claim(world, 2, fences[1], free)] == [2]


async def test_a_greeting_that_comes_too_late_is_left_out(new_world: MakeWorld) -> None:  # noqa: F811
    world, fences = await two_colleagues(new_world, kind="occasion")
    await world.execute(update(message).values(step=20261124))
    await hand_over(world, 1, fences[0], await claim(world, 1, fences[0]))
    assert await claim(world, 2, fences[1]) == []
    assert (await world.message(2)).state == "skipped"


@pytest.mark.parametrize(
    "values",
    [{"owner_id": None}, {"owner_id": 2}, {"state": "disabled"}],
    ids=["a shared mailbox", "the same person's other mailbox", "a mailbox of who has left"],
)
async def test_who_silences_nobody(new_world: MakeWorld, values: dict[str, object]) -> None:  # noqa: F811
    world, fences = await two_colleagues(new_world)
    await hand_over(world, 1, fences[0], await claim(world, 1, fences[0]))
    await world.execute(update(mailbox).where(mailbox.c.id == 1).values(**values))
    assert len(await claim(world, 2, fences[1])) == 1


async def test_two_workers_at_the_same_moment(new_world: MakeWorld) -> None:  # noqa: F811
    """Each customer hears one of the two, whoever is faster, in groups and in opposite order."""
    world, fences = await two_colleagues(new_world, firms=30)
    claims = [await claim(world, box, fence) for box, fence in zip((1, 2), fences, strict=True)]
    assert [len(mails) for mails in claims] == [30, 30]

    async def work(number: int) -> None:
        mails = claims[number] if number else claims[number][::-1]
        for start in range(0, len(mails), 3):
            await hand_over(world, number + 1, fences[number], mails[start : start + 3])

    await asyncio.gather(work(0), work(1))
    handed = [row for row in await world.messages() if row.state == "handing_over"]
    assert sorted(row.company_id for row in handed) == list(range(1, 31))
    assert {row.mailbox_id for row in handed} == {1, 2}
