"""Importing a list: upload, see how it is understood, run it with its progress, fetch what was refused."""

from __future__ import annotations

import asyncio
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import HTTPException
from fastapi.responses import FileResponse, Response
from starlette.datastructures import FormData, UploadFile

from outreach.access.roles import Permission
from outreach.access.store import append_audit
from outreach.audience.headers import HeaderError
from outreach.audience.importing.near import Nears
from outreach.audience.importing.store import ImportOptions
from outreach.audience.read import open_source
from outreach.model.enums import Basis
from outreach.web.data import contacts as contact_data
from outreach.web.i18n import N_, in_words
from outreach.web.routing import Pages, Staff

router = Pages()

ENDINGS = (".csv", ".xlsx", ".txt", ".vcf", ".xls", ".xlsm", ".ods", ".tsv")
KEY = re.compile(r"^[0-9a-f]{24}$")
#: The fields that a column can be; the rest stays as an attribute of its own name.
FIELDS = (
    "email", "full_name", "first_name", "last_name", "company", "country", "region", "city", "industry", "tags", "interests", "language",
    "grade", "intent", "phone", "birthday", "source", "basis", "basis_date", "owner", "last_order", "orders_total", "note",
    "email_status",
)  # fmt: skip
#: Imports that are remembered: a finished one can be looked at until so many newer ones have come.
REMEMBERED = 20


@dataclass
class Running:
    """An import in this process. It can be repeated without harm, so a restart loses only the progress."""

    key: str
    owner: int
    file: str
    share: float = 0.0
    result: dict[str, Any] = field(default_factory=dict)
    near: Nears = field(default_factory=Nears)
    error: str = ""
    done: bool = False
    task: asyncio.Task[None] | None = None


def _running(staff: Staff) -> dict[str, Running]:
    state = staff.request.app.state
    if not hasattr(state, "imports"):
        state.imports = {}
    found: dict[str, Running] = state.imports
    return found


def _folder(staff: Staff) -> Path:
    folder = Path(staff.app.settings.data_dir) / "imports"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _file(staff: Staff, key: str) -> Path:
    """The uploaded file of a key that we made. Names of users never become paths."""
    if not KEY.match(key):
        raise HTTPException(404)
    for ending in ENDINGS:  # by its whole name: the file of refused rows is a .csv beside it
        path = _folder(staff) / f"{staff.visit.user.id}-{key}{ending}"
        if path.is_file():
            return path
    raise HTTPException(404)


@router.page("/contacts/import", Permission.CONTACTS_IMPORT)
async def start(staff: Staff) -> Response:
    """Choose a file."""
    return await staff.render("import.html", bases=list(Basis), error="")


@router.action("/contacts/import", Permission.CONTACTS_IMPORT)
async def upload(staff: Staff) -> Response:
    """Keep the file and show how it is understood."""
    form = await staff.form()
    given = form.get("file")
    ending = Path(given.filename or "").suffix.lower() if isinstance(given, UploadFile) else ""
    if not isinstance(given, UploadFile) or ending not in ENDINGS:
        told = staff.say(N_("Choose a CSV or XLSX file (or vCards)."))
        return await staff.render("import.html", status=422, bases=list(Basis), error=told)
    key = secrets.token_hex(12)
    path = _folder(staff) / f"{staff.visit.user.id}-{key}{ending}"
    with path.open("wb") as out:
        while chunk := await given.read(1 << 20):
            out.write(chunk)
    await given.close()
    return staff.done(f"/contacts/import/{key}?source={_source_of(given.filename or '')}")


def _source_of(name: str) -> str:
    from urllib.parse import quote

    return quote(Path(name).stem[:80])


@router.page("/contacts/import/{key}", Permission.CONTACTS_IMPORT)
async def preview(staff: Staff, key: str) -> Response:
    """The first rows as they would be understood, and what is wrong with them; or the progress once it runs."""
    running = _running(staff).get(key)
    stopped = running is not None and running.error and staff.request.query_params.get("again") == "1"
    if running is not None and running.owner == staff.visit.user.id and not stopped:
        return await staff.render("import_run.html", running=running)
    return await _preview(staff, key, Chosen(source=staff.request.query_params.get("source", "")[:80]))


@dataclass(frozen=True)
class Chosen:
    """What the person chose on the second page; it outlives a mistake."""

    source: str = ""
    fields: tuple[str, ...] = ()
    basis: str = "none"
    evidence: str = ""
    met: str = ""
    tags: str = ""

    @classmethod
    def of(cls, form: FormData) -> Chosen:
        """Read the form: what each column is, by its place, for two columns may have one name."""
        text = {name: str(form.get(name, "")).strip() for name in ("source", "basis", "evidence", "met", "tags")}
        basis = text["basis"] if text["basis"] in set(Basis) else "none"
        fields = tuple(str(field) for field in form.getlist("field"))
        return cls(text["source"][:120], fields, basis, text["evidence"][:500], text["met"], text["tags"][:1000])


async def _preview(staff: Staff, key: str, given: Chosen, error: str = "", status: int = 200) -> Response:
    path = _file(staff, key)
    try:
        told = await staff.app.audience.preview(path, given.fields)
    except (ValueError, OSError) as problem:
        return await _unread(staff, in_words(problem, staff.lang))
    if not told.columns:
        return await _unread(staff, staff.say(N_("Its first line has no column names.")))
    async with staff.app.db.read() as conn:
        assignees = await contact_data.assignees(conn)
    return await staff.render(
        "import_preview.html", status=status, key=key, told=told, fields=FIELDS, bases=list(Basis), given=given,
        error=error or _fault(staff, told.fault), assignees=assignees, warnings=told.warnings.as_list(staff.lang),
    )  # fmt: skip


async def _unread(staff: Staff, why: str) -> Response:
    return await staff.render("import.html", status=422, bases=list(Basis), error=why)


def _fault(staff: Staff, fault: HeaderError | None) -> str:
    """What is wrong with the columns, in words of this page: nobody types --map here."""
    if fault is None:
        return ""
    if fault.code == "email":
        return staff.say(N_("No column is the e-mail address. Choose “E-mail” above the one that holds it."))
    if fault.code == "doubled":
        named = ", ".join(staff.word("column", field) for field in fault.fields)
        return staff.say(N_("Two columns are “%(field)s”. Choose something else for one of them."), field=named)
    return staff.say(N_("There are too many columns of your own. Leave some of them out."))


async def _met(staff: Staff, given: str) -> int | None:
    """Who met the people of the list: they become that colleague's customers. None: the rules or the list say."""
    async with staff.app.db.read() as conn:
        known = {str(user.id): int(user.id) for user in await contact_data.assignees(conn)}
    return known.get(given)


@router.action("/contacts/import/{key}", Permission.CONTACTS_IMPORT)
async def run(staff: Staff, key: str) -> Response:
    """Start the import; the page shows its progress. Who presses twice starts it once."""
    imports = _running(staff)
    if key in imports and imports[key].owner == staff.visit.user.id and not imports[key].error:
        return staff.done(f"/contacts/import/{key}")
    given, path = Chosen.of(await staff.form()), _file(staff, key)
    if not given.source:
        told = staff.say(N_("Say where the list comes from: it is kept with each contact."))
        return await _preview(staff, key, given, told, 422)
    try:
        await asyncio.to_thread(open_source, path, None, given.fields)
    except HeaderError as fault:
        return await _preview(staff, key, given, _fault(staff, fault), 422)
    except (ValueError, OSError) as problem:
        return await _unread(staff, in_words(problem, staff.lang))
    tags = tuple(tag.strip() for tag in re.split("[;；]", given.tags) if tag.strip())
    options = ImportOptions(
        source=given.source, basis=given.basis, tags=tags, evidence=given.evidence, choices=given.fields,
        owner_id=await _met(staff, given.met),
    )  # fmt: skip
    running = Running(key, staff.visit.user.id, path.name)
    if (begun := imports.get(key)) and not begun.error:  # pressed again while this request looked at the file
        return staff.done(f"/contacts/import/{key}")
    imports[key] = running
    while len(imports) > REMEMBERED:
        imports.pop(next(iter(imports)))
    running.task = asyncio.create_task(_import(staff, running, path, options))
    return staff.done(f"/contacts/import/{key}")


async def _import(staff: Staff, running: Running, path: Path, options: ImportOptions) -> None:
    def progress(result: Any, share: float) -> None:
        running.share, running.result = share, result.as_dict(staff.lang)

    rejects = path.with_name(f"{path.stem}.rejects.csv")
    try:
        result = await staff.app.audience.import_file(path, options, now=staff.now, rejects=rejects, progress=progress)
        running.result, running.near, running.share = result.as_dict(staff.lang), result.near, 1.0
        async with staff.app.db.write() as conn:
            after = {name: running.result[name] for name in ("read", "added", "updated", "duplicates", "rejected")}
            after["source"] = options.source
            await append_audit(
                conn, staff.actor, "contacts.imported", "import", running.key, now=staff.now, after=after
            )
        await asyncio.to_thread(path.unlink, True)
    except Exception as problem:  # the person reads it; a background task has nobody else to tell
        running.error = in_words(problem, staff.lang)
    finally:
        running.done = True


@router.page("/contacts/import/{key}/progress", Permission.CONTACTS_IMPORT)
async def progress(staff: Staff, key: str) -> Response:
    """The part that changes while it runs."""
    running = _running(staff).get(key)
    if running is None or running.owner != staff.visit.user.id:
        raise HTTPException(404)
    return await staff.render("part_import.html", running=running)


@router.page("/contacts/import/{key}/rejects.csv", Permission.CONTACTS_IMPORT)
async def rejects(staff: Staff, key: str) -> Response:
    """The refused rows with line, column and reason."""
    if not KEY.match(key):
        raise HTTPException(404)
    path = _folder(staff) / f"{staff.visit.user.id}-{key}.rejects.csv"
    if not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, media_type="text/csv", filename="rejects.csv")
