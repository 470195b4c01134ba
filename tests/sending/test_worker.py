"""A mailbox run against a real server on loopback."""

from __future__ import annotations

import gc

from outreach.sending.client import Server
from outreach.sending.job import Job
from outreach.sending.setup import MailboxSetup
from outreach.sending.worker import MailboxRun
from tests.fakes.clock import FakeClock
from tests.fakes.sink import SmtpSink
from tests.sending.conftest import MakeWorld
from tests.sending.world import PlainComposer


async def test_rows_leave_through_a_real_server(new_world: MakeWorld, smtp_sink: SmtpSink, clock: FakeClock) -> None:
    addresses = [f"person{n}@buyer{n % 7}.example" for n in range(60)]
    world = await new_world(addresses)
    setup = MailboxSetup(world.mailbox_id, "sales", "sales@seller.example", connections=4)
    server = Server(smtp_sink.host, smtp_sink.port, tls="none")
    run = MailboxRun(world.store, setup, server, PlainComposer(), clock=clock)
    result = await run.run(max_messages=1000)
    assert (result.claimed, result.sent, result.stopped) == (60, 60, None)
    assert await world.states() == {"sent": 60}
    assert sorted(smtp_sink.recipients()) == sorted(addresses)


async def test_messages_whose_fate_is_known_are_let_go_at_once(
    new_world: MakeWorld, smtp_sink: SmtpSink, clock: FakeClock
) -> None:
    """The collector of circles may come minutes later; a sender's memory shall not wait for it."""
    addresses = [f"person{n}@buyer{n % 7}.example" for n in range(60)]
    world = await new_world(addresses)
    setup = MailboxSetup(world.mailbox_id, "sales", "sales@seller.example", connections=4)
    server = Server(smtp_sink.host, smtp_sink.port, tls="none")
    gc.collect()
    gc.disable()
    try:
        run = MailboxRun(world.store, setup, server, PlainComposer(), clock=clock)
        result = await run.run(max_messages=1000)
        kept = sum(isinstance(one, Job) for one in gc.get_objects())
    finally:
        gc.enable()
    assert result.claimed == 60
    assert kept == 0
