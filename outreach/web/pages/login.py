"""Log in, log out, choose a language."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from outreach.access.login import SESSION_AT_MOST, Login, LoginRefused
from outreach.access.roles import Permission
from outreach.web.format import duration
from outreach.web.i18n import CATALOGUES, N_, translate
from outreach.web.render import render
from outreach.web.routing import LANGUAGE_COOKIE, SESSION_COOKIE, Pages, Staff, language
from outreach.web.security import local_path

#: Between the password and the code: long enough to find the telephone.
SECOND_STEP_SECONDS = 300

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
    given = {"error": "", "name": "", "checked": "", "next": "/"} | context
    return HTMLResponse(render(lang, "login.html", **base, **given), status_code=status)


@router.get("/login", include_in_schema=False)
async def show(request: Request) -> Response:
    """The form."""
    return _page(request, next=local_path(request.query_params.get("next")))


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
