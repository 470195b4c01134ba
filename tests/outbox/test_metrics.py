from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert, update

from outreach.outbox.metrics.store import metrics
from outreach.outbox.tables import instance, mailbox, message
from tests.sending.conftest import MakeWorld, new_world  # noqa: F401  (a fixture)
from tests.sending.world import START


async def test_the_page_counts_messages_and_mailboxes(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world(["a@one.example", "b@two.example", "c@two.example"])
    sent = update(message).where(message.c.id == 1).values(state="sent", handed_at=START)
    await world.execute(sent, update(mailbox).values(paused_until=START + timedelta(hours=2)))
    async with world.db.read() as conn:
        page = (await metrics(conn, START + timedelta(minutes=5))).decode()
    assert 'outreach_messages{state="queued"} 2.0' in page
    assert 'outreach_messages{state="in_doubt"} 0.0' in page
    assert 'outreach_mailbox_active{mailbox="sales"} 0.0' in page
    assert 'outreach_mailbox_handed_over{mailbox="sales",window="minute"} 0.0' in page
    assert 'outreach_mailbox_handed_over{mailbox="sales",window="hour"} 1.0' in page
    assert 'outreach_mailbox_overdue_seconds{mailbox="sales"} 300.0' in page


async def test_campaigns_failures_and_the_hold_are_on_the_page(new_world: MakeWorld) -> None:  # noqa: F811
    world = await new_world(["a@one.example", "b@two.example"])
    held = {"id": 1, "machine": "", "path": "", "generation": 0, "data": {}, "hold_reason": "restored"}
    await world.execute(
        update(message).where(message.c.id == 1).values(state="failed", reason="userunknown"),
        update(message).where(message.c.id == 2).values(state="in_doubt"),
        insert(instance).values(**held),
    )
    async with world.db.read() as conn:
        page = (await metrics(conn, START)).decode()
    assert 'outreach_messages_failed{reason="userunknown"} 1.0' in page
    assert 'outreach_campaigns{state="running"} 1.0' in page
    assert 'outreach_mailbox_in_doubt{mailbox="sales"} 1.0' in page
    assert "outreach_on_hold 1.0" in page
