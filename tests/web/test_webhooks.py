"""The webhooks' pages: a secret is shown once, addresses inside the network are refused in words, a test is posted."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from outreach.model import Webhook
from outreach.model.base import table
from tests.web.house import House
from tests.webhooks.receiver import running_receiver

ADMIN = "admin"


async def technician(house: House) -> str:
    rows = await house.outreach.access.users()
    return next(str(row.name) for row in rows if "technician" in row.roles)


async def test_a_webhook_from_form_to_test_to_removal(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_receiver() as receiver, house.visitor(await technician(house)) as visitor:
        worker = house.outreach.webhook_worker()
        worker.resolver, worker.connector = receiver.resolver, receiver.connector
        monkeypatch.setattr(house.outreach, "webhook_worker", lambda: worker)
        form = {"name": "ERP", "url": "https://hook.example.net/in", "kind": ["reply", "conversion"]}
        made = await visitor.post("/settings/webhooks", form)
        secret = re.search(r"whsec_[\w+/=]+", made.text)
        assert secret
        path = re.search(r"/settings/webhooks/\d+", made.text)
        assert path
        one = path[0]
        page = await visitor.get(one)
        assert secret[0] not in page.text, "shown once"
        tested = await visitor.post(f"{one}/test")
        assert "The test was taken." in tested.text
        assert len(receiver.got) == 1
        receiver.answers[:] = ["500 Oops"]
        assert "The test was not taken." in (await visitor.post(f"{one}/test")).text
        again = await visitor.post(f"{one}/rotate")
        assert secret[0] not in again.text
        for action in ("pause", "resume", "remove"):
            assert (await visitor.post(f"{one}/{action}")).status_code == 303
        assert (await visitor.get(one)).status_code == 404


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://erp.example.net/", "must begin with https"),
        ("https://me:pw@erp.example.net/", "Leave name and password out"),
        ("https://erp.example.net:25/", "port 443"),
        ("nonsense", "This is no address"),
    ],
)
async def test_addresses_are_refused_in_words_and_what_was_typed_stays(house: House, url: str, said: str) -> None:
    async with house.visitor(await technician(house)) as visitor:
        answer = await visitor.post("/settings/webhooks", {"name": "My ERP", "url": url})
        assert answer.status_code == 422
        assert said in answer.text
        assert "My ERP" in answer.text
    async with house.db.read() as conn:
        urls = (await conn.execute(select(table(Webhook).c.url))).scalars().all()
    assert urls == ["https://erp.example/hook"], "only the seeded one"


async def test_a_secret_that_cannot_be_read_is_said_and_holds_up_nobody(house: House) -> None:
    """The seeded webhook's secret is of another installation."""
    async with house.visitor(await technician(house)) as visitor:
        answer = await visitor.post("/settings/webhooks/1/test")
        assert answer.status_code == 200
        assert "cannot be read" in answer.text
