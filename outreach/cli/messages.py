"""`outreach messages …`: the ledger, and messages in doubt."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from outreach.access.roles import Held, Permission, require
from outreach.access.store import append_audit
from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.cli.common import AsJson, AsUser, acting, emit, refuse, to_json, with_app
from outreach.outbox import store as outbox
from outreach.outbox.ledger.store import find

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
def resolve(
    message: Annotated[str, typer.Argument(help="The message's id, or its X-Outreach-Message.")],
    sent: Annotated[bool, typer.Option("--sent", help="It arrived: count it as sent.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="It did not arrive: send it again.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Give it up.")] = False,
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Settle a message in doubt by hand."""
    answers = [name for name, chosen in (("sent", sent), ("retry", retry), ("failed", failed)) if chosen]
    if len(answers) != 1:
        raise typer.BadParameter("give exactly one of --sent, --retry, --failed")

    async def work(service: App) -> dict[str, Any]:
        actor = await acting(service, as_user)
        if not actor.operator:
            require(actor, Permission.MESSAGES_RESOLVE, Held(actor.id, actor.team))
        now = utc_now()
        async with service.db.write() as conn:
            message_id = await find(conn, message)
            if message_id is None:
                refuse(f"there is no message {message}: see  outreach messages list --campaign ID")
            state = await outbox.resolve(conn, message_id, answers[0], now)
            await append_audit(
                conn, actor, f"message.resolved_{answers[0]}", "message", message_id, now=now, after={"state": state}
            )
        return {"id": message_id, "state": state.value}

    found = with_app(work)
    emit(found, as_json, f"message {found['id']}: {found['state']}")
