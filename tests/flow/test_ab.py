"""A/B tests end to end: arms leave, people click, the winner goes to the rest, or a person is asked."""

from __future__ import annotations

from collections import Counter
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from outreach.access.roles import OPERATOR
from outreach.app import campaigns as use
from outreach.app.build import App
from outreach.campaigns.store import CampaignError
from outreach.events.kinds import EventKind, NewEvent
from outreach.model import Task
from outreach.model.base import table
from outreach.tracking.store import TrackingStore
from tests.flow.house import Clock, actor, add_people, approved, drafted, installed, rows, work

SUBJECTS = """
[[variant]]
name = "plain"
subject = "Plain words"
[[variant]]
name = "bold"
subject = "Bold words"
[test]
share = 0.5
minimum = 20
wait_hours = 24
"""


async def click(app: App, messages: list[Any], clock: Clock, *, machine: bool = False) -> None:
    async with app.db.write() as conn:
        for row in messages:
            event = NewEvent(
                EventKind.CLICK, f"click:{row.id}:{machine}", clock(), row.id, machine=machine, why="test",
                data={"number": 1},
            )  # fmt: skip
            await app.events.record(conn, event, clock())


async def begun(app: App, tmp_path: Path, clock: Clock, more: str = SUBJECTS, people: int = 200) -> int:
    await add_people(app, tmp_path, people)
    campaign = await approved(app, clock, more=more)
    await use.start(app, campaign, OPERATOR, clock())
    await work(app, clock)
    return campaign


def subjects(sink: Any) -> Counter[str]:
    return Counter(message_from_bytes(m.data, policy=policy.default)["Subject"] for m in sink.messages())


async def test_the_winner_by_peoples_clicks_goes_to_the_rest(tmp_path: Path, smtp_sink: Any) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port) as app:
        campaign = await begun(app, tmp_path, clock)
        first: list[Any] = await rows(app, campaign)
        arms = {name: [r for r in first if r.variant == name] for name in ("plain", "bold")}
        waiting = [r for r in first if r.variant is None]
        assert {r.state for r in waiting} == {"planned"}
        assert len(waiting) > 60
        assert subjects(smtp_sink) == {"Plain words": len(arms["plain"]), "Bold words": len(arms["bold"])}

        await click(app, arms["bold"][:25], clock)
        await click(app, arms["plain"], clock, machine=True)  # a scanner follows everything: it decides nothing
        clock.pass_days(0.9)
        await work(app, clock)
        assert len(smtp_sink.messages()) == len(first) - len(waiting)  # the wait is not over
        clock.pass_days(0.2)
        await work(app, clock)

        told = (await use.status(app, campaign))["test"]
        assert (told["outcome"], told["winner"], told["released"]) == ("winner", "bold", "bold")
        assert {arm["name"]: arm["hits"] for arm in told["arms"]} == {"plain": 0, "bold": 25}
        assert {arm["name"]: arm["mails"] for arm in told["arms"]} == {n: len(r) for n, r in arms.items()}
        assert subjects(smtp_sink)["Bold words"] == len(arms["bold"]) + len(waiting)
        assert len(set(smtp_sink.recipients())) == len(smtp_sink.recipients()) == 200
        assert (await use.status(app, campaign))["state"] == "finished"


async def test_without_a_difference_a_person_chooses(tmp_path: Path, smtp_sink: Any) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port) as app:
        campaign = await begun(app, tmp_path, clock)
        sent = len(smtp_sink.messages())
        clock.pass_days(1.1)
        await work(app, clock)
        found = await use.variant_results(app, campaign)
        assert found["verdict"]["outcome"] == "no_difference"
        assert found["needs_person"]
        assert found["waiting"] == 200 - sent
        assert len(smtp_sink.messages()) == sent
        async with app.db.read() as conn:
            task = (await conn.execute(select(table(Task)).where(table(Task).c.kind == "variant"))).one()
        assert task.title.endswith("Choose the variant for the rest: Trial")

        with pytest.raises(CampaignError, match="there are: plain, bold"):
            await use.release_variant(app, campaign, OPERATOR, clock(), variant="loud")
        assert await use.release_variant(app, campaign, OPERATOR, clock(), variant="plain") == 200 - sent
        await work(app, clock)
        assert len(smtp_sink.messages()) == 200
        with pytest.raises(CampaignError, match="running"):
            await use.release_variant(app, campaign, OPERATOR, clock(), variant="bold")


async def test_the_first_wording_may_be_the_default(tmp_path: Path, smtp_sink: Any) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port) as app:
        campaign = await begun(app, tmp_path, clock, SUBJECTS + 'otherwise = "first"\nrelease = "winner"\n', 80)
        clock.pass_days(1.1)
        await work(app, clock)
        found = await use.variant_results(app, campaign)
        assert found["released"] == "plain"
        assert len(smtp_sink.messages()) == 80


async def test_an_approval_covers_every_variant(tmp_path: Path, smtp_sink: Any) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 40)
        campaign = await drafted(app, clock, more='[[variant]]\nname = "a"\n[[variant]]\nname = "b"\nsubject = "One"\n')
        other = await drafted(app, clock, more='[[variant]]\nname = "a"\n[[variant]]\nname = "b"\nsubject = "Two"\n')
        hashes = []
        for number in (campaign, other):
            await use.submit(app, number, OPERATOR, clock())
            hashes.append((await app.campaigns.one(number)).submitted_hash)
        assert hashes[0] != hashes[1]
        what = (await app.campaigns.one(campaign)).definition
        await use.approve(app, campaign, await actor(app, "anna"), clock())
        from outreach.campaigns.definition import from_dict

        edited = from_dict(what | {"variant": [what["variant"][0], what["variant"][1] | {"subject": "Three"}]})
        await use.edit(app, campaign, edited, OPERATOR, clock())
        assert (await app.campaigns.one(campaign)).state == "draft"


async def test_the_hour_that_won_is_the_rests_hour(tmp_path: Path, smtp_sink: Any) -> None:
    clock = Clock()
    more = """
[schedule]
window = "06:00-22:00"
local_time = true
[[variant]]
name = "morning"
hour = 10
[[variant]]
name = "evening"
hour = 18
[test]
share = 0.5
minimum = 10
wait_hours = 1
release = "ask"
"""
    async with installed(tmp_path, smtp_sink.port) as app:
        campaign = await begun(app, tmp_path, clock, more, 60)
        before: list[Any] = await rows(app, campaign)
        assert {r.due_at.hour for r in before if r.variant == "morning"} == {10}  # Britain, in November
        assert {r.due_at.hour for r in before if r.variant == "evening"} == {18}
        assert len(smtp_sink.messages()) == 0
        await use.release_variant(app, campaign, OPERATOR, clock(), variant="evening")
        after: list[Any] = await rows(app, campaign)
        assert {r.due_at.hour for r in after if r.variant == "evening"} == {18}
        assert {r.state for r in after} == {"queued"}


async def test_each_wordings_links_lead_where_its_own_text_says(tmp_path: Path, smtp_sink: Any) -> None:
    clock = Clock()
    more = '[[variant]]\nname = "a"\n[[variant]]\nname = "b"\ntemplate = "exhibition-invitation"\n'
    async with installed(tmp_path, smtp_sink.port) as app:
        campaign = await begun(app, tmp_path, clock, more, 20)
        store = TrackingStore(app.db, app.events)
        messages: list[Any] = await rows(app, campaign)
        seen = {row.variant: await store.destination(row.id, 1) for row in messages}
        assert seen["a"]
        assert seen["b"]
        assert seen["a"] != seen["b"]
