"""Approvals: the mail as the recipient sees it, what changed, who gets it, what was found; approve or return."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response

from outreach.access.login import VERIFIED_FOR, LoginRefused
from outreach.access.roles import Permission
from outreach.app import campaigns as work
from outreach.campaigns.approval import ApprovalRefused
from outreach.campaigns.definition import Definition
from outreach.campaigns.refusal import CHANGED_SINCE_SEEN
from outreach.campaigns.state import IllegalTransition
from outreach.campaigns.store import CampaignError
from outreach.content.kept import findings_once
from outreach.content.lint import told
from outreach.content.preview import in_scheme, with_pictures
from outreach.content.problem import ContentProblem
from outreach.content.store import version_source
from outreach.content.template import TemplateSource, choose_language
from outreach.crm.greetings import greetable
from outreach.web import mail
from outreach.web.data import approvals as data
from outreach.web.data import campaigns as campaign_data
from outreach.web.data.people import full_name
from outreach.web.diff import Change, definitions, words
from outreach.web.i18n import N_, in_words
from outreach.web.pages.campaigns import found
from outreach.web.pages.greetings import KINDS
from outreach.web.pages.sequences import titles
from outreach.web.pages.wizard import CONDITIONS
from outreach.web.routing import Pages, Staff

router = Pages()


@router.page("/approvals", Permission.CAMPAIGNS_VIEW)
async def queue(staff: Staff) -> Response:
    """What waits for a decision, and the last decisions."""
    async with staff.app.db.read() as conn:
        rows = await data.queue(conn, staff)
        given = await data.given(conn, [row.id for row in rows])
        lately = await data.lately(conn, staff)
    roles = [str(role) for role in staff.app.settings.approval.roles]
    return await staff.render("approvals.html", rows=rows, given=given, lately=lately, roles=roles)


@router.page("/approvals/{campaign_id:int}", Permission.CAMPAIGNS_VIEW)
async def show(staff: Staff, campaign_id: int) -> Response:
    """One campaign before its approvers."""
    row = await found(staff, campaign_id, Permission.CAMPAIGNS_VIEW)
    return await _page(staff, row)


async def _page(staff: Staff, row: Any, error: str = "", comment: str = "", status: int = 200) -> Response:
    params = staff.request.query_params
    seed = int(params.get("seed", "0")) if params.get("seed", "0").isdecimal() else 0
    what = Definition.model_validate(row.definition)
    async with staff.app.db.read() as conn:
        steps = await data.step_versions(conn, row.id, what)
        sources = [await version_source(conn, step.template_version_id) for step in steps]
        submissions = await data.submissions(conn, row.id)
        changes = await _changes(conn, submissions, sources)
        given = (await data.given(conn, [row.id])).get(row.id, [])
    context = await _frozen(staff, row.id, seed)
    chosen = _chosen(staff, sources, context["sample"])
    rendered = await _rendered(staff, row, chosen, what.subject_of(steps[chosen["number"]].number))
    return await staff.render(
        "approval.html", status=status, row=row, steps=steps, sources=sources, seed=seed, changes=changes,
        version=len(submissions), given={approval.role: approval for approval in given},
        roles=[str(role) for role in staff.app.settings.approval.roles], findings=await _findings(staff, sources),
        full_name=full_name, mine=_mine(staff, row, given), fresh=_is_fresh(staff), error=error, comment=comment,
        **context, **chosen, **rendered, **await _rules(staff, what),
    )  # fmt: skip


async def _frozen(staff: Staff, campaign_id: int, seed: int) -> dict[str, Any]:
    """The audience in figures and a sample of it: each walks over all its people, side by side."""

    async def beside(read: Any, *more: Any) -> Any:
        async with staff.app.db.read() as conn:
            return await read(conn, campaign_id, *more)

    parts = beside(data.audience), beside(data.sample, seed), beside(campaign_data.skipped)
    audience, sample, skipped = await asyncio.gather(*parts)
    return {"audience": audience, "sample": sample, "skipped": skipped}


async def _rules(staff: Staff, what: Definition) -> dict[str, Any]:
    """For what has no frozen audience: whom it takes in by which rules, and how many match them now."""
    if what.kind == "campaign":
        return {"what": what}
    segment = (what.sequence.enrol.segment if what.sequence else what.segment) or ""
    matching = await staff.app.audience.count(segment, staff.now) if segment else None
    return {
        "what": what, "segment": segment, "matching": matching, "conditions": CONDITIONS, "kinds": KINDS,
        "holidays": greetable(), "names": dict(titles(staff)),
    }  # fmt: skip


def _chosen(staff: Staff, sources: list[TemplateSource], sample: Any) -> dict[str, Any]:
    """Which step, person, language and format are looked at."""
    params = staff.request.query_params
    number = min(int(params.get("step", "0")), len(sources) - 1) if params.get("step", "0").isdecimal() else 0
    person = params.get("person", "")
    ids = [line.person_id for line in sample]
    person_id = int(person) if person.isdecimal() else (ids[0] if ids else None)
    source = sources[number]
    line = next((line for line in sample if line.person_id == person_id), None)
    language = params.get("language", "")
    if language not in source.languages:
        language = choose_language(source, line.language if line else None, line.country if line else None)
    kind = "text" if params.get("format") == "text" else "html"
    return {"number": number, "person_id": person_id, "language": language, "format": kind, "source": source}


async def _rendered(staff: Staff, row: Any, chosen: dict[str, Any], subject: str | None) -> dict[str, Any]:
    """Subject and preview line of the chosen mail, or why it cannot be made."""
    try:
        async with staff.app.db.read() as conn:
            person = await mail.person_of(conn, chosen["person_id"]) if chosen["person_id"] else None
        told = await mail.render_for(staff, chosen["source"], chosen["language"], person, row.name, subject)
    except ContentProblem as problem:
        return {"mail": None, "problem": problem.message(staff.lang)}
    return {"mail": told, "problem": "", "person": person.contact if person else None}


@router.page("/approvals/{campaign_id:int}/mail", Permission.CAMPAIGNS_VIEW)
async def show_mail(staff: Staff, campaign_id: int) -> Response:
    """The mail alone, for the frame."""
    row = await found(staff, campaign_id, Permission.CAMPAIGNS_VIEW)
    what = Definition.model_validate(row.definition)
    async with staff.app.db.read() as conn:
        steps = await data.step_versions(conn, row.id, what)
        sources = [await version_source(conn, step.template_version_id) for step in steps]
        sample = await data.sample(conn, row.id, 0)
    if not sources:
        raise HTTPException(404)
    chosen = _chosen(staff, sources, sample)
    told = await _rendered(staff, row, chosen, what.subject_of(steps[chosen["number"]].number))
    if told["mail"] is None:
        return mail.framed_text(told["problem"], staff.lang)
    if chosen["format"] == "text":
        return mail.framed_text(told["mail"].text, chosen["language"])
    return mail.framed(with_pictures(in_scheme(told["mail"].html, "light"), chosen["source"].files))


async def _changes(conn: Any, submissions: Any, sources: list[TemplateSource]) -> list[Change]:
    """What differs from the version that was submitted before this one."""
    if len(submissions) < 2 or "definition" not in submissions[-2].after:
        return []
    before, after = submissions[-2].after, submissions[-1].after
    changes = list(definitions(before["definition"], after.get("definition", {})))
    old = dict(before.get("steps", []))
    for number, version in after.get("steps", []):
        if number in old and old[number] != version:
            changes += _texts(await version_source(conn, old[number]), await version_source(conn, version))
    return changes


def _texts(before: TemplateSource, after: TemplateSource) -> list[Change]:
    changes = []
    for language in after.languages:
        if before.subject(language) != after.subject(language):
            changes.append(
                Change(f"{after.name} · {language} · subject", words(before.subject(language), after.subject(language)))
            )
    for name in sorted(before.files.keys() | after.files.keys()):
        old, new = before.files.get(name, ""), after.files.get(name, "")
        if old != new and name.endswith((".mjml", ".txt")) and not name.startswith("base64:"):
            changes.append(Change(name, words(old, new)))
    return changes


async def _findings(staff: Staff, sources: list[TemplateSource]) -> list[Any]:
    found: list[Any] = []
    for source in sources:
        found += told(await asyncio.to_thread(findings_once, source, mail.sender(staff)), staff.lang)
    return found


def _mine(staff: Staff, row: Any, given: Any) -> list[str]:
    """The roles for which this person's word is missing; empty when it does not count."""
    if row.state != "review" or row.author_id == staff.actor.id or not staff.may(Permission.CAMPAIGNS_APPROVE):
        return []
    done = {approval.role for approval in given}
    return [str(r) for r in staff.app.settings.approval.roles if r in staff.actor.roles and str(r) not in done]


def _is_fresh(staff: Staff) -> bool:
    """Whether the password was typed a moment ago."""
    return staff.visit.verified_at is not None and staff.now - staff.visit.verified_at < VERIFIED_FOR


async def _verify(staff: Staff) -> str:
    """Ask for the password again; what is wrong, or nothing."""
    if _is_fresh(staff):
        return ""
    password = str((await staff.form()).get("password", ""))[:300]
    if not password:
        return staff.say(N_("Type your password: an approval needs it again."))
    try:
        await staff.login.verify_again(staff.visit, password, now=staff.now)
    except LoginRefused as refused:
        if refused.code == "wait":
            return staff.say(N_("Too many wrong guesses. Wait a moment."))
        return staff.say(N_("The password is wrong."))
    return ""


@router.action("/approvals/{campaign_id:int}/approve", Permission.CAMPAIGNS_APPROVE)
async def approve(staff: Staff, campaign_id: int) -> Response:
    """Give this person's approval to exactly what the page showed."""
    return await _decide(staff, campaign_id, "approve")


@router.action("/approvals/{campaign_id:int}/return", Permission.CAMPAIGNS_APPROVE)
async def send_back(staff: Staff, campaign_id: int) -> Response:
    """Return it to the author with a comment."""
    return await _decide(staff, campaign_id, "reject")


async def _decide(staff: Staff, campaign_id: int, what: str) -> Response:
    row = await found(staff, campaign_id, Permission.CAMPAIGNS_APPROVE)
    form = await staff.form()
    comment, seen = str(form.get("comment", "")).strip()[:4000], str(form.get("version", ""))
    if (
        seen and row.state == "review" and seen != row.submitted_hash
    ):  # before the page is shown anew, with another version
        return await _page(staff, row, in_words(CampaignError(*CHANGED_SINCE_SEEN), staff.lang), comment, 409)
    if what == "reject" and not comment:
        return await _page(
            staff, row, staff.say(N_("Say what is to be changed, so that the author knows.")), status=422
        )
    error = await _verify(staff)
    if error:
        return await _page(staff, row, error, comment, 422)
    try:
        if what == "approve":
            await work.approve(staff.app, campaign_id, staff.actor, staff.now, comment or None, seen=seen)
        else:
            await work.reject(staff.app, campaign_id, staff.actor, staff.now, comment)
    except (ApprovalRefused, CampaignError, IllegalTransition) as refused:
        row = await found(staff, campaign_id, Permission.CAMPAIGNS_APPROVE)  # as it is now: it may have changed
        return await _page(staff, row, in_words(refused, staff.lang), comment, 409)
    text = N_("Approved.") if what == "approve" else N_("Returned to its author with your comment.")
    return staff.done("/approvals", text)
