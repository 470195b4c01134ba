"""A thousand times one byte of what was approved is changed in the database, and each time the approval is void (A4)."""

from __future__ import annotations

import contextlib
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Text, column, select, table, update

from outreach.access.roles import OPERATOR
from outreach.app import campaigns as use
from outreach.app.campaigns import demand_approval
from outreach.campaigns.store import CampaignError
from tests.flow.house import Clock, add_people, approved, installed, work

#: What an approval covers: table, column, which row.
COVERED = (
    ("campaign", "definition", "id"),
    ("campaign", "name", "id"),
    ("campaign", "goal", "id"),
    ("campaign", "segment", "id"),
    ("campaign", "approved_hash", "id"),
    ("template_version", "files", "id"),
    ("campaign_recipient", "address", "contact_id"),
    ("mailbox", "address", "id"),
)
PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


class _Back(Exception):
    """Takes the change back."""


def one_byte_off(value: str, chance: random.Random) -> str:
    """The text with one byte changed; of JSON one that means something else."""
    while True:
        place = chance.randrange(len(value))
        changed = value[:place] + chance.choice(PRINTABLE) + value[place + 1 :]
        if changed != value and ord(value[place]) < 0x80 and not _same_json(value, changed):
            return changed


def _same_json(one: str, other: str) -> bool:
    """Whether it says the same to a recipient: a template's sample.json is never sent, so no approval covers it."""
    try:
        return bool(_sent(json.loads(one)) == _sent(json.loads(other)))
    except ValueError:
        return False


def _sent(stored: Any) -> Any:
    return {key: value for key, value in stored.items() if key != "sample.json"} if isinstance(stored, dict) else stored


async def test_a_thousand_bytes(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    chance, tried = random.Random(7), Counter[str]()
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 5)
        campaign = await approved(app, clock, more='goal = "orders"')
        for _ in range(1000):
            where, name, key = chance.choice(COVERED)
            rows_of, what, which = table(where, column(key), column(name, Text)), column(name, Text), column(key)
            with contextlib.suppress(_Back):
                async with app.db.write() as conn:
                    rows = (await conn.execute(select(which, what).select_from(rows_of).where(what != ""))).all()
                    number, value = chance.choice(rows)
                    changed = one_byte_off(value, chance)
                    await conn.execute(update(rows_of).where(which == number).values({name: changed}))
                    with pytest.raises(CampaignError, match="changed after it was approved"):
                        await demand_approval(app, conn, campaign)
                    raise _Back
            tried[f"{where}.{name}"] += 1
        assert sum(tried.values()) == 1000
        assert min(tried[f"{where}.{name}"] for where, name, _ in COVERED) > 50
        await use.start(app, campaign, OPERATOR, clock())
        await work(app, clock)
        assert smtp_sink.count() == 5, "what stands as it was approved is sent"
