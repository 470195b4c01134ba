"""Caps per person and per customer hold across campaigns and colleagues: in the plan, and again when a mail leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from outreach.access.roles import OPERATOR
from outreach.app import campaigns as use
from outreach.app.build import App
from outreach.audience.importing.store import ImportOptions
from tests.flow.house import START, Clock, approved, drafted, installed, rows, work

FIRM, OTHERS = 4, 2


def capped(app: App, **caps: tuple[int, int]) -> None:
    """Mails and days by scope, as config.toml would say them; before the approval, which covers the caps."""
    limits = app.settings.limits
    values = {
        scope: getattr(limits, scope).model_copy(update={"mails": mails, "days": days})
        for scope, (mails, days) in caps.items()
    }
    object.__setattr__(app.settings, "limits", limits.model_copy(update=values))


async def add_firm(app: App, folder: Path) -> None:
    """Four people of one customer, and two customers of one person each."""
    people = [f"p{n}@lamps.example,Pat{n},Lamps Ltd,GB,customer" for n in range(FIRM)]
    people += [f"q{n}@other{n}.example,Quinn{n},Other {n},GB,customer" for n in range(OTHERS)]
    (folder / "people.csv").write_text("\n".join(["email,first_name,company,country,basis", *people]))
    options = ImportOptions(source="fair")
    await app.audience.import_file(folder / "people.csv", options, now=START, rejects=folder / "rejects.csv")


def to_firm(smtp_sink: Any) -> list[str]:
    return [one for one in smtp_sink.recipients() if one.endswith("@lamps.example")]


async def test_the_plan_counts_what_colleagues_sent(tmp_path: Path, smtp_sink: Any, database_url: str) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port, database=database_url) as app:
        capped(app, per_company=(5, 14))
        await add_firm(app, tmp_path)
        first = await approved(app, clock, name="Anna's", more='owner = "anna"')
        await use.start(app, first, OPERATOR, clock())
        await work(app, clock)
        assert len(to_firm(smtp_sink)) == FIRM
        other = await drafted(app, clock, "Zhou's", 'owner = "zhou"')
        found = await use.preflight(app, other, clock())
        assert found.skipped == {"company_cap": FIRM - 1}, "one more fits under the cap of five"
        assert found.recipients == OTHERS + 1
        clock.pass_days(15)
        assert (await use.preflight(app, other, clock())).skipped == {}


async def test_one_plan_alone_stays_under_the_cap(tmp_path: Path, smtp_sink: Any, database_url: str) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port, database=database_url) as app:
        capped(app, per_company=(2, 14))
        await add_firm(app, tmp_path)
        campaign = await approved(app, clock)
        await use.start(app, campaign, OPERATOR, clock())
        await work(app, clock)
        assert len(to_firm(smtp_sink)) == 2
        assert len(smtp_sink.messages()) == 2 + OTHERS


async def test_campaigns_that_do_not_know_each_other_meet_at_the_hand_over(
    tmp_path: Path, smtp_sink: Any, database_url: str
) -> None:
    """Two colleagues planned, and had approved, before either had sent: neither plan could count the other's mail."""
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port, database=database_url) as app:
        capped(app, per_company=(5, 14))
        await add_firm(app, tmp_path)
        both = [await approved(app, clock, name=name, more=f'owner = "{name}"') for name in ("anna", "zhou")]
        for campaign in both:
            await use.start(app, campaign, OPERATOR, clock())
        await work(app, clock)
        assert len(to_firm(smtp_sink)) == 5
        assert len(smtp_sink.messages()) == 5 + 2 * OTHERS, "other customers get both"
        ledger = [row for campaign in both for row in await rows(app, campaign)]
        held = [row for row in ledger if row.reason == "company_cap"]  # type: ignore[attr-defined]
        assert {row.state for row in held} == {"skipped"}  # type: ignore[attr-defined]
        assert len(held) == 2 * FIRM - 5
        status = [await use.status(app, campaign) for campaign in both]
        assert sum(one["skipped"].get("company_cap", 0) for one in status) == len(held), "each is told with its reason"


async def test_a_persons_cap_holds_over_colleagues_at_the_hand_over(
    tmp_path: Path, smtp_sink: Any, database_url: str
) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port, database=database_url) as app:
        capped(app, per_contact=(1, 7))
        await add_firm(app, tmp_path)
        both = [await approved(app, clock, name=name, more=f'owner = "{name}"') for name in ("anna", "zhou")]
        for campaign in both:
            await use.start(app, campaign, OPERATOR, clock())
        await work(app, clock)
        got = smtp_sink.recipients()
        assert sorted(got) == sorted(set(got)), "nobody twice"
        assert len(got) == FIRM + OTHERS
        clock.pass_days(8)
        third = await approved(app, clock, name="third")
        await use.start(app, third, OPERATOR, clock())
        await work(app, clock)
        assert len(smtp_sink.recipients()) == 2 * (FIRM + OTHERS)
