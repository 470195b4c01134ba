"""Templates: the shipped and the own ones, each as recipients see it; findings, versions, a test mail to oneself."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response

from outreach.access.roles import Permission
from outreach.app import authoring, trial_mail
from outreach.config import ConfigError
from outreach.content.context import VARIABLES
from outreach.content.kept import findings_once
from outreach.content.lint import told
from outreach.content.problem import ContentProblem
from outreach.content.template import TemplateSource
from outreach.web import mail
from outreach.web.i18n import N_, in_words
from outreach.web.look import VIEWS, Look, Looked, look_at, offered
from outreach.web.retold import retold
from outreach.web.routing import Pages, Staff

router = Pages()

REFUSED = {
    "name": N_("A name has small letters, digits and hyphens only."),
    "taken": N_("That name is taken."),
    "language": N_("Write a language as en, zh, de, pt-BR."),
    "file": N_("There is no such file."),
}
POSTED = {
    "sent": N_("A test mail is on its way to %(address)s."),
    "held": N_("The test mail was not sent: %(why)s"),
    "refused": N_("The mail server refused the test mail: %(why)s"),
    "in_doubt": N_("The mail server hung up; the test mail may have left."),
}


def source_of(staff: Staff, name: str) -> TemplateSource:
    """The template, if there is one of that name. Raises ContentProblem for a broken one."""
    if name not in staff.app.template_names():
        raise HTTPException(404)
    try:
        source: TemplateSource = staff.app.template(name)
    except (ConfigError, OSError) as error:
        raise HTTPException(404) from error
    return source


@router.page("/templates", Permission.TEMPLATES_VIEW)
async def listing(staff: Staff) -> Response:
    """All templates as pictures."""
    return await staff.render("templates.html", cards=[_card(staff, name) for name in staff.app.template_names()])


def _card(staff: Staff, name: str) -> dict[str, Any]:
    card = {"name": name, "title": name, "about": "", "languages": (), "language": "en", "problem": ""}
    try:
        source = staff.app.template(name)
    except ContentProblem as problem:
        return {**card, "problem": problem.message(staff.lang)}
    language = staff.lang if staff.lang in source.languages else source.fallback_language
    about = source.manifest.description.get(staff.lang) or source.manifest.description.get("en", "")
    return {
        **card,
        "title": source.title(staff.lang),
        "about": about,
        "languages": source.languages,
        "language": language,
    }


@router.page("/templates/{name}", Permission.TEMPLATES_VIEW)
async def show(staff: Staff, name: str) -> Response:
    """One template: how it looks, findings, versions, what it can say."""
    return await _page(staff, name)


async def _page(staff: Staff, name: str, error: str = "", status: int = 200) -> Response:
    try:
        source = source_of(staff, name)
    except ContentProblem as problem:
        return await staff.render(
            "template_broken.html", name=name, problem=problem.message(staff.lang), fix=problem.fix(staff.lang)
        )
    looked, trouble = await _looked(staff, source)
    versions = await authoring.history(staff.app, name)
    problems = told(await asyncio.to_thread(findings_once, source, mail.sender(staff)), staff.lang)
    return await staff.render(
        "template.html", status=status, name=name, source=source, looked=looked, trouble=trouble, error=error,
        look=looked.look if looked else Look.of(staff.request.query_params), views=VIEWS, people=await offered(staff),
        problems=problems, variables=VARIABLES, versions=versions,
        own=authoring.is_own(staff.app, name), to=staff.visit.user.email or "",
    )  # fmt: skip


async def _looked(staff: Staff, source: TemplateSource) -> tuple[Looked | None, str]:
    try:
        return await look_at(staff, source, Look.of(staff.request.query_params)), ""
    except ContentProblem as problem:
        return None, problem.message(staff.lang)


@router.page("/templates/{name}/mail", Permission.TEMPLATES_VIEW)
async def show_mail(staff: Staff, name: str) -> Response:
    """The mail alone, for a frame."""
    try:
        looked = await look_at(staff, source_of(staff, name), Look.of(staff.request.query_params))
    except ContentProblem as problem:
        return mail.framed_text(problem.message(staff.lang), staff.lang)
    return looked.page()


@router.action("/templates/{name}/test", Permission.TEMPLATES_EDIT)
async def test(staff: Staff, name: str) -> Response:
    """Send the mail as it is looked at to the person who asks, and to nobody else."""
    look = Look.of(await staff.form())
    to = staff.visit.user.email
    if not to:
        return await _page(
            staff, name, staff.say(N_("Your account has no e-mail address: enter one under My account.")), 422
        )
    try:
        source = source_of(staff, name)
        looked = await look_at(staff, source, look)
        posted = await trial_mail.send_trial(
            staff.app, source, to, staff.actor, staff.now, lang=staff.lang,
            contact=None if looked.missing else look.contact or None, language=looked.look.language,
        )  # fmt: skip
    except ContentProblem as problem:
        return await _page(staff, name, problem.message(staff.lang), 422)
    except (LookupError, ConfigError) as error:
        return await _page(staff, name, in_words(error, staff.lang), 422)
    if posted.outcome != "sent":
        how = "held" if posted.held else posted.outcome
        return await _page(
            staff, name, staff.say(POSTED[how], why=retold(posted.told(staff.lang), staff.lang)[:300]), 502
        )
    return staff.done(f"/templates/{name}", POSTED["sent"], address=to)


@router.action("/templates/{name}/copy", Permission.TEMPLATES_EDIT)
async def copy(staff: Staff, name: str) -> Response:
    """A new template that begins as a copy of this one."""
    form = await staff.form()
    new = str(form.get("new", "")).strip().lower()
    return await _authored(
        staff, name, authoring.copy(staff.app, name, new, str(form.get("title", ""))[:120], staff.actor, staff.now),
        f"/templates/{new}/edit", N_("Copied. Write your own words now."),
    )  # fmt: skip


@router.action("/templates/{name}/language", Permission.TEMPLATES_EDIT)
async def add_language(staff: Staff, name: str) -> Response:
    """Begin a translation."""
    code = str((await staff.form()).get("code", "")).strip()
    return await _authored(
        staff, name, authoring.add_language(staff.app, name, code, staff.actor, staff.now),
        f"/templates/{name}/edit?file=body.{code}.mjml", N_("The text was copied: translate it here, the subject in template.toml."),
    )  # fmt: skip


async def _authored(staff: Staff, name: str, work: Any, to: str, said: str) -> Response:
    try:
        await work
    except ContentProblem as problem:
        return await _page(staff, name, problem.message(staff.lang), 422)
    except authoring.AuthoringError as error:
        if error.code == "missing":
            raise HTTPException(404) from error
        return await _page(staff, name, staff.say(REFUSED[error.code]), 422)
    return staff.done(to, said)


@router.page("/templates/{name}/versions/{number:int}", Permission.TEMPLATES_VIEW)
async def version(staff: Staff, name: str, number: int) -> Response:
    """What a version changed, against the one before or any other."""
    versions = await authoring.history(staff.app, name)
    numbers = [one.number for one in versions]
    if number not in numbers:
        raise HTTPException(404)
    earlier = [one for one in numbers if one < number]
    given = staff.request.query_params.get("against", "")
    against = int(given) if given.isdecimal() and int(given) in numbers else max(earlier, default=0)
    changes = await authoring.compare(staff.app, name, against, number)
    one = next(one for one in versions if one.number == number)
    return await staff.render(
        "template_version.html", name=name, one=one, versions=versions, against=against, changes=changes
    )


@router.action("/templates/{name}/versions/{number:int}/restore", Permission.TEMPLATES_EDIT)
async def restore(staff: Staff, name: str, number: int) -> Response:
    """Put a version back; what was there is a version too, so this can be undone."""
    back = "/template-layout" if name == authoring.LAYOUT_NAME else f"/templates/{name}"
    return await _authored(
        staff, name, authoring.restore(staff.app, name, number, staff.actor, staff.now), back, N_("The version is back."),
    )  # fmt: skip
