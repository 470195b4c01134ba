"""A mailbox run against a real server on loopback."""

from __future__ import annotations

from outreach.sending.client import Server
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
