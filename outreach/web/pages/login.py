"""Log in, log out, choose a language."""

from __future__ import annotations

from datetime import timedelta

import structlog
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from outreach.access.login import SESSION_AT_MOST, Login, LoginRefused
from outreach.access.roles import Permission
from outreach.web.format import duration
from outreach.web.i18n import CATALOGUES, N_, translate
from outreach.web.oidc import Oidc, OidcRefused
from outreach.web.render import render
from outreach.web.routing import LANGUAGE_COOKIE, SESSION_COOKIE, Pages, Staff, language
from outreach.web.security import local_path

#: Between the password and the code: long enough to find the telephone.
SECOND_STEP_SECONDS = 300

log = structlog.get_logger(__name__)
router = APIRouter()
pages = Pages()

REFUSED = {
    "wrong": N_("Name or password is wrong."),
    "disabled": N_("This account is closed. Ask an administrator."),
    "second_wrong": N_("The code is wrong or was used already. Codes change every 30 seconds."),
}


def _page(request: Request, status: int = 200, **context: object) -> HTMLResponse:
    lang = language(request)
    settings = request.app.state.outreach.settings
    base = {"now": request.app.state.clock(), "tz": "UTC", "company": settings.sender.company or "outreach"}
    given = {"error": "", "name": "", "checked": "", "next": "/", "ended": False} | context
    base |= {"oidc": settings.oidc is not None, "oidc_label": settings.oidc.label if settings.oidc else ""}
    return HTMLResponse(render(lang, "login.html", **base, **given), status_code=status)


@router.get("/login", include_in_schema=False)
async def show(request: Request) -> Response:
    """The form."""
    params = request.query_params
    return _page(request, next=local_path(params.get("next")), ended=params.get("ended") == "1")


@router.post("/login", include_in_schema=False)
async def log_in(request: Request) -> Response:
    """Check name and password, then, where switched on, the code."""
    form = await request.form()
    name, password, code = (str(form.get(key, ""))[:300] for key in ("name", "password", "code"))
    to = local_path(str(form.get("next", "/")))
    login: Login = request.app.state.login
    now = request.app.state.clock()
    checked = _checked_name(request, str(form.get("checked", "")))
    try:
        if checked:
            token = await login.finish(checked, code, now=now)
        else:
            token = await login.log_in(name, password, None, now=now)
    except LoginRefused as refused:
        return _refused(request, refused, checked or name, to)
    return welcome(request, token, to)


def _signer(request: Request) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(request.app.state.outreach.secret, salt="second factor")


def _checked_name(request: Request, signed: str) -> str | None:
    """Whose password was right at the step before this one."""
    try:
        return str(_signer(request).loads(signed, max_age=SECOND_STEP_SECONDS)) if signed else None
    except BadSignature:
        return None


def welcome(request: Request, token: str, to: str) -> Response:
    """Start the session in the browser and go on."""
    answer = RedirectResponse(to, status_code=303)
    age = int(SESSION_AT_MOST.total_seconds())
    secure = request.app.state.https
    answer.set_cookie(SESSION_COOKIE, token, max_age=age, httponly=True, secure=secure, samesite="lax", path="/")
    return answer


def _refused(request: Request, refused: LoginRefused, name: str, to: str) -> Response:
    lang = language(request)
    if refused.code in ("second", "second_wrong"):
        text = REFUSED.get(refused.code, "")
        error = translate(lang, text)
        signed = _signer(request).dumps(name)
        return _page(request, 401 if error else 200, error=error, name=name, checked=signed, next=to)
    if refused.code == "wait":
        wait = duration(timedelta(seconds=refused.wait_seconds + 30), lang)
        text = translate(lang, N_("Too many wrong guesses. Try again in %(time)s."), time=wait)
        return _page(request, 429, error=text, name=name, next=to)
    text = REFUSED[refused.code]
    return _page(request, 401, error=translate(lang, text), name=name, next=to)


OIDC_COOKIE = "outreach_oidc"


def _oidc(request: Request) -> Oidc:
    settings = request.app.state.outreach.settings
    if settings.oidc is None:
        raise HTTPException(404)
    known: Oidc | None = getattr(request.app.state, "oidc", None)
    if known is None or known.settings != settings.oidc:
        base = settings.web.base_url or settings.tracking.base_url
        known = request.app.state.oidc = Oidc(settings.oidc, f"{base}/login/oidc/back")
    return known


@router.get("/login/oidc", include_in_schema=False)
async def start_oidc(request: Request) -> Response:
    """To the company's own login."""
    try:
        started = await _oidc(request).start()
    except OidcRefused as refused:
        return _oidc_refused(request, refused.code)
    kept = started.kept | {"next": local_path(request.query_params.get("next"))}
    answer = RedirectResponse(started.url, status_code=303)
    # lax: the provider sends the visitor back from another site
    answer.set_cookie(
        OIDC_COOKIE, _signer(request).dumps(kept, salt="oidc"), max_age=SECOND_STEP_SECONDS, httponly=True,
        secure=request.app.state.https, samesite="lax", path="/login/oidc",
    )  # fmt: skip
    return answer


@router.get("/login/oidc/back", include_in_schema=False)
async def end_oidc(request: Request) -> Response:
    """Back from there: a session for who is a user here."""
    oidc, now = _oidc(request), request.app.state.clock()
    try:
        kept = _signer(request).loads(request.cookies.get(OIDC_COOKIE, ""), max_age=SECOND_STEP_SECONDS, salt="oidc")
    except BadSignature:
        kept = {}
    try:
        person = await oidc.finish(dict(request.query_params), kept, now)
        column = "email" if oidc.settings.claim == "email" else "name"
        token = await request.app.state.login.vouched(column, person.value, now=now)
    except OidcRefused as refused:
        return _oidc_refused(request, refused.code)
    except LoginRefused as refused:
        return _oidc_refused(request, refused.code, NO_USER)
    answer = welcome(request, token, local_path(str(kept.get("next", "/"))))
    answer.delete_cookie(OIDC_COOKIE, path="/login/oidc")
    return answer


NO_USER = N_("The company's login knows you, but there is no open account here. Ask an administrator to add you.")
NOT_NOW = N_("The company's login did not work. Try again, or log in with name and password.")


def _oidc_refused(request: Request, code: str, text: str = NOT_NOW) -> Response:
    log.warning("company login refused", code=code)
    return _page(request, 401, error=translate(language(request), text))


@pages.action("/logout", Permission.ACCOUNT)
async def log_out(staff: Staff) -> Response:
    """End the session."""
    await staff.login.log_out(staff.visit.token, now=staff.now)
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(SESSION_COOKIE, path="/")
    return answer


@router.get("/language/{code}", include_in_schema=False)
async def choose_language(request: Request, code: str) -> Response:
    """Keep the language in a cookie and go back."""
    answer = RedirectResponse(local_path(request.query_params.get("next")), status_code=303)
    if code in CATALOGUES:
        answer.set_cookie(LANGUAGE_COOKIE, code, max_age=31_536_000, samesite="lax", httponly=True, path="/")
    return answer


router.include_router(pages)
