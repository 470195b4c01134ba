"""`outreach report …`: a week, month or quarter as words, JSON, page, sheet and paper; --send mails it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from outreach.access.roles import Permission, require
from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.app.reporting import read_report, send_report
from outreach.cli.common import AsJson, AsUser, acting, emit, err, refuse, with_app
from outreach.reports.period import Kind
from outreach.reports.weekly import FORMATS, Report

app = typer.Typer(no_args_is_help=True, help="Reports: what was sent, what came of it, what to do.")

Formats = Annotated[
    str | None, typer.Option("--format", help="html, json, xlsx, pdf; several with commas.", metavar="FORMATS")
]
Folder = Annotated[Path | None, typer.Option("--out", help="Where the files go; else the current folder.")]
Send = Annotated[bool, typer.Option("--send", help="Mail it to report.recipients of the configuration.")]
Language = Annotated[str | None, typer.Option("--language", help="zh or en; else as configured.")]


def _formats(text: str | None) -> set[str]:
    wanted = {part.strip().lower() for part in (text or "").split(",") if part.strip()}
    if unknown := wanted - set(FORMATS):
        raise typer.BadParameter(f"unknown format {sorted(unknown)[0]}: allowed are {', '.join(FORMATS)}")
    return wanted


def _words(report: Report, files: list[Path]) -> str:
    return "\n".join([report.text().rstrip(), *(f"→ {path}" for path in files)])


def _make(
    kind: Kind, period: str | None, formats: str | None, out: Path | None, send: bool, language: str | None,
    as_user: str | None, as_json: bool,
) -> None:  # fmt: skip
    wanted = _formats(formats)
    if language not in (None, "zh", "en"):
        raise typer.BadParameter("the language is zh or en")

    async def work(service: App) -> None:
        actor = await acting(service, as_user)
        if not actor.operator:
            require(actor, Permission.REPORTS_SEND if send else Permission.REPORTS_VIEW)
        report = await read_report(service, kind, period, utc_now(), language)
        # one JSON document and no folder: a script wants it on stdout
        to_stdout = as_json or (wanted == {"json"} and out is None)
        files = report.write(out or Path(), wanted - ({"json"} if to_stdout and out is None else set()))
        result: dict[str, Any] = report.json() | {"files": files}
        if send:
            sent = await send_report(service, report, utc_now())
            readers = list(service.settings.report.recipients)
            result["sent_to"], result["outcome"] = readers, sent.outcome
            err.print(f"{sent.outcome}: {', '.join(readers)} {sent.text}", highlight=False, markup=False)
        emit(result, to_stdout, _words(report, files))
        if send and result["outcome"] != "sent":
            refuse("the report was not mailed: look at the server's answer above and run the command again")

    with_app(work)


@app.command()
def weekly(
    week: Annotated[str | None, typer.Option("--week", help="2026-W47; else the newest with anything in it.")] = None,
    formats: Formats = None,
    out: Folder = None,
    send: Send = False,
    language: Language = None,
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Report on a week, Monday to Sunday of the office's time zone."""
    _make("weekly", week, formats, out, send, language, as_user, as_json)


@app.command()
def monthly(
    month: Annotated[str | None, typer.Option("--month", help="2026-11; else the newest with anything in it.")] = None,
    formats: Formats = None,
    out: Folder = None,
    send: Send = False,
    language: Language = None,
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Report on a month."""
    _make("monthly", month, formats, out, send, language, as_user, as_json)


@app.command()
def quarterly(
    quarter: Annotated[
        str | None, typer.Option("--quarter", help="2026-Q4; else the newest with anything in it.")
    ] = None,
    formats: Formats = None,
    out: Folder = None,
    send: Send = False,
    language: Language = None,
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Report on a quarter."""
    _make("quarterly", quarter, formats, out, send, language, as_user, as_json)
