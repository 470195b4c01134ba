"""Importing a list: upload, see how it is understood, run it with its progress, fetch what was refused."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import HTTPException
from fastapi.responses import FileResponse, Response
from starlette.datastructures import FormData, UploadFile

from outreach.access.roles import Permission
from outreach.access.store import append_audit
from outreach.audience.importing.near import Nears
from outreach.audience.importing.store import ImportOptions
from outreach.model.enums import Basis
from outreach.web.data import contacts as contact_data
from outreach.web.i18n import N_, in_words
from outreach.web.routing import Pages, Staff

router = Pages()

ENDINGS = (".csv", ".xlsx", ".txt", ".vcf")
KEY = re.compile(r"^[0-9a-f]{24}$")
#: The fields that a column can be; the rest stays as an attribute of its own name.
FIELDS = (
    "email", "first_name", "last_name", "company", "country", "region", "city", "industry", "tags", "interests", "language",
    "grade", "intent", "phone", "birthday", "source", "basis", "basis_date", "owner", "last_order", "orders_total", "note",
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
    found = [path for path in _folder(staff).glob(f"{staff.visit.user.id}-{key}.*") if path.suffix in ENDINGS]
    if not found:
        raise HTTPException(404)
    return found[0]


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
    if running is not None and running.owner == staff.visit.user.id:
        return await staff.render("import_run.html", running=running)
    return await _preview(staff, key, {})


async def _preview(staff: Staff, key: str, columns: Mapping[str, str], error: str = "", status: int = 200) -> Response:
    path = _file(staff, key)
    try:
        told = await staff.app.audience.preview(path, columns)
    except (ValueError, OSError) as problem:
        text = in_words(problem, staff.lang)
        return await staff.render("import.html", status=422, bases=list(Basis), error=text)
    source = staff.request.query_params.get("source", "")[:80]
    async with staff.app.db.read() as conn:
        assignees = await contact_data.assignees(conn)
    return await staff.render(
        "import_preview.html",
        status=status,
        key=key,
        told=told,
        fields=FIELDS,
        bases=list(Basis),
        source=source,
        error=error,
        assignees=assignees,
    )


async def _met(staff: Staff, given: str) -> int | None:
    """Who met the people of the list: they become that colleague's customers. None: the rules or the list say."""
    async with staff.app.db.read() as conn:
        known = {str(user.id): int(user.id) for user in await contact_data.assignees(conn)}
    return known.get(given)


def _columns(form: FormData) -> dict[str, str]:
    """Which column is which field, as chosen."""
    names, chosen = form.getlist("column"), form.getlist("field")
    pairs = zip(names, chosen, strict=False)
    return {str(name): str(value) for name, value in pairs if str(value) in FIELDS}


@router.action("/contacts/import/{key}", Permission.CONTACTS_IMPORT)
async def run(staff: Staff, key: str) -> Response:
    """Start the import; the page shows its progress."""
    form = await staff.form()
    path = _file(staff, key)
    source, basis = str(form.get("source", "")).strip()[:120], str(form.get("basis", "none"))
    if not source:
        return await _preview(
            staff,
            key,
            _columns(form),
            staff.say(N_("Say where the list comes from: it is kept with each contact.")),
            422,
        )
    tags = tuple(tag.strip() for tag in str(form.get("tags", "")).split(";") if tag.strip())
    options = ImportOptions(
        source=source, basis=basis if basis in set(Basis) else "none", columns=_columns(form), tags=tags,
        evidence=str(form.get("evidence", "")).strip()[:500], owner_id=await _met(staff, str(form.get("met", ""))),
    )  # fmt: skip
    running = Running(key, staff.visit.user.id, path.name)
    imports = _running(staff)
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
