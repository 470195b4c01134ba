"""`outreach webhooks …`: programs of the company that are told what happens."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from outreach.access.roles import Permission, require
from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.cli.common import AsJson, AsUser, acting, emit, out, refuse, with_app
from outreach.webhooks.client import AddressRefused, checked

app = typer.Typer(no_args_is_help=True, help="Programs of the company that are told what happens.")

Number = Annotated[int, typer.Argument(metavar="ID", help="The webhook's number.")]
SAID = {
    "scheme": "the address must begin with https:// (http:// only for hosts in [webhooks] own_hosts)",
    "user": "leave name and password out of the address: each delivery is signed instead",
    "port": "use port 443 or 8443, or name the host in [webhooks] own_hosts",
    "name": "this is no address; it looks like https://erp.example.com/outreach",
}


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="A name for people, such as ERP.")],
    url: Annotated[str, typer.Argument(help="Where to post: https://…")],
    kind: Annotated[list[str] | None, typer.Option("--kind", help="Only these kinds of event; repeatable.")] = None,
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Add a webhook. Its secret is printed once: the receiver checks each delivery with it."""

    async def work(service: App) -> dict[str, Any]:
        actor = await acting(service, as_user)
        require(actor, Permission.WEBHOOKS_EDIT)
        try:
            checked(url, service.settings.webhooks.own_hosts)
        except AddressRefused as refused:
            raise ValueError(SAID[refused.code]) from refused
        number, secret = await service.webhooks.add(name, url, kind or [], actor=actor, now=utc_now())
        return {"id": number, "secret": secret}

    emit(with_app(work), as_json)


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Every webhook with what waits and what was given up."""

    async def work(service: App) -> list[dict[str, Any]]:
        return [dict(row._mapping) for row in await service.webhooks.all()]

    rows = with_app(work)
    if as_json:
        emit(rows, True)
        return
    for row in rows:
        state = "failing" if row["failing_since"] else row["state"]
        line = (
            f"{row['id']}  {row['name']}  {state}  waiting {row['waiting']}, given up {row['given_up']}  {row['url']}"
        )
        out.print(line, highlight=False, markup=False)


@app.command("test")
def send_test(number: Number, as_json: AsJson = False) -> None:
    """Post a test, signed as the real deliveries are."""

    async def work(service: App) -> dict[str, Any]:
        answer = await service.webhook_worker().test(number, utc_now())
        return {"taken": answer.taken, "status": answer.status, "detail": answer.detail}

    result = with_app(work)
    emit(result, as_json)
    if not result["taken"]:
        refuse("the test was not taken: look at the receiver's log, then at the address")


@app.command()
def rotate(number: Number, as_user: AsUser = None, as_json: AsJson = False) -> None:
    """Give a webhook a new secret, printed once; the old one holds for a day."""

    async def work(service: App) -> dict[str, Any]:
        actor = await acting(service, as_user)
        require(actor, Permission.WEBHOOKS_EDIT)
        return {"id": number, "secret": await service.webhooks.rotate(number, actor=actor, now=utc_now())}

    emit(with_app(work), as_json)


@app.command()
def remove(number: Number, as_user: AsUser = None, as_json: AsJson = False) -> None:
    """Forget a webhook and what waits for it."""

    async def work(service: App) -> dict[str, Any]:
        actor = await acting(service, as_user)
        require(actor, Permission.WEBHOOKS_EDIT)
        await service.webhooks.remove(number, actor=actor, now=utc_now())
        return {"id": number, "removed": True}

    emit(with_app(work), as_json)


@app.command()
def deliver(as_json: AsJson = False) -> None:
    """Deliver what is due now, once: for who runs the engine from cron (`serve` and `worker` do it by themselves)."""

    async def work(service: App) -> dict[str, Any]:
        done = await service.webhook_worker().run(utc_now())
        return {"delivered": done.delivered, "failed": done.failed, "given_up": done.given_up}

    emit(with_app(work), as_json)
