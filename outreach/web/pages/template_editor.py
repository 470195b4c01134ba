"""The editor of templates and of the company layout: files on the left, the mail as it would be on the right."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response

from outreach.access.roles import Permission
from outreach.app import authoring
from outreach.content.context import VARIABLES
from outreach.content.lint import check
from outreach.content.problem import ContentProblem
from outreach.content.snippets import snippets
from outreach.content.template import TemplateSource
from outreach.web import mail
from outreach.web.i18n import N_
from outreach.web.look import VIEWS, Look, look_at, offered
from outreach.web.routing import Pages, Staff

router = Pages()
KEPT = mail.Kept()
#: Characters of one file that a form may bring; a mail above 102 kB is cut by Gmail.
LIMIT = 400_000
#: A file of each layout: MJML in the editor's colours, and so on.
LANGUAGES = {"mjml": "mjml", "toml": "toml", "txt": "jinja"}


@router.page("/templates/{name}/edit", Permission.TEMPLATES_EDIT)
async def editor(staff: Staff, name: str) -> Response:
    """The files of a template; a shipped one is copied to the own ones on saving."""
    files = _files(staff, name)
    wanted = staff.request.query_params.get("file", "")
    file = wanted if wanted in files else "body.mjml" if "body.mjml" in files else next(iter(files))
    return await _page(staff, name, files, file, files[file])


def _files(staff: Staff, name: str) -> dict[str, str]:
    try:
        found: dict[str, str] = authoring.texts(staff.app, name)
    except authoring.AuthoringError as error:
        raise HTTPException(404) from error
    except ContentProblem:  # broken on disk: shown as it is, to be mended
        found = _on_disk(staff, name)
    if not found:
        raise HTTPException(404)
    return found


def _on_disk(staff: Staff, name: str) -> dict[str, str]:
    for folder in staff.app.template_folders():
        path = folder / name
        if authoring.NAME.fullmatch(name) and path.is_dir():
            own = (one for one in sorted(path.iterdir()) if one.is_file() and authoring.FILE.fullmatch(one.name))
            return {one.name: one.read_text(encoding="utf-8", errors="replace") for one in own}
    raise HTTPException(404)


async def _page(
    staff: Staff, name: str, files: dict[str, str], file: str, text: str, error: str = "", status: int = 200
) -> Response:
    layout = name == authoring.LAYOUT_NAME
    pieces = snippets({f"_layout/{known}": content for known, content in _files(staff, "_layout").items()})
    return await staff.render(
        "template_edit.html", status=status, name=name, files=files, file=file, text=text, error=error, layout=layout,
        variables=VARIABLES, pictures=authoring.library(staff.app), snippets=pieces, views=VIEWS,
        people=await offered(staff), kind=LANGUAGES.get(file.rpartition(".")[2], "plain"), limit=LIMIT,
        own=authoring.own_layout_files(staff.app) if layout else (),
    )  # fmt: skip


@router.action("/templates/{name}/preview", Permission.TEMPLATES_VIEW)
async def preview(staff: Staff, name: str) -> Response:
    """What the editor's text looks like, before it is saved."""
    form = await staff.form()
    return await previewed(staff, name, str(form.get("file", "")), _text(form), form)


async def previewed(staff: Staff, name: str, file: str, text: str, form: Any) -> Response:
    """The part with the mail as it would be with one file changed, seen as the form's look says, and its findings."""
    try:
        source = authoring.tried(staff.app, name, file, text)
        look = Look.of(form)
        language = _language_of(file, source)
        chosen = Look(language or look.language, look.view, look.contact)
        looked = await look_at(staff, source, chosen)
        sender = mail.sender(staff)
        problems = await asyncio.to_thread(check, source, looked.look.language, lang=staff.lang, sender=sender)
    except ContentProblem as problem:
        return await _problem(staff, problem)
    except authoring.AuthoringError as error:
        raise HTTPException(404) from error
    page = mail.text_page(looked.mail.text, looked.look.language) if looked.look.view == "text" else looked.html
    return await staff.render(
        "part_template_preview.html", key=KEPT.keep(staff.visit.user.id, page), looked=looked, problem="", fix="",
        problems=problems, marks=[_mark(one) for one in problems], device=str(form.get("device", "")),
    )  # fmt: skip


async def _problem(staff: Staff, problem: ContentProblem) -> Response:
    told = {
        "line": problem.line,
        "column": problem.column,
        "severity": "error",
        "message": problem.message(staff.lang),
    }
    return await staff.render(
        "part_template_preview.html", key="", looked=None, problem=problem.message(staff.lang),
        fix=problem.fix(staff.lang), problems=[], marks=[{**told, "file": problem.file}], layout_of="",
    )  # fmt: skip


def _mark(problem: Any) -> dict[str, Any]:
    return {
        "line": problem.line, "column": problem.column, "severity": problem.severity, "message": problem.message,
        "file": problem.file.removeprefix("_layout/"),
    }  # fmt: skip


def _text(form: Any) -> str:
    return str(form.get("text", "")).replace("\r\n", "\n")[:LIMIT]


@router.page("/templates/previews/{key}", Permission.TEMPLATES_VIEW)
async def show_preview(staff: Staff, key: str) -> Response:
    """A preview of this person's, for its frame."""
    html = KEPT.page(staff.visit.user.id, key)
    if html is None:
        raise HTTPException(404)
    return mail.framed(html)


def _language_of(file: str, source: TemplateSource) -> str:
    """body.zh.mjml → zh; a file that belongs to no language says nothing."""
    parts = file.split(".")
    if parts[0] != "body":
        return ""
    return parts[1] if len(parts) == 3 and parts[1] in source.languages else source.fallback_language


@router.action("/templates/{name}/save", Permission.TEMPLATES_EDIT)
async def save(staff: Staff, name: str) -> Response:
    """Save a file; the new wording is kept as a version. What cannot be read at all is not saved."""
    form = await staff.form()
    files, file, text = _files(staff, name), str(form.get("file", "")), _text(form)
    if file not in files:
        raise HTTPException(404)
    comment = str(form.get("comment", "")).strip()[:200]
    try:
        await authoring.save(staff.app, name, file, text, staff.actor, staff.now, comment)
    except ContentProblem as problem:
        return await _page(staff, name, files, file, text, problem.message(staff.lang), 422)
    return staff.done(
        f"/templates/{name}/edit?file={file}", N_("Saved. Campaigns that were submitted keep their wording.")
    )
