"""The outbox on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, update

from outreach.model.keys import domain_key
from outreach.outbox.message import Claimed, Mark, Outcome, Quota
from outreach.outbox.store import (
    NotInDoubt,
    cancel_campaign,
    counts,
    is_settled,
    ledger,
    mark,
    next_due,
    plan,
    resolve,
    resume_mailbox,
    stop_for,
)
from outreach.outbox.tables import campaign, contact, instance, mailbox, message
from tests.sending.conftest import MakeWorld, new_world  # noqa: F401  (a fixture)
from tests.sending.world import START, World, add_messages

NOW = START
LATER = START + timedelta(seconds=10)
THREE = ["a@one.example", "b@one.example", "c@two.example"]


async def leased(world: World, holder: str = "w1") -> int:
    fence = await world.store.lease(world.mailbox_id, holder, NOW, 45)
    assert fence is not None
    return fence


async def claim(world: World, fence: int, limit: int = 100, **more: object) -> list[Claimed]:
    return await world.store.claim(world.mailbox_id, fence, NOW, limit, **more)  # type: ignore[arg-type]


async def hand_over(world: World, fence: int, messages: list[Claimed], **more: object) -> dict[int, str]:
    refused = await world.store.settle_and_mark(
        world.mailbox_id,
        fence,
        LATER,
        [],
        [Mark(m) for m in messages],
        **more,  # type: ignore[arg-type]
    )
    return {key: found.reason for key, found in refused.items()}


async def settle(world: World, fence: int, *outcomes: Outcome) -> None:
    await world.store.settle_and_mark(world.mailbox_id, fence, LATER, outcomes, [])


async def test_planning_twice_changes_nothing(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world(THREE)
    row = (await world.messages())[0]
    again = {name: getattr(row, name) for name in ("campaign_id", "contact_id", "address", "address_key", "mailbox_id")}
    again |= {"due_at": LATER, "mail_domain": "seller.example"}
    async with world.db.write() as conn:
        assert await plan(conn, [again]) == 0
        assert await plan(conn, [again | {"step": 1}]) == 1
        with pytest.raises(ValueError, match="due_at"):
            await plan(conn, [{"campaign_id": 1}])
        with pytest.raises(ValueError, match="mail_domain"):
            await plan(conn, [{k: v for k, v in again.items() if k != "mail_domain"} | {"step": 2}])
    rows = await world.messages()
    assert len(rows) == 4
    assert len({row.uid for row in rows} | {row.message_id for row in rows}) == 8
    assert all(row.message_id == f"{row.uid}@seller.example" for row in rows)


async def test_a_message_is_claimed_handed_over_and_sent(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world(THREE)
    fence = await leased(world)
    claimed = await claim(world, fence, 2)
    assert [m.address for m in claimed] == THREE[:2]
    assert await claim(world, fence, 0) == []
    assert await hand_over(world, fence, claimed) == {}
    await settle(world, fence, Outcome(claimed[0].id, "accept", LATER, reply_code=250, reply_text="ok"))
    await settle(world, fence, Outcome(claimed[1].id, "doubt", LATER, "drop after the final dot"))
    first, second, third = await world.messages()
    assert (first.state, first.sent_at, first.reply_text, first.attempts) == ("sent", LATER, "ok", 1)
    assert (second.state, second.handed_at) == ("in_doubt", LATER)
    assert third.state == "queued"


async def test_two_workers_never_have_one_mailbox(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world(THREE)
    fence = await leased(world)
    assert await world.store.lease(world.mailbox_id, "w2", LATER, 45) is None
    assert await world.store.renew(world.mailbox_id, fence, LATER, 45)
    soon = NOW + timedelta(seconds=54)
    assert await world.store.lease(world.mailbox_id, "w2", soon, 45) is None
    assert await world.store.lease(world.mailbox_id, "w2", soon + timedelta(seconds=2), 45) == fence + 1


async def test_who_takes_over_settles_what_was_left(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world(THREE)
    fence = await leased(world)
    claimed = await claim(world, fence, 2)
    await hand_over(world, fence, claimed[:1])
    newer = await world.store.lease(world.mailbox_id, "w2", NOW + timedelta(seconds=60), 45)
    assert newer == fence + 1
    assert [row.state for row in await world.messages()] == ["in_doubt", "queued", "queued"]


async def test_a_zombie_can_send_nothing_and_its_word_is_taken(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world(THREE)
    fence = await leased(world)
    claimed = await claim(world, fence, 2)
    await hand_over(world, fence, claimed[:1])
    await world.store.lease(world.mailbox_id, "w2", NOW + timedelta(seconds=60), 45)
    assert await hand_over(world, fence, claimed[1:]) == {claimed[1].id: "mailbox"}
    assert await claim(world, fence) == []
    assert not await world.store.renew(world.mailbox_id, fence, LATER, 45)
    # it alone knows that the server had accepted the first one
    await settle(world, fence, Outcome(claimed[0].id, "accept", LATER, reply_code=250))
    assert [row.state for row in await world.messages()] == ["sent", "queued", "queued"]


async def test_a_worker_that_died_is_noticed_by_the_tick(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world(THREE)
    fence = await leased(world)
    await hand_over(world, fence, await claim(world, fence, 1))
    assert await world.store.recover_all(LATER) == 0
    assert await world.store.recover_all(LATER, lambda holder: holder == "w1") == 1
    assert (await world.message()).state == "in_doubt"
    assert await world.store.recover_all(NOW + timedelta(seconds=60)) == 0


@pytest.mark.parametrize(
    ("stop", "state", "reason"),
    [
        ("suppress address", "skipped", "suppressed"),
        ("suppress domain", "skipped", "suppressed"),
        ("contact left", "skipped", "left"),
        ("contact paused", "queued", "contact paused"),
        ("pause campaign", "queued", "campaign stopped"),
        ("cancel campaign", "cancelled", "campaign cancelled"),
        ("edit campaign", "queued", "campaign stopped"),
        ("approve anew", "queued", "approval void"),
        ("needs confirmation", "queued", "campaign stopped"),
        ("pause mailbox", "queued", "mailbox"),
        ("hold instance", "queued", "mailbox"),
        ("stop the person", "cancelled", "gone"),
    ],
)
async def test_a_stop_between_claim_and_hand_over_holds(
    new_world: MakeWorld,  # noqa: F811
    stop: str,
    state: str,
    reason: str,
) -> None:
    from outreach.model import Suppression
    from outreach.outbox.tables import message as rows

    world = await new_world(THREE[:1])
    fence = await leased(world)
    claimed = await claim(world, fence)
    key = claimed[0].address_key if stop == "suppress address" else domain_key("one.example")
    block = {"key": key, "reason": "unsubscribed", "source": "test", "at": NOW}
    hold = {"id": 1, "machine": "", "path": "", "generation": 0, "data": {}, "hold_reason": "restored"}
    statements = {
        "suppress address": insert(Suppression).values(**block),
        "suppress domain": insert(Suppression).values(**block),
        "contact left": update(contact).values(left_at=NOW),
        "contact paused": update(contact).values(paused_until=NOW + timedelta(days=3)),
        "pause campaign": update(campaign).values(state="paused"),
        "cancel campaign": update(campaign).values(state="cancelled"),
        "edit campaign": update(campaign).values(submitted_hash="h2"),
        "approve anew": update(campaign).values(approved_hash="h2"),
        "needs confirmation": update(campaign).values(confirm_needed=True),
        "pause mailbox": update(mailbox).values(state="paused"),
        "hold instance": insert(instance).values(**hold),
        "stop the person": update(rows).values(state="cancelled", reason="replied"),
    }
    await world.execute(statements[stop])
    assert await hand_over(world, fence, claimed) == {claimed[0].id: reason}
    row = await world.message()
    assert (row.state, row.handed_at) == (state, None)
    if stop == "contact paused":
        assert row.due_at == NOW + timedelta(days=3)


async def test_what_may_not_leave_is_not_claimed(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world(THREE)
    fence = await leased(world)
    await world.execute(
        update(campaign).values(state="pilot"), update(message).where(message.c.id == 2).values(is_pilot=True)
    )
    assert [m.id for m in await claim(world, fence)] == [2]
    await world.execute(update(campaign).values(state="paused"))
    assert await claim(world, fence) == []
    assert await world.store.due_mailboxes(LATER) == []
    await world.execute(update(campaign).values(state="running", approved_hash=None))
    assert await claim(world, fence) == []


async def test_windows_and_full_domains_move_messages_to_their_hour(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world(THREE)
    fence = await leased(world)
    morning = NOW + timedelta(hours=17)

    def only_a(item: Claimed, now: datetime) -> datetime:
        return now if item.address.startswith("a") else morning

    full = {"one.example": NOW + timedelta(minutes=1)}
    assert await claim(world, fence, next_open=only_a, skip_domains=full) == []
    assert [row.due_at for row in await world.messages()] == [NOW + timedelta(minutes=1), morning, morning]
    async with world.db.read() as conn:
        assert await next_due(conn, campaign_id=world.campaign_id) == NOW + timedelta(minutes=1)


async def test_deferred_messages_wait_and_wake(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world(THREE[:1])
    fence = await leased(world)
    (item,) = await claim(world, fence)
    due = NOW + timedelta(minutes=5)
    await settle(world, fence, Outcome(item.id, "defer", NOW, "greylisted", due, 451, "later", "rcpt"))
    assert (await world.message()).state == "deferred"
    assert await claim(world, fence) == []
    again = await world.store.claim(world.mailbox_id, fence, due, 10)
    assert [(m.attempts, m.first_attempt_at, m.composed_at) for m in again] == [(1, NOW, NOW)]
    (tried,) = await world.attempts()
    assert (tried.phase, tried.code, tried.outcome, tried.next_at) == ("rcpt", 451, "defer", due)


async def test_shared_quotas_are_counted_in_the_database(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world([f"p{n}@b{n}.example" for n in range(6)])
    fence = await leased(world)
    claimed = await claim(world, fence)
    quota = Quota(mailboxes=(world.mailbox_id,), per_minute=4)
    assert await hand_over(world, fence, claimed[:3], quota=quota) == {}
    await settle(world, fence, Outcome(claimed[0].id, "defer", LATER, "x", LATER, 451, "no", "dot"))
    # two in hand and one tried in this minute: one more
    assert await hand_over(world, fence, claimed[3:], quota=quota) == {m.id: "quota" for m in claimed[4:]}
    assert {row.state for row in (await world.messages())[4:]} == {"queued"}


async def test_a_recipient_domain_is_not_flooded_by_several_mailboxes(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world([f"p{n}@big.example" for n in range(4)])
    fence = await leased(world)
    claimed = await claim(world, fence)
    assert await hand_over(world, fence, claimed, quota=Quota(domain_per_minute=3)) == {claimed[3].id: "domain pace"}


async def test_counts_ledger_and_settlement(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world(THREE)
    fence = await leased(world)
    claimed = await claim(world, fence)
    await hand_over(world, fence, claimed[:2])
    await settle(
        world,
        fence,
        Outcome(claimed[0].id, "accept", LATER, reply_code=250, reply_text="ok"),
        Outcome(claimed[1].id, "doubt", LATER, "drop after the final dot"),
        Outcome(claimed[2].id, "fail", LATER, "userunknown", reply_code=550, phase="rcpt"),
    )
    async with world.db.write() as conn:
        assert await mark(conn, claimed[0].id, "replied_at", LATER)
        assert not await mark(conn, claimed[0].id, "replied_at", LATER)
        with pytest.raises(ValueError, match="nothing that happens"):
            await mark(conn, claimed[0].id, "state", LATER)
        found = await counts(conn, world.campaign_id)
        rows = [row async for row in ledger(conn, campaign_id=world.campaign_id)]
        assert not await is_settled(conn, world.campaign_id)
    assert {k: found[k] for k in ("planned", "sent", "in_doubt", "failed", "queued", "replied")} == {
        "planned": 3,
        "sent": 1,
        "in_doubt": 1,
        "failed": 1,
        "queued": 0,
        "replied": 1,
    }
    assert found["failed_by_reason"] == {"userunknown": 1}
    assert [row["state"] for row in rows] == ["sent", "in_doubt", "failed"]
    assert {row["mailbox"] for row in rows} == {"sales"}
    assert all(row["message_id"].startswith(row["x_outreach_message"]) for row in rows)


@pytest.mark.parametrize(("answer", "state"), [("sent", "sent"), ("retry", "queued"), ("failed", "failed")])
async def test_doubt_is_settled_by_hand_once(new_world: MakeWorld, answer: str, state: str) -> None:  # noqa: F811
    world = await new_world(THREE[:1])
    fence = await leased(world)
    claimed = await claim(world, fence)
    await hand_over(world, fence, claimed)
    await settle(world, fence, Outcome(1, "doubt", LATER, "timeout after the final dot"))
    async with world.db.write() as conn:
        assert await resolve(conn, 1, answer, LATER) == state
        with pytest.raises(NotInDoubt, match="nothing to settle"):
            await resolve(conn, 1, answer, LATER)
        with pytest.raises(ValueError, match="say one of"):
            await resolve(conn, 1, "perhaps", LATER)
    row = await world.message()
    assert row.state == state
    # the worker's late word changes nothing that a person has decided
    await settle(world, fence, Outcome(1, "accept", LATER, reply_code=250))
    assert (await world.message()).state == state


async def test_cancelling_and_stopping_leave_what_is_in_hand(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world(THREE)
    fence = await leased(world)
    claimed = await claim(world, fence, 2)
    await hand_over(world, fence, claimed[:1])
    async with world.db.write() as conn:
        assert await stop_for(conn, [claimed[1].contact_id], reason="replied", now=LATER, follow_ups_only=True) == 0
        assert await stop_for(conn, [], reason="replied", now=LATER) == 0
        assert await stop_for(conn, [claimed[1].contact_id], reason="replied", now=LATER) == 1
        assert await cancel_campaign(conn, world.campaign_id, "cancelled by li.na", LATER) == 1
    assert [(row.state, row.reason) for row in await world.messages()] == [
        ("handing_over", None),
        ("cancelled", "replied"),
        ("cancelled", "cancelled by li.na"),
    ]


async def test_a_resumed_mailbox_starts_afresh(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world()
    await world.execute(update(mailbox).values(state="paused", paused_reason="auth-failed", failures=3))
    async with world.db.write() as conn:
        await resume_mailbox(conn, world.mailbox_id)
    box = await world.mailbox()
    assert (box.state, box.paused_reason, box.failures) == ("active", None, 0)


async def test_due_mailboxes(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world()
    assert await world.store.due_mailboxes(LATER) == []
    await add_messages(world, THREE)
    assert await world.store.due_mailboxes(LATER) == [world.mailbox_id]
    await leased(world)
    assert await world.store.due_mailboxes(LATER) == []
    assert await world.store.due_mailboxes(datetime(2027, 1, 1, tzinfo=UTC)) == [world.mailbox_id]
