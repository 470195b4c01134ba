"""`outreach campaigns …`: from a campaign file to its end."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from outreach.access.roles import Actor
from outreach.app import campaigns as use
from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.app.progress import Progress, progress
from outreach.campaigns import definition
from outreach.campaigns.plan import explain_skip
from outreach.cli.common import AsJson, AsUser, acting, emit, out, read_text, refuse, with_app
from outreach.cli.results import pilot_lines, variant_lines
from outreach.cli.status import shown, watch

app = typer.Typer(no_args_is_help=True, help="Campaigns: create, review, send, watch.")

Id = Annotated[int, typer.Argument(help="The campaign's id.")]
Comment = Annotated[str | None, typer.Option("--comment", help="What the approver has to say.")]

Version = Annotated[
    str | None,
    typer.Option("--hash", help="Of what you read, from `campaigns status ID --json`; another version is refused."),
]


@app.command()
def create(
    file: Annotated[Path, typer.Argument(help="A campaign file (TOML).")],
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Store a campaign as a draft."""

    async def work(service: App) -> int:
        what = definition.parse(read_text(file), source=str(file))
        return await use.create(service, what, await acting(service, as_user), utc_now())

    campaign_id = with_app(work)
    emit(
        {"id": campaign_id},
        as_json,
        f"campaign {campaign_id} is a draft: next  outreach campaigns preflight {campaign_id}",
    )


@app.command()
def edit(
    campaign: Id,
    file: Annotated[Path, typer.Argument(help="The campaign file as it shall be now.")],
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Replace a campaign's content; every approval is void."""

    async def work(service: App) -> str:
        what = definition.parse(read_text(file), source=str(file))
        await use.edit(service, campaign, what, await acting(service, as_user), utc_now())
        return str((await service.campaigns.one(campaign)).state)

    _state(campaign, with_app(work), as_json)


@app.command("list")
def list_campaigns(as_json: AsJson = False) -> None:
    """List campaigns, newest first."""

    async def work(service: App) -> list[dict[str, Any]]:
        rows = await service.campaigns.all()
        return [{"id": r.id, "name": r.name, "state": r.state, "start_at": r.start_at} for r in rows]

    rows = with_app(work)
    if as_json:
        emit(rows, True)
        return
    for row in rows:
        out.print(f"{row['id']:>5}  {row['state']:<10}  {row['name']}", highlight=False, markup=False)


@app.command()
def preflight(campaign: Id, as_json: AsJson = False) -> None:
    """Say who would get it, why others would not, and when the last message leaves. Changes nothing."""

    async def work(service: App) -> use.Preflight:
        return await use.preflight(service, campaign, utc_now())

    found = with_app(work)
    if as_json:
        emit(found.as_dict(), True)
        return
    out.print(f"recipients   {found.recipients}" + (f" (pilot {found.pilot})" if found.pilot else ""))
    for reason, count in found.skipped.items():
        out.print(f"left out     {count:>6}  {explain_skip(reason, 'en')}", highlight=False, markup=False)
    out.print(f"last leaves  {_when(found.finishes_at)}")
    if found.test:
        needed, have = found.test["needed_per_arm"], found.test["smallest_arm"]
        out.print(f"A/B test     you need {needed} people in each arm, you have {have}")
    for problem in found.problems:
        fix = f" → {problem['fix']}" if problem.get("fix") else ""
        out.print(f"{problem['severity']:<12} {problem['message']}{fix}", highlight=False, markup=False)


def _when(moment: datetime | None) -> str:
    return moment.isoformat(timespec="minutes") if moment else "–"


Step = Callable[[App, int, Actor, datetime], Awaitable[str]]


def _step(campaign: int, as_user: str | None, as_json: bool, do: Step) -> None:
    async def work(service: App) -> str:
        return await do(service, campaign, await acting(service, as_user), utc_now())

    _state(campaign, with_app(work), as_json)


def _state(campaign: int, state: str, as_json: bool) -> None:
    emit({"id": campaign, "state": state}, as_json, f"campaign {campaign}: {state}")


@app.command()
def submit(campaign: Id, as_user: AsUser = None, as_json: AsJson = False) -> None:
    """Freeze content and audience and put them before the reviewers."""
    _step(campaign, as_user, as_json, use.submit)


@app.command()
def approve(
    campaign: Id, as_user: AsUser = None, comment: Comment = None, version: Version = None, as_json: AsJson = False
) -> None:
    """Approve as one of the approving roles: the version of --hash, or without it whatever stands there now."""
    if as_user is None:
        refuse("the operator cannot approve: name who does with --as USER")
    _step(campaign, as_user, as_json, lambda s, c, a, n: use.approve(s, c, a, n, comment, seen=version))


@app.command()
def reject(campaign: Id, as_user: AsUser = None, comment: Comment = None, as_json: AsJson = False) -> None:
    """Return a campaign to its author."""
    _step(campaign, as_user, as_json, lambda s, c, a, n: use.reject(s, c, a, n, comment))


@app.command()
def pilot(campaign: Id, as_user: AsUser = None, as_json: AsJson = False) -> None:
    """Send to the team and to the pilot's share of the audience; once it has begun, show what came of it."""

    async def work(service: App) -> dict[str, Any]:
        row = await service.campaigns.one(campaign)
        if row.started_at is None:
            await use.begin_pilot(service, campaign, await acting(service, as_user), utc_now())
        return await use.pilot_results(service, campaign)

    found = with_app(work)
    if as_json:
        emit(found, True)
        return
    for line in pilot_lines(found):
        out.print(line, highlight=False, markup=False)


@app.command()
def variants(campaign: Id, as_json: AsJson = False) -> None:
    """Compare the variants of an A/B test: figures, the verdict, who still waits."""

    async def work(service: App) -> dict[str, Any]:
        return await use.variant_results(service, campaign)

    found = with_app(work)
    if as_json:
        emit(found, True)
        return
    for line in variant_lines(found):
        out.print(line, highlight=False, markup=False)


@app.command()
def release(
    campaign: Id,
    variant: Annotated[str, typer.Argument(help="The variant that everybody who waits for the test gets.")],
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Send one variant of an A/B test to the rest of the audience, whatever the test says."""

    async def work(service: App) -> int:
        return await use.release_variant(service, campaign, await acting(service, as_user), utc_now(), variant=variant)

    count = with_app(work)
    text = f"campaign {campaign}: {count} more people get {variant}"
    emit({"id": campaign, "variant": variant, "released": count}, as_json, text)


@app.command()
def start(campaign: Id, as_user: AsUser = None, as_json: AsJson = False) -> None:
    """Let it go: at its time, through its pilot if it has one. During the pilot: release the rest."""
    _step(campaign, as_user, as_json, use.start)


@app.command()
def pause(campaign: Id, as_user: AsUser = None, as_json: AsJson = False) -> None:
    """Stop handing over. Nothing leaves after this command has ended."""
    _step(campaign, as_user, as_json, use.pause)


@app.command()
def resume(campaign: Id, as_user: AsUser = None, as_json: AsJson = False) -> None:
    """Go on after a pause."""
    _step(campaign, as_user, as_json, use.resume)


@app.command()
def cancel(campaign: Id, as_user: AsUser = None, as_json: AsJson = False) -> None:
    """End a campaign. What has not left never will."""
    _step(campaign, as_user, as_json, use.cancel)


@app.command()
def status(
    campaign: Id,
    live: Annotated[bool, typer.Option("--watch", help="Stay until it ends; Ctrl-C leaves.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the state, what became of every message, each mailbox's pace, and when the last mail will have left."""

    async def work(service: App) -> tuple[dict[str, Any], Progress]:
        return await use.status(service, campaign), await progress(service, campaign, utc_now())

    if live and not as_json and out.is_terminal:
        with contextlib.suppress(KeyboardInterrupt):
            with_app(lambda service: watch(service, campaign))
        return
    found, under_way = with_app(work)
    if as_json:
        more = ("in_hand", "deferred_next", "pace", "ends_at", "mailboxes")
        emit({**found, **{name: value for name, value in under_way.as_dict().items() if name in more}}, True)
    else:
        out.print(shown(under_way, utc_now()))
