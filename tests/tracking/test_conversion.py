"""A website reports what a click led to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from outreach.model import Conversion
from outreach.tracking.conversion import read_conversion
from outreach.tracking.store import coarse, record_conversion
from outreach.tracking.tokens import Signer
from tests.events.seeds import count
from tests.tracking.conftest import Site

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
SIGNER = Signer.from_secret(b"k" * 32)
TOKEN = SIGNER.sign("c", 5, 2)


def test_an_order() -> None:
    body = {"token": TOKEN, "kind": "order", "amount": 1200, "currency": "EUR", "external_id": "W-7"}
    event = read_conversion(body, SIGNER, NOW)
    assert (event.message_id, event.key, event.at) == (5, "conversion:W-7", NOW)
    assert event.data["amount"] == 1200.0


@pytest.mark.parametrize(
    "change",
    [
        {"token": "nonsense"},
        {"token": SIGNER.sign("u", 5)},
        {"kind": "theft"},
        {"amount": -1},
        {"amount": "12"},
        {"amount": float("nan")},
        {"amount": True},
        {"currency": "euro"},
        {"external_id": ""},
        {"external_id": "a\nb"},
        {"external_id": 7},
        {"at": "yesterday"},
        {"at": "2026-11-18T09:00:00"},
        {"at": "2027-01-01T00:00:00Z"},
        {"surprise": 1},
    ],
)
def test_what_is_wrong_is_said(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        read_conversion({"token": TOKEN, "kind": "order", **change}, SIGNER, NOW)


async def test_a_website_that_reports_twice(site: Site) -> None:
    token = site.signer.sign("c", site.messages[0], 1)
    body = {"token": token, "kind": "inquiry", "external_id": "F-1"}
    answers = []
    for _ in range(2):
        async with site.db.write() as conn:
            answers.append(await record_conversion(conn, site.app.store.events, site.signer, body, site.clock()))
    assert answers == [{"id": 1, "new": True}, {"id": 1, "new": False}]
    assert await count(site.db, Conversion, Conversion.campaign_id == site.campaign) == 1


@pytest.mark.parametrize(
    ("ip", "network"), [("203.0.113.77", "203.0.113.0/24"), ("2001:db8:1:2::3", "2001:0db8:0001::/48"), ("x", "")]
)
def test_addresses_are_kept_coarse(ip: str, network: str) -> None:
    assert coarse(ip) == network
