"""Delivers what is due, a few at a time; what fails comes again later, so nothing waits for a slow receiver."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import structlog

from outreach.content.client import Connector, Resolver, connect, resolve
from outreach.db import instance
from outreach.webhooks.client import Answer, deliver
from outreach.webhooks.sign import headers, payload
from outreach.webhooks.state import DeliveryState
from outreach.webhooks.store import Due, WebhookStore

log = structlog.get_logger(__name__)
#: Posts under way at once: a receiver that hangs for the whole timeout holds up one place only.
AT_ONCE = 8


@dataclass
class Delivered:
    """What one pass did."""

    taken_up: int = 0
    delivered: int = 0
    failed: int = 0
    given_up: int = 0


class WebhookWorker:
    """Posts for one process. `own_hosts`: hosts of the company's own network that may be posted to."""

    def __init__(
        self,
        store: WebhookStore,
        *,
        own_hosts: Collection[str] = (),
        resolver: Resolver = resolve,
        connector: Connector = connect,
    ) -> None:
        self.store, self.own_hosts = store, frozenset(own_hosts)
        self.resolver, self.connector = resolver, connector

    async def run(self, now: datetime) -> Delivered:
        """Take up what happened, then deliver what is due at `now`; nothing from a copy that may not send."""
        if await instance.held(self.store.db):
            return Delivered()
        done = Delivered(taken_up=await self.store.take_up(now))
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(due: Due) -> None:
            async with gate:
                body = payload(due.event)
                answer = await self.post(due.url, due.secrets, due.number, body, now)
                state = await self.store.settle(due, answer.status, answer.detail, now)
            done.delivered += state is DeliveryState.DELIVERED
            done.failed += state is DeliveryState.WAITING
            done.given_up += state is DeliveryState.GIVEN_UP
            if state is DeliveryState.GIVEN_UP:
                log.warning("webhook delivery given up", webhook=due.webhook_id, delivery=due.id)

        await asyncio.gather(*(one(due) for due in await self.store.due(now)))
        return done

    async def test(self, number: int, now: datetime) -> Answer:
        """Post a test to a webhook, signed as the real ones are."""
        url, secrets = await self.store.secrets_of(number, now)
        body = payload({"id": 0, "kind": "test", "at": now, "machine": False, "data": {}})
        return await self.post(url, secrets, f"test_{int(now.timestamp())}", body, now)

    async def post(self, url: str, secrets: tuple[str, ...], number: str, body: bytes, now: datetime) -> Answer:
        """Post one body, signed with every secret that holds."""
        return await deliver(
            url, headers(secrets, number, now, body), body, own_hosts=self.own_hosts, resolver=self.resolver,
            connector=self.connector,
        )  # fmt: skip
