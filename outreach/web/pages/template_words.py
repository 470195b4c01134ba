"""The words of a template, written without seeing its code: subject, preview text, values and stand-ins, by language."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response

from outreach.access.roles import Permission
from outreach.app import authoring
from outreach.content import wording
from outreach.content.context import VARIABLES
from outreach.content.manifest import FILE, parse_manifest
from outreach.content.problem import ContentProblem
from outreach.content.template import TemplateSource
from outreach.web.i18n import N_
from outreach.web.look import VIEWS, offered
from outreach.web.pages.template_editor import previewed
from outreach.web.pages.templates import source_of
from outreach.web.routing import Pages, Staff

router = Pages()
#: Fields of the form are named after their place, behind this.
PREFIX = "w."
MOST = 4000

NAMES = {"title": N_("Name for staff"), "subject": N_("Subject"), "preview": N_("Preview text")}
HINTS = {
    "title": "",
    "subject": N_("At most 60 columns: a Chinese character takes two."),
    "preview": N_("The line behind the subject in an inbox, 30 to 110 columns."),
}
#: The columns of the shipped templates' lists.
COLUMNS = {"title": N_("Heading"), "text": N_("Text"), "value": N_("Figure"), "label": N_("Caption")}


@router.page("/templates/{name}/words", Permission.TEMPLATES_EDIT)
async def words(staff: Staff, name: str) -> Response:
    """The form, in one language."""
    source = _source(staff, name)
    return await _page(staff, source, _language(staff, source), source.files.get(FILE, ""))


def _source(staff: Staff, name: str) -> TemplateSource:
    try:
        return source_of(staff, name)
    except ContentProblem as problem:  # broken on disk: its own page says what to mend
        raise HTTPException(404) from problem


def _language(staff: Staff, source: TemplateSource, given: str = "") -> str:
    wanted = given or staff.request.query_params.get("language", "")
    if wanted in source.languages:
        return wanted
    return staff.lang if staff.lang in source.languages else source.fallback_language


async def _page(
    staff: Staff, source: TemplateSource, language: str, text: str, error: str = "", status: int = 200
) -> Response:
    manifest = parse_manifest(text)
    return await staff.render(
        "template_words.html", status=status, name=source.name, source=source, language=language, error=error,
        texts=wording.texts(manifest, language), values=wording.groups(manifest, "values", language, staff.lang),
        stand_ins=wording.groups(manifest, "variables", language, staff.lang), names=NAMES, hints=HINTS, columns=COLUMNS,
        lacking={code: wording.lacking(manifest, code) for code in source.languages}, variables=VARIABLES,
        prefix=PREFIX, most=MOST, views=VIEWS, people=await offered(staff),
    )  # fmt: skip


def _written(source: TemplateSource, language: str, form: Any) -> str:
    """template.toml as the form would have it. Raises ContentProblem."""
    given = {
        str(key).removeprefix(PREFIX): str(value).replace("\r\n", "\n").strip()[:MOST]
        for key, value in form.items()
        if str(key).startswith(PREFIX)
    }
    return wording.written(source.files.get(FILE, ""), language, given)


@router.action("/templates/{name}/words/preview", Permission.TEMPLATES_VIEW, changes=False)
async def preview(staff: Staff, name: str) -> Response:
    """What the mail looks like with these words, before they are saved."""
    form = await staff.form()
    source = _source(staff, name)
    return await previewed(
        staff, name, FILE, _written(source, _language(staff, source, str(form.get("language", ""))), form), form
    )


@router.action("/templates/{name}/words", Permission.TEMPLATES_EDIT)
async def save(staff: Staff, name: str) -> Response:
    """Write the words into template.toml; the wording is kept as a version."""
    form = await staff.form()
    source = _source(staff, name)
    language = _language(staff, source, str(form.get("language", "")))
    text = _written(source, language, form)
    comment = str(form.get("comment", "")).strip()[:200]
    try:
        await authoring.save(staff.app, name, FILE, text, staff.actor, staff.now, comment)
    except ContentProblem as problem:
        return await _page(staff, source, language, text, problem.message(staff.lang), 422)
    return staff.done(
        f"/templates/{name}/words?language={language}", N_("Saved. Campaigns that were submitted keep their wording.")
    )
