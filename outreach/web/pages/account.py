"""The own account: password, second factor, language and time zone, tokens for scripts; reports of violations."""

from __future__ import annotations

import re

from fastapi import HTTPException
from fastapi.responses import Response
from starlette.datastructures import FormData

from outreach.access.login import VERIFIED_FOR, LoginRefused
from outreach.access.roles import Permission
from outreach.access.store import change_user
from outreach.web.i18n import CATALOGUES, N_
from outreach.web.pages.settings import ZONES, tabs
from outreach.web.routing import LANGUAGE_COOKIE, SESSION_COOKIE, Pages, Staff

router = Pages()

PASSWORD_FAULTS = {
    "short": N_("Use at least 10 characters; a sentence is good."),
    "long": N_("Use at most 256 characters."),
    "common": N_("This password is guessed first. Choose another."),
    "name": N_("Do not build the password from your name."),
}
ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+")
#: What a script can be given; it never gets more than its owner has.
API_SCOPES = (
    Permission.CONTACTS_VIEW, Permission.CONTACTS_EDIT, Permission.SEGMENTS_VIEW, Permission.SEGMENTS_EDIT,
    Permission.CAMPAIGNS_VIEW, Permission.CAMPAIGNS_SEND, Permission.DEALS_VIEW, Permission.DEALS_EDIT, Permission.ORDERS_IMPORT,
    Permission.SERVICE_VIEW, Permission.SERVICE_EDIT, Permission.SUPPRESSION_VIEW, Permission.SUPPRESSION_ADD,
    Permission.REPORTS_VIEW,
)  # fmt: skip


@router.page("/account", Permission.ACCOUNT)
async def show(staff: Staff) -> Response:
    """The own account."""
    return await _page(staff)


async def _page(staff: Staff, error: str = "", status: int = 200, *, key: str = "", **more: object) -> Response:
    """`key`: the one that an authenticator app has read already; another one would make it useless there."""
    user = staff.visit.user
    tokens = await staff.login.tokens(user.id)
    proposal = None
    if not user.totp_secret and (key or staff.request.query_params.get("second") == "1"):
        proposal = staff.login.propose_totp(staff.actor.name, staff.app.settings.sender.company or "outreach", key)
    signed = {
        "email": user.email or "",
        "title": user.settings.get("title", ""),
        "phone": user.settings.get("phone", ""),
    }
    context = {"codes": None, "token": None, "token_name": "", "chosen": [], "signed": signed} | more
    return await staff.render(
        "account.html", status=status, error=error, tokens=tokens, proposal=proposal, zones=ZONES,
        scopes=[scope for scope in API_SCOPES if staff.may(scope)], **context,
    )  # fmt: skip


@router.action("/account/password", Permission.ACCOUNT)
async def password(staff: Staff) -> Response:
    """Change the own password; every session ends, this one too."""
    form = await staff.form()
    try:
        await staff.login.check_password(staff.visit.user, str(form.get("old", ""))[:300], now=staff.now)
    except LoginRefused:
        return await _page(staff, staff.say(N_("The present password is wrong.")), 422)
    if form.get("new") != form.get("again"):
        return await _page(staff, staff.say(N_("The two new passwords differ.")), 422)
    try:
        await staff.login.set_password(staff.visit.user.id, str(form.get("new", "")), actor=staff.actor, now=staff.now)
    except ValueError as fault:
        text = PASSWORD_FAULTS[str(fault)]
        return await _page(staff, staff.say(text), 422)
    answer = staff.done("/login")
    answer.delete_cookie(SESSION_COOKIE, path="/")
    return answer


@router.action("/account/signature", Permission.ACCOUNT)
async def signature(staff: Staff) -> Response:
    """What mails say about their salesperson: address, telephone, position."""
    form = await staff.form()
    email, phone, title = (" ".join(str(form.get(name, "")).split())[:120] for name in ("email", "phone", "title"))
    if email and not ADDRESS.fullmatch(email):
        given = {"email": email, "title": title, "phone": phone}
        return await _page(staff, staff.say(N_("This is no e-mail address.")), 422, signed=given)
    more = {**staff.visit.user.settings, "phone": phone, "title": title}
    changes = {"email": email or None, "settings": more}
    await staff.app.access.change_user(staff.visit.user.id, changes, actor=staff.actor, now=staff.now)
    return staff.done("/account", N_("Saved. New mails are signed so."))


@router.action("/account/settings", Permission.ACCOUNT)
async def settings(staff: Staff) -> Response:
    """Language and time zone."""
    form = await staff.form()
    lang, tz = str(form.get("language", "")), str(form.get("timezone", ""))
    if lang not in CATALOGUES or tz not in ZONES:
        raise HTTPException(404)
    changes = {"language": lang, "timezone": tz}
    async with staff.app.db.write() as conn:
        await change_user(conn, staff.visit.user.id, changes, actor=staff.actor, now=staff.now, action="user.changed")
    answer = staff.done("/account", N_("Changed."))
    answer.set_cookie(LANGUAGE_COOKIE, lang, max_age=31_536_000, samesite="lax", httponly=True, path="/")
    return answer


async def _not_the_owner(staff: Staff, form: FormData) -> str:
    """Return why who asks may be somebody with a stolen session, in words, or "".

    Who has no password here comes by the company's login, and must have come just now.
    """
    if staff.visit.user.password_hash is None:
        at = staff.visit.verified_at
        fresh = at is not None and staff.now - at < VERIFIED_FOR
        return "" if fresh else staff.say(N_("Log out and in again first, then do this within five minutes."))
    try:
        await staff.login.check_password(staff.visit.user, str(form.get("password", ""))[:300], now=staff.now)
    except LoginRefused:
        return staff.say(N_("The password is wrong."))
    return ""


@router.action("/account/second-factor", Permission.ACCOUNT)
async def second_factor(staff: Staff) -> Response:
    """Switch the second factor on with password and first code; the recovery codes are shown once."""
    if staff.visit.user.totp_secret:  # another one would come without the password that switching off asks for
        raise HTTPException(409, staff.say(N_("The second factor is on already.")))
    form = await staff.form()
    key, code = str(form.get("key", ""))[:64], str(form.get("code", ""))[:12]
    if refused := await _not_the_owner(staff, form):
        return await _page(staff, refused, 422, key=key)
    codes = await staff.login.enable_totp(staff.visit.user.id, key, code, actor=staff.actor, now=staff.now)
    if codes is None:
        told = staff.say(N_("The code does not fit. Look at the clock of your telephone."))
        return await _page(staff, told, 422, key=key)
    return await staff.render("recovery.html", codes=codes)


@router.action("/account/second-factor/off", Permission.ACCOUNT)
async def second_factor_off(staff: Staff) -> Response:
    """Switch it off; the password is asked for."""
    if refused := await _not_the_owner(staff, await staff.form()):
        return await _page(staff, refused, 422)
    await staff.login.disable_totp(staff.visit.user.id, actor=staff.actor, now=staff.now)
    return staff.done("/login")


@router.action("/account/tokens", Permission.ACCOUNT)
async def add_token(staff: Staff) -> Response:
    """Make a token for a script, with the password: a token outlives the session. It is shown once."""
    form = await staff.form()
    name = str(form.get("name", "")).strip()[:80]
    scopes = [Permission(str(s)) for s in form.getlist("scope") if str(s) in set(API_SCOPES)]
    if not name or not scopes:
        told = staff.say(N_("Give the token a name and at least one right."))
        return await _page(staff, told, 422, token_name=name, chosen=scopes)
    if refused := await _not_the_owner(staff, form):
        return await _page(staff, refused, 422, token_name=name, chosen=scopes)
    token = await staff.login.add_token(staff.visit.user.id, name, scopes, actor=staff.actor, now=staff.now)
    return await _page(staff, token=token)


@router.action("/account/tokens/{token_id:int}/revoke", Permission.ACCOUNT)
async def revoke_token(staff: Staff, token_id: int) -> Response:
    """Revoke one of the own tokens."""
    if not await staff.login.revoke_token(token_id, staff.visit.user.id, actor=staff.actor, now=staff.now):
        raise HTTPException(404)
    return staff.done("/account", N_("Revoked: it does not work any more."))


@router.page("/violations/new", Permission.VIOLATIONS_REPORT)
async def violation_form(staff: Staff) -> Response:
    """Report a violation in confidence."""
    return await _violation(staff)


@router.action("/violations/answer", Permission.VIOLATIONS_REPORT, changes=False)
async def violation_answer(staff: Staff) -> Response:
    """Read the answer to a report. The receipt is posted: addresses stay in histories and logs of proxies."""
    receipt = str((await staff.form()).get("receipt", "")).strip()[:40]
    found = await staff.app.violations.of_receipt(receipt) if receipt else None
    return await _violation(staff, found=found, asked=True)


async def _violation(staff: Staff, status: int = 200, **more: object) -> Response:
    context = {"receipt": None, "found": None, "asked": False, "error": ""} | more
    return await staff.render("violation_new.html", status=status, **context)


@router.action("/violations/new", Permission.VIOLATIONS_REPORT)
async def report_violation(staff: Staff) -> Response:
    """Store the report without its reporter. Only the receipt, which is shown once, leads back to it."""
    form = await staff.form()
    text = str(form.get("text", "")).strip()
    if not text:
        return await _violation(staff, 422, error=staff.say(N_("Write something first.")))
    receipt = await staff.app.violations.report(str(form.get("about", "other")), text, staff.now)
    return await _violation(staff, receipt=receipt)


@router.page("/settings/violations", Permission.VIOLATIONS_READ)
async def violations(staff: Staff) -> Response:
    """Every report, for the auditors."""
    return await _violations(staff)


async def _violations(staff: Staff, error: str = "", status: int = 200) -> Response:
    rows = await staff.app.violations.newest()
    return await staff.render("violations.html", status=status, tabs=tabs(staff), rows=rows, error=error)


@router.action("/settings/violations/{number:int}", Permission.VIOLATIONS_READ)
async def answer_violation(staff: Staff, number: int) -> Response:
    """Answer a report: its reporter reads it with the receipt."""
    form = await staff.form()
    text, close = str(form.get("answer", "")).strip(), bool(form.get("close"))
    if not text and not close:
        return await _violations(staff, staff.say(N_("Write something first.")), 422)
    try:
        await staff.app.violations.answer(number, text, staff.actor, staff.now, close=close)
    except LookupError as error:
        raise HTTPException(404) from error
    return staff.done("/settings/violations", N_("Recorded."))
