"""`outreach inbox …`: read mailboxes, classify files, look through the archive."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.app.corrections import CorrectionError, proposals
from outreach.app.corrections import accept as take_over
from outreach.app.inbox import InboxHost
from outreach.cli import inbox_classify
from outreach.cli.common import AsJson, AsUser, acting, emit, err, out, refuse, with_app
from outreach.cli.inbox_show import lines_of, save
from outreach.inbox.archive.enclosed import files_in
from outreach.inbox.archive.letters.store import Letter, read_letter, readable_raw
from outreach.inbox.archive.store import search
from outreach.inbox.client import ImapTrouble
from outreach.inbox.worker import PassResult

app = typer.Typer(no_args_is_help=True, help="What comes back: sync, classify, search, show.")
app.command("classify")(inbox_classify.command)


@app.command()
def sync(
    mailbox: Annotated[str | None, typer.Argument(help="The mailbox's name; without it: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """One pass over the folders. Nothing there is marked, moved or deleted."""

    async def work(service: App) -> dict[str, Any]:
        boxes = [service.settings.mailbox_named(mailbox)] if mailbox else service.settings.mailbox
        readable = [box for box in boxes if box.imap is not None]
        if not readable:
            refuse("no mailbox has an IMAP server: add  imap = { host = …, port = 993 }  to its block")
        host, total, failed = InboxHost(service, clock=utc_now), PassResult(), []
        try:
            for box in readable:
                try:
                    total.add(await host.sync(box))
                except ImapTrouble as trouble:
                    failed.append(f"{box.name}: {trouble}")
        finally:
            await host.stop()
        return {**total.as_dict(), "failed": failed}

    found = with_app(work)
    emit(found, as_json)
    for line in found["failed"]:
        err.print(f"[bold red]✗[/] {line}", highlight=False)
    if found["failed"]:
        raise typer.Exit(1)


@app.command()
def quarantine(as_json: AsJson = False) -> None:
    """List the mails that could not be read, and why. `outreach inbox reprocess` tries them again."""

    async def work(service: App) -> list[dict[str, Any]]:
        return await InboxHost(service, clock=utc_now).quarantine()

    rows = with_app(work)
    if as_json:
        emit(rows, True)
    for row in [] if as_json else rows:
        line = f"{row['id']:>6}  {row['received_at']:%Y-%m-%d %H:%M}  {row['mailbox']}/{row['folder']} {row['uid']}"
        out.print(f"{line}  {row['error']}", highlight=False, markup=False)


@app.command()
def reprocess(as_json: AsJson = False) -> None:
    """Try the mails in quarantine again; what was too large or broke the connection is fetched once more."""

    async def work(service: App) -> dict[str, int]:
        host = InboxHost(service, clock=utc_now)
        try:
            filed, left = await host.reprocess()
        finally:
            await host.stop()
        return {"filed": filed, "quarantined": left}

    emit(with_app(work), as_json)


@app.command()
def corrections(
    accept: Annotated[int | None, typer.Option("--accept", help="Take over this one.")] = None,
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """List the corrections of the address book that received mail proposes, or take one over; none applies itself."""

    async def work(service: App) -> Any:
        if accept is None:
            return await proposals(service)
        actor = await acting(service, as_user)
        return await take_over(service, accept, actor, utc_now())

    try:
        found = with_app(work)
    except (CorrectionError, LookupError) as error:
        refuse(str(error))
    if as_json or accept is not None:
        emit(found, as_json)
        return
    for row in found:
        out.print(f"{row['id']:>6}  {row['title']}", highlight=False, markup=False)


@app.command("search")
def search_archive(
    words: Annotated[str, typer.Argument(help="Words that stand in subject or text.")],
    limit: Annotated[int, typer.Option("--limit", help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Look through all archived mail."""

    async def work(service: App) -> list[dict[str, Any]]:
        async with service.db.read() as conn:
            return await search(conn, words, limit=limit)

    rows = with_app(work)
    if as_json:
        emit(rows, True)
    for row in [] if as_json else rows:
        way = "←" if row["direction"] == "in" else "→"
        line = (
            f"{row['id']:>6}  {row['at']:%Y-%m-%d %H:%M}  {way} {row['from_address'] or '–':<32} {row['subject'] or ''}"
        )
        out.print(line, highlight=False, markup=False)


@app.command("show")
def show_archived(
    mail_id: Annotated[int, typer.Argument(metavar="ID", help="The number that `inbox search` prints.")],
    folder: Annotated[
        Path | None,
        typer.Option("--out", help="Save the mail and its attachments into this folder; nothing is opened."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show an archived mail, list its attachments, and save them where asked."""

    async def work(service: App) -> tuple[Letter, bytes]:
        async with service.db.read() as conn:
            letter = await read_letter(conn, mail_id)
            raw = await readable_raw(conn, mail_id)
        if letter is None or raw is None:
            refuse(
                f"there is no archived mail {mail_id}, or it could not be read; "
                "`outreach inbox search` and `outreach inbox quarantine` list them"
            )
        return replace(letter, files=tuple(file for file, _ in files_in(raw))), raw  # sizes to the byte

    letter, raw = with_app(work)
    saved = [str(path) for path in save(letter, raw, folder)] if folder is not None else []
    if as_json:
        emit({**asdict(letter), "saved": saved}, True)
        return
    for line in lines_of(letter, saved):
        out.print(line, highlight=False, markup=False, soft_wrap=True)
