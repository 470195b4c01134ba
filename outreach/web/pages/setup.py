"""The first run: the first administrator (with a code that only the machine's console shows), then the guide."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import select

from outreach.access.login import Login, hash_password
from outreach.access.roles import Permission
from outreach.access.secrets import derived, same
from outreach.access.store import NewUser
from outreach.model import Role
from outreach.web.data import first_run
from outreach.web.data.tables import USER
from outreach.web.i18n import N_, translate
from outreach.web.pages.account import PASSWORD_FAULTS
from outreach.web.pages.login import welcome
from outreach.web.render import render
from outreach.web.routing import Pages, Staff, language

router = APIRouter()
pages = Pages()


def setup_code(secret: bytes) -> str:
    """What opens /setup while there is no user: `outreach serve` prints it on the console of the machine."""
    return derived(secret.hex(), "first administrator")[:20]


async def has_users(app: Any) -> bool:
    """Whether anybody may log in already."""
    async with app.db.read() as conn:
        return (await conn.execute(select(USER.c.id).limit(1))).first() is not None


async def _allowed(request: Request, code: str) -> None:
    """Only with the code, and only until there is a user: afterwards the page does not exist."""
    app = request.app.state.outreach
    if not same(code, setup_code(app.secret)) or await has_users(app):
        raise HTTPException(404)


def _page(request: Request, status: int = 200, **context: object) -> HTMLResponse:
    base = {"now": request.app.state.clock(), "tz": "UTC", "company": "outreach", "error": "", "name": "", "shown": ""}
    return HTMLResponse(render(language(request), "setup.html", **base | context), status_code=status)


@router.get("/setup", include_in_schema=False)
async def show(request: Request) -> Response:
    """The form for the first administrator."""
    code = request.query_params.get("code", "")
    await _allowed(request, code)
    return _page(request, code=code)


@router.post("/setup", include_in_schema=False)
async def create(request: Request) -> Response:
    """Make the first administrator and log in; the guide follows."""
    form = await request.form()
    code, name, shown, password = (
        str(form.get(key, ""))[:300].strip() for key in ("code", "name", "shown", "password")
    )
    await _allowed(request, code)
    lang, now = language(request), request.app.state.clock()
    fault = N_("Give a name without blanks, such as li.na.") if not name or " " in name else ""
    try:
        hashed = hash_password(password, name)
    except ValueError as problem:
        hashed, fault = "", fault or PASSWORD_FAULTS[str(problem)]
    if fault:
        told = translate(lang, fault)
        return _page(request, 422, code=code, error=told, name=name, shown=shown)
    app = request.app.state.outreach
    roles = [Role.ADMIN]
    new = NewUser(name, roles, hashed, shown, language=lang, timezone=app.settings.sender.timezone)
    await app.access.add_user(new, now=now, authorise=True)
    login: Login = request.app.state.login
    token = await login.log_in(name, password, None, now=now)
    return welcome(request, token, "/start")


@pages.page("/start", Permission.ACCOUNT)
async def start(staff: Staff) -> Response:
    """The guide: what is done, what is next, and where each step is done."""
    steps = await first_run.steps(staff)
    done = sum(step.done for step in steps)
    following = next((step for step in steps if not step.done), None)
    return await staff.render("start.html", steps=steps, done=done, following=following)


router.include_router(pages)
