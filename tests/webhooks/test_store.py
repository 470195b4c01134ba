"""Every event once to every webhook, in spite of failures, pauses, restarts and repeats; on both databases."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from outreach.access.roles import OPERATOR
from outreach.db.session import Database
from outreach.model import AuditEntry, Event, Webhook, WebhookDelivery
from outreach.model.base import table
from outreach.webhooks.sign import verify
from outreach.webhooks.state import WAITS, DeliveryState, IllegalTransition, advance
from outreach.webhooks.store import WebhookError, WebhookStore
from outreach.webhooks.worker import WebhookWorker
from tests.fakes.schema import make_tables
from tests.webhooks.receiver import Receiver, running_receiver

NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
URL = "https://hook.example.net/in"


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await make_tables(database)
    yield database
    await database.close()


@pytest.fixture
def store(db: Database) -> WebhookStore:
    return WebhookStore(db, b"s" * 32)


def worker_of(store: WebhookStore, receiver: Receiver) -> WebhookWorker:
    return WebhookWorker(store, resolver=receiver.resolver, connector=receiver.connector)


async def happen(db: Database, *kinds: str, at: datetime = NOW) -> None:
    async with db.write() as conn:
        for number, kind in enumerate(kinds):
            row = {
                "kind": kind,
                "key": f"{at.isoformat()}:{number}",
                "at": at,
                "recorded_at": at,
                "data": {},
                "effects": [],
            }
            await conn.execute(insert(table(Event)).values(machine=False, **row))


async def deliveries(db: Database) -> list[Any]:
    async with db.read() as conn:
        return list((await conn.execute(select(table(WebhookDelivery)).order_by(table(WebhookDelivery).c.id))).all())


async def test_events_of_the_wished_kinds_come_once_and_signed(store: WebhookStore, db: Database) -> None:
    await happen(db, "reply", at=NOW - timedelta(days=1))
    number, secret = await store.add("ERP", URL, ["reply", "bounce"], actor=OPERATOR, now=NOW)
    async with running_receiver() as receiver:
        worker = worker_of(store, receiver)
        await happen(db, "reply", "open", "bounce")
        done = await worker.run(NOW)
        assert (done.taken_up, done.delivered) == (2, 2)
        again = await worker.run(NOW)
        assert (again.taken_up, again.delivered) == (0, 0)
        kinds = sorted(json.loads(body)["type"] for _, _, body in receiver.got)
        assert kinds == ["bounce", "reply"], "what happened before the webhook was added is not told"
        assert all(verify(secret, headers, body, NOW) for _, headers, body in receiver.got)
        assert len({headers["Webhook-Id"] for _, headers, _ in receiver.got}) == 2
    assert number == 1


async def test_a_failure_is_repeated_with_growing_waits_and_given_up_in_the_end(
    store: WebhookStore, db: Database
) -> None:
    number, _ = await store.add("ERP", URL, [], actor=OPERATOR, now=NOW)
    await happen(db, "reply")
    now = NOW
    async with running_receiver("500 Oops") as receiver:
        worker = worker_of(store, receiver)
        for wait in WAITS:
            assert (await worker.run(now)).failed == 1
            assert (await worker.run(now + wait - timedelta(seconds=1))).failed == 0, "too early"
            now += wait
        assert (await worker.run(now)).given_up == 1
        assert (await worker.run(now + timedelta(days=9))).given_up == 0
        assert len(receiver.got) == len(WAITS) + 1
        row = (await deliveries(db))[0]
        assert (row.state, row.attempts, row.status) == ("given_up", len(WAITS) + 1, 500)
        assert (await store.all())[0].failing_since == NOW
        # a person resumes it: what was given up starts anew
        receiver.answers[:] = ["204 No Content"]
        await store.set_state(number, "active", actor=OPERATOR, now=now)
        assert (await worker.run(now)).delivered == 1
        assert (await store.all())[0].failing_since is None


async def test_what_happens_while_it_is_paused_is_told_afterwards(store: WebhookStore, db: Database) -> None:
    number, _ = await store.add("ERP", URL, [], actor=OPERATOR, now=NOW)
    await store.set_state(number, "paused", actor=OPERATOR, now=NOW, why="moving house")
    await happen(db, "reply", "click")
    async with running_receiver() as receiver:
        worker = worker_of(store, receiver)
        assert (await worker.run(NOW)).delivered == 0
        await store.set_state(number, "active", actor=OPERATOR, now=NOW)
        assert (await worker.run(NOW)).delivered == 2


async def test_an_event_that_becomes_visible_late_is_not_missed(store: WebhookStore, db: Database) -> None:
    """PostgreSQL: a transaction that took a lower id may commit after one with a higher id."""
    await store.add("ERP", URL, [], actor=OPERATOR, now=NOW)
    await happen(db, "reply", "reply", "reply")
    async with db.write() as conn:
        await conn.execute(update(table(Webhook)).values(seen_event_id=2))
    assert await store.take_up(NOW) == 3


async def test_gone_pauses_the_webhook_and_says_why(store: WebhookStore, db: Database) -> None:
    await store.add("ERP", URL, [], actor=OPERATOR, now=NOW)
    await happen(db, "reply")
    async with running_receiver("410 Gone") as receiver:
        await worker_of(store, receiver).run(NOW)
    row = (await store.all())[0]
    assert (row.state, row.paused_reason) == ("paused", "gone")


async def test_a_changed_secret_signs_beside_the_old_one_for_a_day(store: WebhookStore, db: Database) -> None:
    number, old = await store.add("ERP", URL, [], actor=OPERATOR, now=NOW)
    new = await store.rotate(number, actor=OPERATOR, now=NOW)
    assert (await store.secrets_of(number, NOW))[1] == (new, old)
    assert (await store.secrets_of(number, NOW + timedelta(hours=25)))[1] == (new,)
    async with db.read() as conn:
        stored = repr((await conn.execute(select(table(Webhook)))).all())
    assert old not in stored, "secrets stand encrypted"
    assert new not in stored


async def test_everything_about_webhooks_is_on_record(store: WebhookStore, db: Database) -> None:
    number, _ = await store.add("ERP", URL, [], actor=OPERATOR, now=NOW)
    await store.rotate(number, actor=OPERATOR, now=NOW)
    await store.set_state(number, "paused", actor=OPERATOR, now=NOW)
    await store.remove(number, actor=OPERATOR, now=NOW)
    async with db.read() as conn:
        actions = (
            (await conn.execute(select(table(AuditEntry).c.action).order_by(table(AuditEntry).c.id))).scalars().all()
        )
    assert actions == ["webhook.added", "webhook.rotated", "webhook.paused", "webhook.removed"]
    with pytest.raises(WebhookError, match="no webhook"):
        await store.remove(number, actor=OPERATOR, now=NOW)
    with pytest.raises(WebhookError, match="unknown kind"):
        await store.add("x", URL, ["telepathy"], actor=OPERATOR, now=NOW)


async def test_a_test_is_posted_at_once(store: WebhookStore, db: Database) -> None:
    number, secret = await store.add("ERP", URL, [], actor=OPERATOR, now=NOW)
    async with running_receiver() as receiver:
        assert (await worker_of(store, receiver).test(number, NOW)).taken
        _, headers, body = receiver.got[0]
    assert json.loads(body)["type"] == "test"
    assert verify(secret, headers, body, NOW)


async def test_ended_deliveries_are_forgotten(store: WebhookStore, db: Database) -> None:
    await store.add("ERP", URL, [], actor=OPERATOR, now=NOW)
    await happen(db, "reply")
    async with running_receiver() as receiver:
        await worker_of(store, receiver).run(NOW)
    assert await store.prune(NOW + timedelta(days=29)) == 0
    assert await store.prune(NOW + timedelta(days=31)) == 1
    assert await deliveries(db) == []


async def test_a_webhook_whose_secret_cannot_be_read_is_paused_and_the_others_go_on(
    store: WebhookStore, db: Database
) -> None:
    broken, _ = await store.add("moved", URL, [], actor=OPERATOR, now=NOW)
    await store.add("ERP", URL, [], actor=OPERATOR, now=NOW)
    async with db.write() as conn:
        await conn.execute(update(table(Webhook)).where(table(Webhook).c.id == broken).values(secret="of another key"))
    await happen(db, "reply")
    async with running_receiver() as receiver:
        done = await worker_of(store, receiver).run(NOW)
    assert done.delivered == 1
    assert [(row.state, row.paused_reason) for row in await store.all()] == [("paused", "secret"), ("active", None)]


def test_only_listed_transitions() -> None:
    with pytest.raises(IllegalTransition):
        advance(DeliveryState.DELIVERED, "fail")
