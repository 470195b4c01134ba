"""How a page is registered and how it asks what the visitor may do.

`Pages.page` and `Pages.action` are the only ways to add a staff route, and each names its permission: a route without
one cannot be written, and tests/web/test_matrix.py walks them all.
"""

from __future__ import annotations

import functools
import inspect
import json
import secrets
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.datastructures import FormData

from outreach.access.login import Login, Visit
from outreach.access.roles import AccessDenied, Actor, Held, Permission, Scope, may, reach, require
from outreach.access.secrets import derived, same
from outreach.access.store import append_audit, watched
from outreach.web.data.kept_undo import keep, take
from outreach.web.format import moment
from outreach.web.frame import frame
from outreach.web.i18n import choose, translate
from outreach.web.ids import LARGEST
from outreach.web.kept import Kept
from outreach.web.render import render
from outreach.web.security import SAFE_METHODS, place_of
from outreach.web.words import word

SESSION_COOKIE = "outreach_session"
LANGUAGE_COOKIE = "outreach_lang"
FLASH_COOKIE = "outreach_flash"
#: How long "undo" is offered: as long as the toast can be looked for on the next page.
UNDO_SECONDS = 300
#: A cookie holds 4 kB, signed and encoded; a longer way back (thousands of ids) is kept in the database.
LONGEST_UNDO = 1_500


Handler = Callable[..., Any]
Register = Callable[[Handler], Handler]


class NotLoggedIn(Exception):
    """There is no session: to /login."""


class FormRefused(Exception):
    """The form's token is missing or of another session."""


def wants_part(request: Request) -> bool:
    """Whether htmx asks for a part of a page."""
    return request.headers.get("hx-request") == "true"


def language(request: Request) -> str:
    """The language of somebody who is not logged in."""
    return choose(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language"))


@dataclass
class Staff:
    """One request of a logged-in person. `app` is outreach.app.App."""

    request: Request
    visit: Visit
    app: Any
    now: datetime
    change: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Ways back that are too long for a cookie, by key: stored when the act is over.
    ways_back: dict[str, dict[str, Any]] = field(default_factory=dict)

    def record(self, *, before: Mapping[str, Any] | None = None, after: Mapping[str, Any] | None = None) -> None:
        """Say what this act changed, for its entry in the trail: ids, states and choices, nothing of a person."""
        self.change = {"before": dict(before or {}), "after": dict(after or {})}

    @property
    def actor(self) -> Actor:
        return self.visit.actor

    @property
    def lang(self) -> str:
        return choose(self.request.cookies.get(LANGUAGE_COOKIE) or self.visit.user.language, None)

    @property
    def tz(self) -> str:
        return str(self.visit.user.timezone)

    @property
    def form_token(self) -> str:
        return derived(self.visit.token, "form")

    @property
    def login(self) -> Login:
        login: Login = self.request.app.state.login
        return login

    def say(self, text: str, **values: object) -> str:
        """Translate a marked text."""
        return translate(self.lang, text, **values)

    def word(self, kind: str, value: str | None) -> str:
        """The word of a state, role or reason in the person's language."""
        return translate(self.lang, word(kind, value)[0])

    def moment(self, value: datetime | None, tz: str | None = None) -> str:
        """A moment as people write it; with the place when it is somebody else's time."""
        return moment(value, tz or self.tz, self.lang, now=self.now, show_place=tz is not None)

    def may(self, permission: Permission | str, held: Held | None = None) -> bool:
        return may(self.actor, Permission(permission), held)

    def need(self, permission: Permission, held: Held | None = None) -> None:
        """Raise AccessDenied unless allowed: for the object that the route found."""
        require(self.actor, permission, held)

    def reach(self, permission: Permission) -> Scope:
        return reach(self.actor, permission)

    @property
    def kept(self) -> Kept:
        kept: Kept = self.request.app.state.kept
        return kept

    async def form(self) -> FormData:
        return await self.request.form()

    async def render(self, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """Answer with a page (inside the frame), or with a part for htmx."""
        flash = _read_flash(self)
        base = {
            "staff": self,
            "may": self.may,
            "now": self.now,
            "tz": self.tz,
            "form_token": self.form_token,
            "path": self.request.url.path,
            "place": place_of(self.request),
            "flash": flash,
            "company": self.app.settings.sender.company or "outreach",
        }
        if not template.startswith("part_"):  # a whole page is framed, whatever the request's headers claim
            base["frame"] = await frame(self)
        answer = HTMLResponse(render(self.lang, template, **(base | context)), status_code=status)
        if flash and not wants_part(self.request):
            answer.delete_cookie(FLASH_COOKIE, path="/")
        return answer

    def done(self, to: str, text: str = "", undo: Mapping[str, Any] | None = None, **values: object) -> Response:
        """Go to a page and say what happened there, with a way back: `undo` is posted to /undo as it stands."""
        answer: Response
        if wants_part(self.request):
            answer = Response(status_code=204, headers={"HX-Redirect": to})
        else:
            answer = RedirectResponse(to, status_code=303)
        if text:
            signed = _signer(self).dumps(
                {"text": self.say(text, **values), "undo": sign_undo(self, undo) if undo else None}
            )
            answer.set_cookie(FLASH_COOKIE, signed, max_age=60, httponly=True, samesite="lax", path="/")
        return answer


def _signer(staff: Staff) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(derived(staff.visit.token, "flash"))


def sign_undo(staff: Staff, undo: Mapping[str, Any]) -> str:
    """Return what the page posts to /undo; only this session can make it. What is too long for a cookie is kept."""
    told = dict(undo)
    if len(json.dumps(told, default=str)) > LONGEST_UNDO:
        key = secrets.token_hex(8)
        staff.ways_back[key] = told
        told = {"kept": key}
    return str(_signer(staff).dumps(told, salt="undo"))


async def read_undo(staff: Staff, signed: str) -> dict[str, Any] | None:
    """Return what is to be undone, or None when it is too late or not ours."""
    try:
        told: dict[str, Any] = _signer(staff).loads(signed, max_age=UNDO_SECONDS, salt="undo")
    except BadSignature:
        return None
    if "kept" in told:
        return await take(staff.app.db, str(told["kept"]))
    return told


def _read_flash(staff: Staff) -> dict[str, Any] | None:
    signed = staff.request.cookies.get(FLASH_COOKIE)
    if not signed:
        return None
    try:
        told: dict[str, Any] = _signer(staff).loads(signed, max_age=60)
    except BadSignature:
        return None
    return told


class Allow:
    """The dependency of a staff route: logged in, form token right, permission given."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, request: Request) -> Staff:
        staff = await staff_of(request)
        if request.method not in SAFE_METHODS:
            await _check_form(staff)
        require(staff.actor, self.permission)
        if any(isinstance(value, int) and value > LARGEST for value in request.path_params.values()):
            raise HTTPException(404)
        return staff


async def staff_of(request: Request) -> Staff:
    """Return who is here. Raises NotLoggedIn."""
    now: datetime = request.app.state.clock()
    token = request.cookies.get(SESSION_COOKIE)
    visit = await request.app.state.login.visit(token, now=now) if token else None
    if visit is None:
        raise NotLoggedIn
    return Staff(request, visit, request.app.state.outreach, now)


async def _check_form(staff: Staff) -> None:
    """CSRF: the token of the session, in a header (htmx) or in the form; only kinds that need a preflight or it."""
    given = staff.request.headers.get("x-form-token")
    if given is None:
        kind = staff.request.headers.get("content-type", "")
        if not kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
            raise FormRefused
        given = str((await staff.form()).get("form_token", ""))
    if not same(given, staff.form_token):
        raise FormRefused


class Pages(APIRouter):
    """A router of staff pages."""

    def page(self, path: str, permission: Permission, **options: Any) -> Register:
        """Register a page that shows: GET."""
        return self._staff(path, permission, "GET", options)

    def action(self, path: str, permission: Permission, *, changes: bool = True, **options: Any) -> Register:
        """Register what changes something: POST. Every act is on record (H3): where the handler wrote no entry of the
        trail itself, one is written for it.

        `changes` False: the form is only too long for an address, nothing is changed (tests/web/test_trail.py).
        """
        return self._staff(path, permission, "POST", options, trail=changes)

    def _staff(
        self, path: str, permission: Permission, method: str, options: dict[str, Any], *, trail: bool = False
    ) -> Register:
        allow = Allow(permission)

        def register(handler: Callable[..., Any]) -> Callable[..., Any]:
            # FastAPI reads the signature: the parameter `staff` is filled by the permission of this very route
            parameters = dict(handler.__annotations__)
            assert parameters.get("staff") in (Staff, "Staff"), f"{handler.__name__} needs a parameter staff: Staff"
            wrapped = _with_staff(on_record(handler, path) if trail else handler, allow)
            wrapped.trail = trail  # type: ignore[attr-defined]
            self.add_api_route(path, wrapped, methods=[method], include_in_schema=False, response_model=None, **options)
            return handler

        return register


def on_record(handler: Handler, path: str) -> Handler:
    """Let no act pass that leaves no entry in the trail; keep its way back."""

    @functools.wraps(handler)
    async def called(**values: Any) -> Any:
        staff: Staff = values["staff"]
        with watched() as noted:
            answer = await handler(**values)
        if staff.ways_back:
            await keep(staff.app.db, staff.ways_back, staff.now, timedelta(seconds=UNDO_SECONDS))
        if not noted and getattr(answer, "status_code", 200) < 400:
            await _note(staff, path)
        return answer

    return called


async def _note(staff: Staff, path: str) -> None:
    """Who did what to which object; of a form only the names of its fields, for their values may be a person's."""
    form = await staff.form()
    fields = sorted({str(name)[:60] for name in form} - {"form_token"})[:40]
    words = [part for part in path.split("/") if part and not part.startswith("{")]
    given = staff.request.path_params
    number = next((str(value) for value in given.values()), "-")
    action = ".".join([*words, *(str(given[key]) for key in ("action",) if key in given)])[:80]
    async with staff.app.db.write() as conn:
        await append_audit(
            conn, staff.actor, f"page.{action}", words[0] if words else "page", number, now=staff.now,
            **(staff.change or {"after": {"fields": fields}}),
        )  # fmt: skip


def _with_staff(handler: Callable[..., Any], allow: Allow) -> Callable[..., Any]:
    hints = typing.get_type_hints(handler)
    signature = inspect.signature(handler)
    parameters = [
        parameter.replace(annotation=hints.get(name, parameter.annotation), default=Depends(allow))
        if name == "staff"
        else parameter.replace(annotation=hints.get(name, parameter.annotation))
        for name, parameter in signature.parameters.items()
    ]
    parameters.sort(key=lambda parameter: parameter.default is not inspect.Parameter.empty)

    @functools.wraps(handler)
    async def called(**values: Any) -> Any:
        return await handler(**values)

    called.__signature__ = signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty)  # type: ignore[attr-defined]
    called.__dict__.pop("__wrapped__", None)
    called.__annotations__ = {p.name: p.annotation for p in parameters}
    called.permission = allow.permission  # type: ignore[attr-defined]
    return called


__all__ = ["AccessDenied", "Allow", "FormRefused", "Held", "NotLoggedIn", "Pages", "Permission", "Scope", "Staff"]
