"""The command line: one file a noun; every command has --json."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from outreach.cli import (
    audit,
    campaigns,
    contacts,
    customers,
    engine,
    greetings,
    inbox,
    machines,
    messages,
    orders,
    report,
    retention,
    segments,
    sequences,
    suppress,
    system,
    targets,
    templates,
    users,
    webhooks,
)
from outreach.cli.common import CONTEXT

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="E-mail campaigns and CRM outreach from the company's own mailboxes.",
)

for noun, group in (
    ("contacts", contacts.app),
    ("customers", customers.app),
    ("orders", orders.app),
    ("targets", targets.app),
    ("segments", segments.app),
    ("templates", templates.app),
    ("campaigns", campaigns.app),
    ("sequences", sequences.app),
    ("greetings", greetings.app),
    ("messages", messages.app),
    ("inbox", inbox.app),
    ("suppress", suppress.app),
    ("report", report.app),
    ("users", users.app),
    ("audit", audit.app),
    ("webhooks", webhooks.app),
):
    app.add_typer(group, name=noun)

app.command("init")(system.init)
app.command("doctor")(system.doctor)
app.command("run")(engine.run_engine)
app.command("worker")(engine.worker)
app.command("retention")(retention.retention)
app.command("machines")(machines.machines)
app.command("backup")(system.backup)
app.command("restore")(system.restore)
app.command("confirm-sending")(system.confirm_sending)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("outreach"))
        raise typer.Exit


@app.callback()
def options(
    config: Annotated[str | None, typer.Option("--config", help="The configuration file.", metavar="FILE")] = None,
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """E-mail campaigns and CRM outreach from the company's own mailboxes."""
    CONTEXT.config = config
