"""`outreach contacts …`: import lists, show, export and erase people."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from outreach.access.roles import Permission, require
from outreach.access.store import append_audit
from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.app.erasure import erase_person
from outreach.audience.importing.result import ImportResult
from outreach.audience.importing.store import ImportOptions
from outreach.audience.importing.store import Progress as Report
from outreach.audience.people.query import ContactQuery
from outreach.audience.people.store import ContactView, TimelineItem
from outreach.audience.values import ValueRefused, basis_of
from outreach.cli.common import AsJson, AsUser, acting, emit, err, out, refuse, to_json, with_app
from outreach.model.enums import Basis

app = typer.Typer(no_args_is_help=True, help="Contacts: import lists, show, export, erase.")

Address = Annotated[str, typer.Argument(help="An e-mail address of the person.")]


@app.command("import")
def import_list(
    file: Annotated[Path, typer.Argument(help="A list: CSV, XLSX, XLS, ODS or vCard.")],
    source: Annotated[str, typer.Option("--source", help="Where the addresses come from, e.g. “Light+Building 2026”.")],
    basis: Annotated[str, typer.Option("--basis", help=f"Why we may write: {', '.join(Basis)}.")] = Basis.NONE,
    columns: Annotated[
        list[str] | None, typer.Option("--map", metavar="COLUMN=FIELD", help="What a column means; - leaves it out.")
    ] = None,
    tags: Annotated[list[str] | None, typer.Option("--tag", help="A tag for everybody in the list.")] = None,
    rejects: Annotated[Path | None, typer.Option("--rejects", help="Where refused rows go.")] = None,
    near: Annotated[
        int, typer.Option("--near", min=0, help="New customers that may be there already: so many are told one by one.")
    ] = 10,
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Import a list. Importing it twice changes nothing; refused rows are reported with line, column and reason."""
    options = ImportOptions(source, _basis(basis), _mapping(columns or []), file.name, tuple(tags or ()), told=near)

    async def work(service: App) -> ImportResult:
        actor = await acting(service, as_user)
        require(actor, Permission.CONTACTS_IMPORT)
        now = utc_now()
        with _bar(file.name, quiet=as_json) as report:
            result = await service.audience.import_file(file, options, now=now, rejects=rejects, progress=report)
        counts = {name: value for name, value in result.as_dict().items() if isinstance(value, int)}
        async with service.db.write() as conn:
            await append_audit(conn, actor, "contacts.imported", "list", file.name, now=now, after=counts)
        return result

    result = with_app(work)
    if as_json:
        emit(result.as_dict(), True)
    else:
        _tell(result)


def _basis(text: str) -> str:
    try:
        return basis_of(text)
    except ValueRefused:
        raise typer.BadParameter(f"{text!r} is none of: {', '.join(Basis)}", param_hint="--basis") from None


def _mapping(pairs: list[str]) -> dict[str, str]:
    wanted = {}
    for pair in pairs:
        column, sign, field = pair.rpartition("=")
        if not sign or not column or not field:
            raise typer.BadParameter(f"{pair!r}: write COLUMN=FIELD, e.g. --map 'Buyer mail=email'", param_hint="--map")
        wanted[column.strip()] = field.strip()
    return wanted


@contextlib.contextmanager
def _bar(name: str, *, quiet: bool) -> Iterator[Report | None]:
    """Show a bar on a terminal; None where nobody looks."""
    if quiet or not err.is_terminal:
        yield None
        return
    counts = TextColumn("{task.fields[note]}")
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), counts)
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(name[:40], total=1.0, note="")

        def report(result: ImportResult, fraction: float) -> None:
            note = f"{result.read:,} read, {result.added:,} new, {result.rejected:,} refused"
            progress.update(task, completed=fraction, note=note)

        yield report


def _tell(result: ImportResult) -> None:
    told = result.as_dict()
    for name in ("read", "added", "updated", "duplicates", "rejected"):
        out.print(f"{name:<11} {told[name]:>9,}", highlight=False)
    for warning in told["warnings"][:10]:
        where = f"line {warning['line']}, {warning['column']}: “{warning['value']}”"
        err.print(f"[yellow]![/] {where.replace('[', chr(92) + '[')}: {warning['reason']}", highlight=False)
    if len(told["warnings"]) > 10:
        err.print(f"  … {result.warnings.count - 10} more like these", highlight=False)
    for near in result.near.pairs:
        text = f"line {near.line}: the new customer “{near.name}” may be “{near.other}” ({near.by} {near.score:.0f})"
        err.print(f"[yellow]?[/] {escape(text)}", highlight=False)
    if result.near.count:
        more = f"  … {result.near.count} in all. " if result.near.count > len(result.near.pairs) else ""
        err.print(f"{more}Look at them and merge what is one: Customers → Duplicates.", highlight=False)
    if result.rejects_file:
        err.print(
            f"Refused rows, with the reason: {result.rejects_file}. Mend those lines in your list and import it again."
        )


@app.command()
def show(address: Address, as_json: AsJson = False) -> None:
    """Show a person and the timeline."""

    async def work(service: App) -> tuple[ContactView, list[TimelineItem]]:
        contact_id = await service.audience.find(address)
        view = await service.audience.get(contact_id) if contact_id else None
        if view is None:
            refuse(f"there is nobody with the address {address}; import a list with  outreach contacts import")
        return view, await service.audience.timeline(view.id)

    view, items = with_app(work)
    if as_json:
        lines = [{"at": i.at, "kind": i.kind, "text": i.text, **i.data} for i in items]
        emit(view.as_dict() | {"timeline": lines}, True)
        return
    _show(view)
    for item in items:
        out.print(f"{item.at:%Y-%m-%d %H:%M}Z  {item.kind:<14} {item.text}", highlight=False, markup=False)


def _show(view: ContactView) -> None:
    v = view.values
    company = (view.company or {}).get("name")
    lines = {
        "name": view.name, "company": company, "addresses": ", ".join(_address_words(view)), "owner": view.owner,
        "place": " · ".join(filter(None, (v["city"], v["country"], v["region"]))), "language": v["language"],
        "industry": v["industry"], "grade": v["grade"], "tags": ", ".join(view.tags),
        "interests": ", ".join(view.interests), "source": v["source"], "basis": v["basis"], "phone": v["phone"],
        "last order": v["last_order"], "note": v["note"],
    }  # fmt: skip
    for name, value in lines.items():
        if value not in (None, ""):
            out.print(f"{name:<11} {value}", highlight=False, markup=False)


def _address_words(view: ContactView) -> list[str]:
    words = []
    for address in view.addresses:
        told = {"suppressed": address.suppressed, "bounced": address.bounced_at, "role": address.is_role}
        marks = [mark for mark, holds in (told | {"no mail server": address.mx == "none"}).items() if holds]
        words.append(address.address + (f" ({', '.join(marks)})" if marks else ""))
    return words


@app.command("list")
def list_contacts(
    segment: Annotated[str, typer.Option("--segment", help="A segment, e.g. 'region = Europe and tag = vip'.")] = "",
    search: Annotated[str, typer.Option("--search", help="Part of a name, address or company.")] = "",
    sort: Annotated[str, typer.Option("--sort", help="A column; - before it turns the order.")] = "-created",
    limit: Annotated[int, typer.Option("--limit", min=1, max=500)] = 50,
    as_json: AsJson = False,
) -> None:
    """List contacts."""

    async def work(service: App) -> Any:
        return await service.audience.page(ContactQuery(segment, search, sort, limit=limit), utc_now())

    page = with_app(work)
    if as_json:
        emit({"total": page.total, "contacts": [row.as_dict() for row in page.rows]}, True)
        return
    for row in page.rows:
        words = f"{row.email or '–':<36} {row.name[:24]:<24} {(row.company or '')[:24]:<24} {row.country or '--'}"
        out.print(words, highlight=False, markup=False)
    if page.total > len(page.rows):
        err.print(f"{len(page.rows)} of {page.total}", highlight=False)


@app.command()
def export(
    address: Address,
    to: Annotated[Path | None, typer.Option("--out", help="A file; else it is printed.")] = None,
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Export everything that is stored on a person, as JSON: what they may ask for by law. The export is on record."""

    async def work(service: App) -> dict[str, Any]:
        actor = await acting(service, as_user)
        require(actor, Permission.CONTACTS_EXPORT)
        found = await service.audience.export_person(address)
        if found is None:
            refuse(f"nothing is stored on {address}")
        async with service.db.write() as conn:
            contact_id = (found["contact"] or {}).get("id", "-")
            await append_audit(conn, actor, "contact.exported", "contact", contact_id, now=utc_now())
        return found

    found = with_app(work)
    if to is None:
        emit(found, True)
        return
    to.write_text(json.dumps(json.loads(to_json(found)), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    emit({"file": str(to)}, as_json, f"everything on {address}: {to}")


@app.command()
def erase(
    address: Address,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Erase a person for good. A keyed hash stays, so that they are never mailed or imported again."""
    if not (yes or as_json or not err.is_terminal):
        typer.confirm(f"Erase everything on {address}? There is no way back.", abort=True, err=True)

    async def work(service: App) -> dict[str, Any]:
        actor = await acting(service, as_user)
        require(actor, Permission.CONTACTS_ERASE)
        return (await erase_person(service, address, actor, utc_now())).as_dict()

    result = with_app(work)
    words = "erased" if result["found"] else "nothing was stored"
    emit(result, as_json, f"{words}; this address will never be mailed or imported again")
