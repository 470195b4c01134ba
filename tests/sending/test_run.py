"""What a run does beside single faults: breakers, bounds, pace, windows, a database that fails, a lease that is lost."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import OperationalError

from outreach.app.by_hand import sent_by_hand
from outreach.model import InboundMail
from outreach.outbox.message import Claimed, Quota
from outreach.outbox.store import OutboxStore
from outreach.outbox.tables import mailbox
from outreach.sending.client import Server
from outreach.sending.phase import Timeouts
from outreach.sending.setup import MailboxSetup, RunResult
from outreach.sending.throttle import Limits
from outreach.sending.worker import MailboxRun
from tests.fakes.clock import FakeClock
from tests.fakes.smtp import ScriptedSMTP, reply, stall
from tests.sending.conftest import MakeWorld
from tests.sending.sink import RecordingSink
from tests.sending.test_faults import Heard
from tests.sending.world import PlainComposer, PlainLetter, World

PEOPLE = [f"person{n}@buyer{n}.example" for n in range(12)]


def run_of(world: World, port: int, clock: FakeClock, **more: Any) -> MailboxRun:
    store, composer, hooks = (
        more.pop("store", world.store),
        more.pop("composer", PlainComposer()),
        more.pop("hooks", None),
    )
    next_open, by_hand = more.pop("next_open", None), more.pop("by_hand", None)
    setup = MailboxSetup(world.mailbox_id, "sales", "sales@seller.example", **more)
    server = Server("127.0.0.1", port, tls="none")
    return MailboxRun(store, setup, server, composer, clock=clock, hooks=hooks, next_open=next_open, by_hand=by_hand)


async def test_three_policy_refusals_pause_the_mailbox(
    new_sqlite_world: MakeWorld, scripted_smtp: ScriptedSMTP, clock: FakeClock
) -> None:
    world, heard = await new_sqlite_world(PEOPLE), Heard()
    scripted_smtp.on("DOT", reply("550 5.7.1 refused by policy"))
    result = await run_of(world, scripted_smtp.port, clock, hooks=heard).run()
    assert (result.failed, result.stopped) == (3, "policy-refusals")
    assert await world.states() == {"failed": 3, "queued": 9}
    box = await world.mailbox()
    assert (box.state, box.paused_reason) == ("paused", "policy-refusals")
    assert "550 5.7.1" in box.last_error
    assert [n.reason for n in heard.notices] == ["policy-refusals"]
    assert heard.dead == []


async def test_refusals_are_remembered_from_run_to_run(
    new_sqlite_world: MakeWorld, scripted_smtp: ScriptedSMTP, clock: FakeClock
) -> None:
    world = await new_sqlite_world(PEOPLE)
    scripted_smtp.on("DOT", reply("550 5.7.1 refused by policy"))
    for paused in (False, False, True):
        await run_of(world, scripted_smtp.port, clock).run(max_messages=1)
        assert ((await world.mailbox()).state == "paused") is paused


async def test_five_dead_addresses_of_a_hundred_hold_the_campaign(
    new_sqlite_world: MakeWorld, scripted_smtp: ScriptedSMTP, clock: FakeClock
) -> None:
    world, heard = await new_sqlite_world(PEOPLE), Heard()
    scripted_smtp.on("RCPT", reply("550 5.1.1 no such user"), times=5)
    await run_of(world, scripted_smtp.port, clock, hooks=heard).run()
    assert len(heard.dead) == 5
    assert heard.held == [(world.campaign_id, "hard-bounces")]
    assert (await world.mailbox()).state == "active"


async def test_a_letter_that_cannot_be_composed_fails_and_holds_the_campaign(
    new_sqlite_world: MakeWorld, clock: FakeClock
) -> None:
    class Fails(PlainComposer):
        def compose(self, message: Claimed) -> PlainLetter:
            if message.id == 2:
                raise KeyError("first_name")
            return super().compose(message)

    world, heard, sink = await new_sqlite_world(PEOPLE[:3]), Heard(), await RecordingSink().start()
    await run_of(world, sink.port, clock, composer=Fails(), hooks=heard).run()
    assert [row.state for row in await world.messages()] == ["sent", "failed", "sent"]
    assert heard.held == [(world.campaign_id, "compose-failed")]
    await sink.stop()


async def test_what_the_server_would_find_too_big_is_not_offered(
    new_sqlite_world: MakeWorld, scripted_smtp_factory: Any, clock: FakeClock
) -> None:
    world, heard = await new_sqlite_world(PEOPLE[:1]), Heard()
    fake = scripted_smtp_factory(size=1000)
    await run_of(world, fake.port, clock, composer=PlainComposer(b"x" * 70 + b"\r\n" * 600), hooks=heard).run()
    row = await world.message()
    assert (row.state, row.reason, row.attempts) == ("failed", "mesgtoobig", 0)
    assert heard.held == [(world.campaign_id, "message-too-big")]
    assert "MAIL" not in fake.verbs()


async def test_an_address_that_needs_smtputf8_is_unsupported_and_said_so(
    new_sqlite_world: MakeWorld, clock: FakeClock
) -> None:
    world, sink = await new_sqlite_world(["张@buyer.example", "anna@bücher.example"]), await RecordingSink().start()
    await run_of(world, sink.port, clock).run()
    assert [(row.state, row.reason) for row in await world.messages()] == [
        ("failed", "unsupported-address"),
        ("sent", None),
    ]
    await sink.stop()


async def test_a_run_is_bounded_and_the_next_goes_on(new_sqlite_world: MakeWorld, clock: FakeClock) -> None:
    world, sink = await new_sqlite_world(PEOPLE), await RecordingSink().start()
    assert (await run_of(world, sink.port, clock, connections=3).run(max_messages=5)).sent == 5
    assert await world.states() == {"sent": 5, "queued": 7}
    assert (await run_of(world, sink.port, clock, connections=3).run()).sent == 7
    await sink.stop()


async def test_limits_hold_across_runs(new_sqlite_world: MakeWorld, clock: FakeClock) -> None:
    world, sink = await new_sqlite_world(PEOPLE), await RecordingSink().start()
    sent: list[int] = []
    for _ in range(4):
        run = run_of(world, sink.port, clock, connections=4, limits=Limits(per_minute=3))
        sent.append((await run.run(max_seconds=25)).sent)
        clock.advance(seconds=30)
    assert sent == [3, 0, 3, 0]
    assert await world.states() == {"sent": 6, "queued": 6}
    await sink.stop()


async def test_what_staff_send_by_hand_counts(new_sqlite_world: MakeWorld, clock: FakeClock) -> None:
    world, sink = await new_sqlite_world(PEOPLE), await RecordingSink().start()
    await world.execute(
        *(
            insert(InboundMail).values(
                mailbox_id=world.mailbox_id,
                folder="Sent",
                key=name,
                kind="other",
                from_address="sales@seller.example",
                rfc_message_id=name,
                sent_at=clock() - timedelta(seconds=10),
                received_at=clock(),
            )
            for name in ("by-hand@seller.example", (await world.message()).message_id)
        ),
    )
    by_hand = partial(sent_by_hand, world.db)
    run = run_of(world, sink.port, clock, limits=Limits(per_hour=4), by_hand=by_hand)
    assert (await run.run(max_seconds=25)).sent == 3
    await sink.stop()


async def test_a_recipient_domain_is_spared(new_sqlite_world: MakeWorld, clock: FakeClock) -> None:
    world, sink = (
        await new_sqlite_world(["a@big.example", "b@big.example", "c@big.example"]),
        await RecordingSink().start(),
    )
    quota = Quota(domain_per_minute=2)
    assert (await run_of(world, sink.port, clock, quota=quota).run(max_seconds=25)).sent == 2
    row = await world.message(3)
    assert (row.state, row.due_at) == ("queued", clock() + timedelta(minutes=1))
    clock.advance(seconds=60)
    assert (await run_of(world, sink.port, clock, quota=quota).run(max_seconds=25)).sent == 1
    await sink.stop()


async def test_windows_are_asked_for_each_recipient(new_sqlite_world: MakeWorld, clock: FakeClock) -> None:
    world, sink = await new_sqlite_world(PEOPLE[:2]), await RecordingSink().start()
    morning = clock() + timedelta(hours=5)

    def window(message: Claimed, now: datetime) -> datetime:
        return now if message.id == 1 else max(morning, now)

    result = await run_of(world, sink.port, clock, next_open=window).run()
    assert (result.sent, result.next_due) == (1, morning)
    clock.set(morning)
    assert (await run_of(world, sink.port, clock, next_open=window).run()).sent == 1
    await sink.stop()


class Flaky(OutboxStore):
    """A database that takes nothing for a while."""

    failing = 0
    only_outcomes = False

    async def settle_and_mark(
        self, mailbox_id: int, fence: int, now: datetime, outcomes: Any, marks: Any, *rest: Any
    ) -> Any:
        if self.failing and (outcomes or not self.only_outcomes):
            self.failing -= 1
            raise OperationalError("COMMIT", {}, Exception("database or disk is full"))
        return await super().settle_and_mark(mailbox_id, fence, now, outcomes, marks, *rest)


async def test_a_full_disk_before_the_dot_means_that_nothing_is_sent(
    new_sqlite_world: MakeWorld, clock: FakeClock
) -> None:
    world, sink = await new_sqlite_world(PEOPLE[:3]), await RecordingSink().start()
    store = Flaky(world.db)
    store.failing = 1
    result = await run_of(world, sink.port, clock, store=store).run()
    assert (result.sent, result.stopped, sink.taken) == (0, "database", [])
    assert await world.states() == {"queued": 3}
    await sink.stop()


async def test_a_full_disk_after_250_is_tried_again(new_sqlite_world: MakeWorld, clock: FakeClock) -> None:
    world, sink = await new_sqlite_world(PEOPLE[:3]), await RecordingSink().start()
    store = Flaky(world.db)
    store.failing, store.only_outcomes = 2, True
    result = await run_of(world, sink.port, clock, store=store).run()
    assert (result.sent, result.stopped, len(sink.taken)) == (1, "database", 1)
    assert await world.states() == {"sent": 1, "queued": 2}
    await sink.stop()


async def test_a_process_that_slept_sends_nothing(new_sqlite_world: MakeWorld, clock: FakeClock) -> None:
    world, sink = await new_sqlite_world(PEOPLE[:3]), await RecordingSink().start()

    class Sleeper(Flaky):
        async def settle_and_mark(self, *args: Any) -> Any:
            found = await super().settle_and_mark(*args)
            run._lease_until = 0.0  # the process was stopped for longer than its lease, right after the mark
            return found

    run = run_of(world, sink.port, clock, store=Sleeper(world.db))
    result = await run.run()
    assert (result.sent, result.stopped, sink.taken) == (0, "lease-lost", [])
    assert await world.states() == {"queued": 3}
    await sink.stop()


async def test_a_mailbox_that_somebody_else_has_is_left_alone(new_sqlite_world: MakeWorld, clock: FakeClock) -> None:
    world, sink = await new_sqlite_world(PEOPLE[:3]), await RecordingSink().start()
    await world.store.lease(world.mailbox_id, "another", clock(), 45)
    assert (await run_of(world, sink.port, clock).run()) == RunResult(busy=True)
    clock.advance(seconds=46)
    assert (await run_of(world, sink.port, clock).run()).sent == 3
    await sink.stop()


async def test_a_mailbox_that_is_taken_over_in_mid_run_stops(new_sqlite_world: MakeWorld, clock: FakeClock) -> None:
    world, sink = await new_sqlite_world(PEOPLE), await RecordingSink().start()

    class Robbed(Flaky):
        async def claim(self, *args: Any) -> Any:
            found = await super().claim(*args)
            await world.execute(update(mailbox).values(lease_fence=99, lease_holder="another"))
            return found

    result = await run_of(world, sink.port, clock, store=Robbed(world.db)).run()
    assert (result.sent, result.stopped, sink.taken) == (0, "mailbox", [])
    await sink.stop()


@pytest.mark.parametrize("rests", [1, 2, 3])
async def test_a_server_that_is_away_is_asked_less_and_less(
    new_sqlite_world: MakeWorld, clock: FakeClock, rests: int
) -> None:
    world = await new_sqlite_world(PEOPLE[:1])
    for number in range(rests):
        await run_of(world, 1, clock).run()
        box = await world.mailbox()
        assert box.paused_until == clock() + timedelta(minutes=2**number)
        clock.set(box.paused_until)
    assert (await world.message()).attempts == 0
    sink = await RecordingSink().start()
    assert (await run_of(world, sink.port, clock).run()).sent == 1
    assert (await world.mailbox()).failures == 0
    await sink.stop()


async def test_a_run_that_is_ended_finishes_what_is_on_the_wire(new_sqlite_world: MakeWorld, clock: FakeClock) -> None:
    """What SIGTERM does: no message is in doubt, the rest stays queued for the next start."""
    world, sink = await new_sqlite_world(PEOPLE), await RecordingSink(delay=0.05).start()
    run = run_of(world, sink.port, clock, connections=2)
    going = asyncio.ensure_future(run.run())
    await sink.has(2)
    run.end()
    result = await going
    assert (result.in_doubt, result.stopped) == (0, None)
    states = await world.states()
    assert states == {"sent": len(sink.taken), "queued": 12 - len(sink.taken)}
    assert 2 <= len(sink.taken) <= 6
    assert (await world.mailbox()).lease_holder is None
    await sink.stop()


class Counted(MailboxRun):
    """Counts how often the run looks what to do."""

    looks = 0

    async def _sleep(self) -> None:
        self.looks += 1
        await super()._sleep()


async def test_a_server_that_falls_silent_beside_an_idle_link_is_given_up(
    new_sqlite_world: MakeWorld, scripted_smtp_factory: Any, clock: FakeClock
) -> None:
    """The deadline is kept whatever the other links do: here one has nothing to do and one waits for its answer."""
    world = await new_sqlite_world(PEOPLE[:2])
    fake = scripted_smtp_factory()
    fake.on("DOT", stall(), times=1)
    server = Server("127.0.0.1", fake.port, tls="none", timeouts=Timeouts(dot=0.4))
    setup = MailboxSetup(world.mailbox_id, "sales", "sales@seller.example", connections=2)
    run = Counted(world.store, setup, server, PlainComposer(), clock=clock)
    result = await asyncio.wait_for(run.run(), 20)
    assert (result.sent, result.in_doubt) == (1, 1)
    assert run.looks < 40


async def test_a_run_that_waits_for_its_pace_sleeps(new_sqlite_world: MakeWorld, clock: FakeClock) -> None:
    world, sink = await new_sqlite_world(PEOPLE), await RecordingSink().start()
    setup = MailboxSetup(world.mailbox_id, "sales", "sales@seller.example", limits=Limits(per_minute=3))
    run = Counted(world.store, setup, Server("127.0.0.1", sink.port, tls="none"), PlainComposer(), clock=clock)
    going = asyncio.ensure_future(run.run(max_seconds=300))
    await sink.has(3)
    before = run.looks
    for _ in range(2_000):
        await asyncio.sleep(0)  # as many turns of the loop as the run wants
    looks = run.looks - before
    run.end()
    assert (await going).sent == 3
    assert looks < 20
    await sink.stop()
