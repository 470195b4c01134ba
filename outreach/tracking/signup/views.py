"""The sign-up form as raw ASGI, in front of the staff app: /j/ asks, /j/TOKEN confirms. No script, no cookie."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from outreach.tracking.pages import choose_language, content_policy
from outreach.tracking.signup.form import read
from outreach.tracking.signup.pages import SignUpPages
from outreach.tracking.signup.store import SignUpStore
from outreach.tracking.views import client_address

log = structlog.get_logger(__name__)
App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]
#: A form of a few short fields; the longest that people can type into it has about 2 kB.
MAX_BODY = 16_384
HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}
STATUS = {"asked": 200, "no_email": 422, "busy": 429}


def utc_now() -> datetime:
    """The clock of the service."""
    return datetime.now(UTC)


class SignUpApp:
    """Answers /j/ and hands everything else to `inner`."""

    def __init__(
        self,
        inner: App,
        store: SignUpStore,
        pages: SignUpPages,
        *,
        trusted_proxies: Iterable[str] = (),
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.inner, self.store, self.pages, self.clock = inner, store, pages, clock
        self.proxies = [ip_network(text, strict=False) for text in trusted_proxies]

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/j/"):
            await self.inner(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            answer = await self._answer(request)
        except Exception:
            log.exception("signup.failed")
            answer = self._page(self.pages.expired(self._language(request)), 503)
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        token, lang = request.url.path[3:], self._language(request)
        if request.method in ("GET", "HEAD"):
            return await self._show(token, lang)
        if request.method != "POST":
            return Response(status_code=405, headers={"allow": "GET, HEAD, POST"})
        if token:
            done = await self.store.confirm(token[:200], self._evidence(request), self.clock())
            return self._page(self.pages.done(lang) if done else self.pages.expired(lang), 200 if done else 410)
        return await self._ask(request, lang)

    async def _show(self, token: str, lang: str) -> Response:
        if not token:
            return self._page(self.pages.form(lang))
        holds = await self.store.holds(token[:200], self.clock())
        page = self.pages.confirm(lang, token) if holds else self.pages.expired(lang)
        return self._page(page, 200 if holds else 410)

    async def _ask(self, request: Request, lang: str) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                return Response("The form is too large.", status_code=413)
        again = Request(dict(request.scope), _replayed(body))
        async with again.form(max_fields=50, max_files=0) as form:
            given = {name: str(value) for name, value in form.items()}
            chosen = [str(value) for value in form.getlist("interest")]
        asked = read(given, self.pages.interests, chosen)
        evidence = self._evidence(request) | {"text": self.pages.consent_text(lang)}
        told = await self.store.ask(asked, evidence, lang, self.clock())
        values = {"email": asked.address, **asked.values}
        page = self.pages.asked(lang) if told.page == "asked" else self.pages.form(lang, told.page, values)
        return self._page(page, STATUS[told.page])

    def _evidence(self, request: Request) -> dict[str, Any]:
        return {
            "ip": client_address(request.scope, self.proxies),
            "agent": request.headers.get("user-agent", "")[:200],
        }

    def _language(self, request: Request) -> str:
        asked = request.query_params.get("lang", "")[:10]
        return choose_language(asked, None, request.headers.get("accept-language", ""))

    def _page(self, html: str, status: int = 200) -> HTMLResponse:
        return HTMLResponse(html, status_code=status, headers=HEADERS | {"content-security-policy": content_policy()})


def _replayed(body: bytes) -> Callable[[], Awaitable[dict[str, Any]]]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
