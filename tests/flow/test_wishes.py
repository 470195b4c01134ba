"""What a recipient chose on the preference page holds when a campaign is planned, and again when a mail leaves."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from outreach.access.roles import OPERATOR
from outreach.app import campaigns as use
from outreach.app.build import App, open_app
from outreach.config import load
from outreach.model import Message
from outreach.model.base import table
from outreach.tracking.forms import PAUSE_DAYS, Choice
from outreach.tracking.store import TrackingStore
from tests.flow.house import Clock, add_people, approved, drafted, installed, rows, work

TOPICS = ("new", "show", "price")
SHOW = 'topic = "show"\n'


async def one_mail(app: App, tmp_path: Path, clock: Clock, people: int = 3) -> list[Any]:
    """Everybody got a mail, so everybody has a link to the preference page."""
    await add_people(app, tmp_path, people)
    campaign = await approved(app, clock, name="First")
    await use.start(app, campaign, OPERATOR, clock())
    await work(app, clock)
    return await rows(app, campaign)


async def choose(app: App, row: Any, clock: Clock, **wish: Any) -> None:
    choice = Choice(**({"saved": True, "topics": frozenset(TOPICS)} | wish))
    await TrackingStore(app.db, app.events).choose(row.id, choice, TOPICS, clock())


async def test_a_topic_that_is_off_is_left_out_of_the_plan(tmp_path: Path, smtp_sink: Any) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port) as app:
        got = await one_mail(app, tmp_path, clock)
        await choose(app, got[0], clock, topics=frozenset({"new", "price"}))
        about = await use.preflight(app, await drafted(app, clock, "Fair", SHOW), clock())
        assert about.skipped == {"topic_off": 1}
        other = await use.preflight(app, await drafted(app, clock, "News", 'topic = "new"\n'), clock())
        assert other.skipped == {}


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"topics": frozenset({"new"})}, "topic_off"),
        ({"mails_per_month": 1}, "wish"),
        ({"pause_days": PAUSE_DAYS}, None),
        ({"unsubscribe": True}, "unsubscribed"),
    ],
)
async def test_a_choice_after_the_approval_holds_at_the_hand_over(
    tmp_path: Path, smtp_sink: Any, wish: dict[str, Any], reason: str | None
) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port) as app:
        got = await one_mail(app, tmp_path, clock)
        campaign = await approved(app, clock, name="Fair", more=SHOW)
        await use.start(app, campaign, OPERATOR, clock())
        if wish.get("unsubscribe"):
            await TrackingStore(app.db, app.events).unsubscribe(got[0].id, "one-click", clock())
        else:
            await choose(app, got[0], clock, **wish)
        await work(app, clock)
        second: list[Any] = [row for row in await rows(app, campaign) if row.contact_id == got[0].contact_id]
        assert len(smtp_sink.messages()) == 3 + 2
        if reason is None:  # a pause: the mail waits for its end
            assert second[0].state == "queued"
            assert second[0].due_at >= clock() + timedelta(days=PAUSE_DAYS)
        else:
            assert second[0].state in ("skipped", "cancelled")
            assert reason in second[0].reason


async def test_mail_that_waits_for_a_pause_comes_forward_when_it_is_ended(tmp_path: Path, smtp_sink: Any) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port) as app:
        got = await one_mail(app, tmp_path, clock)
        campaign = await approved(app, clock, name="Fair")
        await use.start(app, campaign, OPERATOR, clock())
        await choose(app, got[0], clock, pause_days=PAUSE_DAYS)
        await work(app, clock)
        assert len(smtp_sink.messages()) == 3 + 2
        clock.pass_days(9.5)  # half a day beside the hour of the pause: at the very hour the mail is due at once
        await TrackingStore(app.db, app.events).resume(got[0].id, clock())
        (second,) = [row for row in await rows(app, campaign) if row.contact_id == got[0].contact_id]
        assert clock() < second.due_at <= clock() + timedelta(days=1)
        clock.pass_days(1)
        await work(app, clock)
        assert len(smtp_sink.messages()) == 3 + 3
        about = await use.preflight(app, await drafted(app, clock, "Next"), clock())
        assert about.skipped == {}


async def test_so_many_a_month_is_counted_over_all_campaigns_in_the_plan(tmp_path: Path, smtp_sink: Any) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port) as app:
        got = await one_mail(app, tmp_path, clock)
        await choose(app, got[0], clock, mails_per_month=1)
        campaign = await drafted(app, clock, "Second")
        assert (await use.preflight(app, campaign, clock())).skipped == {"wish": 1}
        clock.pass_days(31)
        assert (await use.preflight(app, campaign, clock())).skipped == {}


async def test_caps_hold_over_campaigns_and_colleagues(tmp_path: Path, smtp_sink: Any) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port) as app:
        limits = app.settings.limits
        capped = limits.model_copy(
            update={"per_contact": limits.per_contact.model_copy(update={"mails": 1, "days": 14})}
        )
        object.__setattr__(app.settings, "limits", capped)
        await one_mail(app, tmp_path, clock)
        found = await use.preflight(app, await drafted(app, clock, "Second"), clock())
        assert found.skipped == {"contact_cap": 3}
        clock.pass_days(15)
        found = await use.preflight(app, await drafted(app, clock, "Third"), clock())
        assert found.recipients == 3


async def test_a_link_acts_after_its_campaign_is_archived_and_the_person_erased(tmp_path: Path, smtp_sink: Any) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port) as app:
        got = await one_mail(app, tmp_path, clock)
        await app.audience.erase(got[0].address, now=clock())
        store = TrackingStore(app.db, app.events)
        await store.unsubscribe(got[0].id, "one-click", clock())  # no error: the person is shown that it is done
        await store.unsubscribe(got[1].id, "one-click", clock())
        assert await app.suppression.check(got[1].address)
        async with app.db.write() as conn:
            await conn.execute(delete(table(Message)).where(table(Message).c.id == got[2].id))
        await store.unsubscribe(got[2].id, "one-click", clock())
        assert await store.recipient(got[2].id) is None


async def test_a_new_key_signs_new_links_and_old_ones_stay_good(tmp_path: Path, smtp_sink: Any) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port) as app:
        old = app.url_builder(app.settings.mailbox[0]).unsubscribe(7).rpartition("/")[2]
    config = tmp_path / "config.toml"
    config.write_text(config.read_text().replace("[tracking]", "[tracking]\nkey_generation = 2"))
    app = await open_app(load(config), now=clock())
    try:
        new = app.url_builder(app.settings.mailbox[0]).unsubscribe(7).rpartition("/")[2]
        assert new != old
        for token in (old, new):
            found = app.signer.verify(token)
            assert found is not None
            assert (found.kind, found.message_id) == ("u", 7)
    finally:
        await app.close()
