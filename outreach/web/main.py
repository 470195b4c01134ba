"""The FastAPI app: middleware, static files, pages, API, and what people see when something fails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from outreach.access.login import Login
from outreach.access.roles import AccessDenied
from outreach.app.plan_calendar import PlanCalendar
from outreach.web import pages
from outreach.web.api.app import create_api
from outreach.web.assignee import NotAssignable
from outreach.web.errors import error_page, names_nothing
from outreach.web.kept import FRESH, Kept
from outreach.web.linked import add_linked
from outreach.web.render import STATIC
from outreach.web.routing import SESSION_COOKIE, FormRefused, NotLoggedIn, language, wants_part
from outreach.web.scrape import metrics_page
from outreach.web.security import BodyLimit, HeadAsGet, SameOrigin, SecureHeaders, place_of, secure_headers

#: Static files carry ?v=HASH, so a browser may keep them for a year.
KEEP = "public, max-age=31536000, immutable"


def utc_now() -> datetime:
    """The clock of the service."""
    return datetime.now(UTC)


class KeptStatic(StaticFiles):
    """Static files that the browser keeps."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with the file; only an address with its version is kept for ever."""
        answer = await super().get_response(path, scope)
        if answer.status_code == 200 and b"v=" in scope.get("query_string", b""):
            answer.headers["cache-control"] = KEEP
        return answer


def create_app(app: Any, *, clock: Callable[[], datetime] = utc_now, fresh: float = FRESH) -> FastAPI:
    """Build the web application over an outreach.app.App. `clock` gives aware UTC moments.

    fresh: seconds for which estimates and reports are shown as they were computed (kept.py).
    """
    web = FastAPI(title="outreach", docs_url=None, redoc_url=None, openapi_url=None)
    web.state.outreach = app
    web.state.clock = clock
    web.state.plan_calendar = PlanCalendar(app)
    web.state.kept = Kept(fresh)
    web.state.login = Login(app.db, app.secret, session_for=timedelta(hours=app.settings.web.session_hours))
    https = (app.settings.web.base_url or app.settings.tracking.base_url).startswith("https://")
    web.state.https = https
    web.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    web.add_middleware(SameOrigin)
    web.add_middleware(BodyLimit)
    web.add_middleware(SecureHeaders, https=https)
    web.add_middleware(HeadAsGet)
    web.mount("/static", KeptStatic(directory=STATIC))
    web.mount("/api/v1", create_api(app, web.state.login, clock))
    for router in pages.routers():
        web.include_router(router)
    web.add_route("/metrics", metrics_page(app, clock), methods=["GET"], include_in_schema=False)
    add_linked(web, app, clock)
    _handle_errors(web)
    return web


def _handle_errors(web: FastAPI) -> None:
    @web.exception_handler(NotLoggedIn)
    async def to_login(request: Request, error: NotLoggedIn) -> Response:
        place = place_of(request)
        asked = [] if place == "/" else [f"next={quote(place)}"]
        asked += ["ended=1"] if SESSION_COOKIE in request.cookies else []
        to = "?".join(["/login", "&".join(asked)]) if asked else "/login"
        if wants_part(request):
            return Response(status_code=204, headers={"HX-Redirect": to})
        return RedirectResponse(to, status_code=303)

    @web.exception_handler(AccessDenied)
    async def denied(request: Request, error: AccessDenied) -> Response:
        return await _answer(request, 403, error.reason)

    @web.exception_handler(FormRefused)
    async def old_form(request: Request, error: FormRefused) -> Response:
        return await _answer(request, 403, "form")

    @web.exception_handler(NotAssignable)
    async def nobody(request: Request, error: NotAssignable) -> Response:
        return await _answer(request, 422, "assignee")

    @web.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        return await _answer(request, error.status_code, str(error.status_code), str(error.detail))

    @web.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=400)  # who pressed twice, or left, hears nothing; no fault of ours for the log

    @web.exception_handler(PoolTimeout)
    async def busy(request: Request, error: PoolTimeout) -> Response:
        answer = await _answer(request, 503, "503")
        answer.headers["retry-after"] = "60"
        return answer

    @web.exception_handler(OverflowError)
    @web.exception_handler(DBAPIError)
    async def number(request: Request, error: OverflowError | DBAPIError) -> Response:
        if not names_nothing(error):
            raise error
        return await _answer(request, 404, "404")

    @web.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        if request.url.path.startswith("/api/"):
            problems = [{"where": list(e["loc"]), "what": e["msg"]} for e in error.errors()]
            return JSONResponse({"error": "invalid", "problems": problems}, status_code=422)
        return await _answer(request, 404, "404")

    @web.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        """Starlette raises it again after this answer, so that it reaches the log."""
        answer = await _answer(request, 500, "500")
        for name, value in secure_headers(request.url.path, https=web.state.https).items():
            answer.headers[name.decode()] = value.decode()
        return answer


async def _answer(request: Request, status: int, kind: str, detail: str = "") -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": kind, "detail": detail}, status_code=status)
    html = await error_page(request, kind, detail, lang=language(request), part=wants_part(request))
    return HTMLResponse(html, status_code=status)
