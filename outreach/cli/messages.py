"""`outreach messages …`: the ledger, and messages in doubt."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer

from outreach.access.roles import Actor, Held, Permission, require
from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.app.doubt import MESSAGES, Doubt, doubts, settle_one
from outreach.cli.common import AsJson, AsUser, acting, emit, err, out, to_json, with_app
from outreach.outbox import store as outbox
from outreach.outbox.ledger.store import find

#: What is known of a copy in the mailbox's Sent folder.
COPY = {
    "absent": "no copy in Sent, where this mailbox files all it sends: most likely it did not leave",
    "waiting": "Sent has not been read since",
    "unknown": "this mailbox is not known to file what it sends (outreach doctor --probe)",
}

app = typer.Typer(no_args_is_help=True, help="Messages: who got it, when, with which answer.")


@app.command("list")
def list_messages(
    campaign: Annotated[int, typer.Option("--campaign", help="The campaign's id.")],
    state: Annotated[str | None, typer.Option("--state", help="Only messages in this state.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the ledger, one JSON object a line (JSON Lines)."""

    async def work(service: App) -> None:
        async with service.db.read() as conn:
            async for row in outbox.ledger(conn, campaign_id=campaign):
                if state is None or row["state"] == state:
                    sys.stdout.write(to_json(row) + "\n")

    with_app(work)


@app.command()
def doubt(
    campaign: Annotated[int | None, typer.Option("--campaign", help="Only messages of this campaign.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the messages in doubt with what is known of each, newest first."""

    async def work(service: App) -> tuple[list[Doubt], int]:
        where = None if campaign is None else MESSAGES.c.campaign_id == campaign
        return await doubts(service, where=where, limit=10_000)

    found, total = with_app(work)
    if as_json:
        emit([asdict(item) for item in found], True)
        return
    for item in found:
        handed = f"{item.handed_at:%Y-%m-%d %H:%M} UTC" if item.handed_at else "–"
        line = f"{item.id:>7}  {handed}  {item.address}  {item.mailbox}  {item.reason or ''}; {COPY[item.copy]}"
        out.print(line, highlight=False, markup=False)
    if total:
        err.print("settle each with  outreach messages resolve ID  and one of --sent, --retry, --failed")
    else:
        out.print("nothing is in doubt")


@app.command()
def resolve(
    messages: Annotated[list[str], typer.Argument(help="Ids of messages, or their X-Outreach-Message.")],
    sent: Annotated[bool, typer.Option("--sent", help="It arrived: count it as sent.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="It did not arrive: send it again.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Give it up.")] = False,
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Settle messages in doubt by hand."""
    answers = [name for name, chosen in (("sent", sent), ("retry", retry), ("failed", failed)) if chosen]
    if len(answers) != 1:
        raise typer.BadParameter("give exactly one of --sent, --retry, --failed")

    async def work(service: App) -> list[dict[str, Any]]:
        actor = await acting(service, as_user)
        if not actor.operator:
            require(actor, Permission.MESSAGES_RESOLVE, Held(actor.id, actor.team))
        return [await _resolve(service, name, answers[0], actor) for name in messages]

    found = with_app(work)
    words = "\n".join(f"message {item['id']}: {item['state']}" for item in found)
    emit(found[0] if len(found) == 1 else found, as_json, words)


async def _resolve(service: App, name: str, answer: str, actor: Actor) -> dict[str, Any]:
    """Settle one. Raises NotInDoubt, and LookupError for a name that nothing has."""
    async with service.db.read() as conn:
        message_id = await find(conn, name)
    if message_id is None:
        raise LookupError(f"there is no message {name}: see  outreach messages list --campaign ID")
    state = await settle_one(service, message_id, answer, actor, utc_now())
    return {"id": message_id, "state": state}
