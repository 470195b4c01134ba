"""Templates: the shipped and the own ones, each as recipients see it; problems; a test mail; an editor."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response

from outreach.access.roles import Permission
from outreach.access.store import append_audit
from outreach.config import ConfigError
from outreach.content.context import VARIABLES
from outreach.content.lint import check
from outreach.content.problem import ContentProblem
from outreach.content.store import snapshot
from outreach.content.template import TemplateSource, load_template
from outreach.web import mail
from outreach.web.i18n import N_
from outreach.web.routing import Pages, Staff

router = Pages()
#: Names made by the server's rule: no path can be built from one (CVE-2026-33656).
NAME = re.compile(r"^[a-z0-9][a-z0-9-]{0,60}$")
KEPT = mail.Kept()
EDITABLE = (".mjml", ".txt", ".toml", ".json")


def _source(staff: Staff, name: str) -> TemplateSource:
    if not NAME.match(name) or name not in staff.app.template_names():
        raise HTTPException(404)
    try:
        source: TemplateSource = staff.app.template(name)
    except (ConfigError, OSError) as error:
        raise HTTPException(404) from error
    return source


@router.page("/templates", Permission.TEMPLATES_VIEW)
async def listing(staff: Staff) -> Response:
    """All templates as pictures."""
    cards: list[dict[str, Any]] = []
    for name in staff.app.template_names():
        try:
            source = staff.app.template(name)
            language = staff.lang if staff.lang in source.languages else source.fallback_language
            cards.append(
                {
                    "name": name,
                    "title": source.title(language),
                    "languages": source.languages,
                    "language": language,
                    "problem": "",
                }
            )
        except ContentProblem as problem:
            cards.append(
                {"name": name, "title": name, "languages": (), "language": "en", "problem": problem.message(staff.lang)}
            )
    return await staff.render("templates.html", cards=cards)


@router.page("/templates/{name}", Permission.TEMPLATES_VIEW)
async def show(staff: Staff, name: str) -> Response:
    """One template: preview, languages, problems, variables."""
    return await _page(staff, name)


async def _page(staff: Staff, name: str, error: str = "", status: int = 200) -> Response:
    try:
        source = _source(staff, name)
    except ContentProblem as problem:
        return await staff.render(
            "template_broken.html", name=name, problem=problem.message(staff.lang), fix=problem.fix(staff.lang)
        )
    wanted = staff.request.query_params.get("language", "")
    language = (
        wanted
        if wanted in source.languages
        else staff.lang
        if staff.lang in source.languages
        else source.fallback_language
    )
    told, trouble = None, ""
    try:
        told = await mail.render_for(staff, source, language, None)
    except ContentProblem as problem:
        trouble = problem.message(staff.lang)
    problems = check(source, lang=staff.lang, sender=mail.sender(staff))
    return await staff.render(
        "template.html", status=status, name=name, source=source, language=language, mail=told, trouble=trouble, error=error,
        problems=problems, variables=VARIABLES, own=_own_folder(staff, name) is not None,
    )  # fmt: skip


@router.page("/templates/{name}/mail", Permission.TEMPLATES_VIEW)
async def show_mail(staff: Staff, name: str) -> Response:
    """The mail alone, for a frame."""
    params = staff.request.query_params
    try:
        source = _source(staff, name)
        language = params.get("language", "")
        language = language if language in source.languages else source.fallback_language
        told = await mail.render_for(staff, source, language, None)
    except ContentProblem as problem:
        return mail.framed_text(problem.message(staff.lang))
    return mail.framed_text(told.text) if params.get("format") == "text" else mail.framed(told.html)


def _folder(staff: Staff) -> Path:
    """Where the company's own templates are."""
    return Path(staff.app.settings.folder, staff.app.settings.paths.templates)


def _own_folder(staff: Staff, name: str) -> Path | None:
    path = _folder(staff) / name
    return path if path.is_dir() else None


@router.page("/templates/{name}/edit", Permission.TEMPLATES_EDIT)
async def editor(staff: Staff, name: str) -> Response:
    """The files of a template in an editor; a shipped one is copied to the own ones on saving."""
    files = _files(staff, name)
    wanted = staff.request.query_params.get("file", "")
    file = wanted if wanted in files else next((f for f in files if f == "body.mjml"), next(iter(files)))
    return await staff.render(
        "template_edit.html",
        name=name,
        files=files,
        file=file,
        text=files[file],
        problems=[],
        variables=VARIABLES,
        error="",
    )


def _files(staff: Staff, name: str) -> dict[str, str]:
    """The text files of a template's own folder."""
    if not NAME.match(name):
        raise HTTPException(404)
    for folder in staff.app.template_folders():
        path = folder / name
        if path.is_dir():
            texts = sorted(p for p in path.iterdir() if p.is_file() and p.suffix in EDITABLE)
            return {p.name: p.read_text(encoding="utf-8") for p in texts}
    raise HTTPException(404)


@router.action("/templates/{name}/preview", Permission.TEMPLATES_VIEW, changes=False)
async def preview(staff: Staff, name: str) -> Response:
    """What the editor's text looks like, before it is saved."""
    form = await staff.form()
    file, text = str(form.get("file", "")), str(form.get("text", ""))[:400_000]
    try:
        base = _source(staff, name)
        source = TemplateSource.from_files(name, {**base.files, file: text}) if file in base.files else base
        language = _language_of(file, source)
        told = await mail.render_for(staff, source, language, None)
        problems = check(source, language, lang=staff.lang, sender=mail.sender(staff))
    except ContentProblem as problem:
        return await staff.render(
            "part_template_preview.html",
            html="",
            problem=problem.message(staff.lang),
            fix=problem.fix(staff.lang),
            problems=[],
        )
    return await staff.render(
        "part_template_preview.html",
        key=KEPT.keep(staff.visit.user.id, told.html),
        problem="",
        fix="",
        problems=problems,
    )


@router.page("/templates/previews/{key}", Permission.TEMPLATES_VIEW)
async def show_preview(staff: Staff, key: str) -> Response:
    """A preview of this person's, for its frame."""
    html = KEPT.page(staff.visit.user.id, key)
    if html is None:
        raise HTTPException(404)
    return mail.framed(html)


def _language_of(file: str, source: TemplateSource) -> str:
    """body.zh.mjml → zh."""
    parts = file.split(".")
    return parts[1] if len(parts) == 3 and parts[1] in source.languages else source.fallback_language


@router.action("/templates/{name}/save", Permission.TEMPLATES_EDIT)
async def save(staff: Staff, name: str) -> Response:
    """Save a file; the new wording is kept as a version. What is broken is not saved."""
    form = await staff.form()
    files = _files(staff, name)
    file, text = str(form.get("file", "")), str(form.get("text", "")).replace("\r\n", "\n")[:400_000]
    if file not in files:
        raise HTTPException(404)
    target = _folder(staff) / name
    written = {**files, file: text}
    try:
        source = _try_out(staff, name, written)
    except (ContentProblem, ValueError) as problem:
        told = problem.message(staff.lang) if isinstance(problem, ContentProblem) else str(problem)
        return await staff.render(
            "template_edit.html",
            status=422,
            name=name,
            files=files,
            file=file,
            text=text,
            problems=[],
            variables=VARIABLES,
            error=told,
        )
    target.mkdir(parents=True, exist_ok=True)
    for known, content in written.items():
        (target / known).write_text(content, encoding="utf-8")
    async with staff.app.db.write() as conn:
        version, digest = await snapshot(conn, source, staff.now, author_id=staff.actor.id)
        after = {"version_id": version, "sha256": digest}
        await append_audit(conn, staff.actor, "template.saved", "template", name, now=staff.now, after=after)
    return staff.done(
        f"/templates/{name}/edit?file={file}", N_("Saved. Campaigns that were submitted keep their wording.")
    )


def _try_out(staff: Staff, name: str, files: dict[str, str]) -> TemplateSource:
    """Load the changed files from a folder of their own. Raises ContentProblem."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.mkdir()
        for known, content in files.items():
            (path / known).write_text(content, encoding="utf-8")
        layout = next((f / "_layout" for f in staff.app.template_folders() if (f / "_layout").is_dir()), None)
        return load_template(path, layout)
