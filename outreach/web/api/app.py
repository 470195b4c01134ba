"""The API's app: bearer tokens, JSON alone, errors as JSON, its description at /api/v1/openapi.json."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException as StarletteHTTPException

from outreach.access.login import Login, Visit
from outreach.access.roles import AccessDenied, Actor, Held, Permission, Scope, may, reach, require
from outreach.audience.segment import SegmentError
from outreach.web.errors import names_nothing

BEARER = HTTPBearer(auto_error=False, description="A token made under My account; it is held to its scopes.")
DESCRIPTION = (
    "Contacts, companies, deals, orders, cases, segments, campaigns, sequences, messages, events, suppression, reports and conversions. Times are ISO "
    "8601 in UTC. Lists take `limit` (1 to 200) and `after` (the last id seen) and answer `{items, next}`."
)


REFUSALS: dict[int | str, str] = {
    401: "no valid token", 403: "not allowed", 404: "there is nothing of this name or number",
    409: "no longer possible: ask for its state", 413: "the request is too large", 415: "send application/json",
}  # fmt: skip


class Refused(BaseModel):
    """Every refusal: `error` is a code, `detail` says what to do; `problems` names the fields that are wrong."""

    error: str
    detail: str = ""
    problems: list[dict[str, Any]] = []


@dataclass
class Script:
    """One request of a script; the fields are those that the pages' queries ask for."""

    app: Any
    actor: Actor
    now: datetime
    visit: Visit | None = None

    def may(self, permission: Permission, held: Held | None = None) -> bool:
        return may(self.actor, permission, held)

    def need(self, permission: Permission, held: Held | None = None) -> None:
        """Raise AccessDenied unless allowed."""
        require(self.actor, permission, held)

    def reach(self, permission: Permission) -> Scope:
        return reach(self.actor, permission)


class Bearer:
    """The dependency of an API route: a token that holds, with the route's permission in its scopes."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, request: Request, given: HTTPAuthorizationCredentials | None = Depends(BEARER)) -> Script:
        state = request.app.state
        login: Login = state.login
        now: datetime = state.clock()
        actor = await login.bearer(given.credentials, now=now) if given else None
        if actor is None:
            raise HTTPException(401, "give a valid token: Authorization: Bearer …", {"WWW-Authenticate": "Bearer"})
        require(actor, self.permission)
        script = request.state.script = Script(state.outreach, actor, now)
        return script


def allow(permission: Permission) -> Any:
    """Declare a parameter `script: Script` that asks for this permission."""
    return Depends(Bearer(permission))


async def json_only(request: Request) -> None:
    """JSON sent as text/plain (which needs no preflight) is refused (CVE-2025-58430)."""
    if request.method in ("POST", "PUT", "PATCH") and not request.headers.get("content-type", "").startswith(
        "application/json"
    ):
        raise HTTPException(415, "send application/json")


def create_api(app: Any, login: Login, clock: Callable[[], datetime]) -> FastAPI:
    """Build the API over an outreach.app.App."""
    from outreach.web.api import customers, routes, sequences
    from outreach.web.api.record import Reads

    api = FastAPI(
        title="outreach", version="1", description=DESCRIPTION, docs_url=None, redoc_url=None,
        openapi_url="/openapi.json", dependencies=[Depends(json_only)],
        responses={code: {"description": why, "model": Refused} for code, why in REFUSALS.items()},
    )  # fmt: skip
    api.state.outreach, api.state.login, api.state.clock, api.state.reads = app, login, clock, Reads()
    api.include_router(routes.router)
    api.include_router(customers.router)
    api.include_router(sequences.router)
    _errors(api)
    return api


def _errors(api: FastAPI) -> None:
    @api.exception_handler(AccessDenied)
    async def denied(request: Request, error: AccessDenied) -> JSONResponse:
        return JSONResponse({"error": error.reason, "detail": f"{error.permission} is not allowed"}, status_code=403)

    @api.exception_handler(SegmentError)
    async def segment(request: Request, error: SegmentError) -> JSONResponse:
        told = {"error": "segment", "detail": error.message("en"), "start": error.start, "end": error.end}
        return JSONResponse(told, status_code=422)

    @api.exception_handler(StarletteHTTPException)
    async def http(request: Request, error: StarletteHTTPException) -> JSONResponse:
        told = {"error": str(error.status_code), "detail": str(error.detail)}
        return JSONResponse(told, status_code=error.status_code, headers=getattr(error, "headers", None))

    @api.exception_handler(PoolTimeout)
    async def busy(request: Request, error: PoolTimeout) -> JSONResponse:
        told = {"error": "503", "detail": "too many requests at once; nothing was changed: try again in a minute"}
        return JSONResponse(told, status_code=503, headers={"retry-after": "60"})

    @api.exception_handler(OverflowError)
    @api.exception_handler(DBAPIError)
    async def number(request: Request, error: OverflowError | DBAPIError) -> JSONResponse:
        if not names_nothing(error):
            raise error
        return JSONResponse({"error": "404", "detail": "there is nothing of this number"}, status_code=404)

    @api.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> JSONResponse:
        told = {
            "error": "500",
            "detail": "the service failed; its log says why. Ask for the state before you repeat it",
        }
        return JSONResponse(told, status_code=500)

    @api.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        problems = [{"where": [str(part) for part in e["loc"]], "what": e["msg"]} for e in error.errors()]
        return JSONResponse({"error": "invalid", "problems": problems}, status_code=422)
