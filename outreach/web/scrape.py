"""`/metrics`: Prometheus' page, for a scraper on this machine or one that knows the token."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from outreach.outbox.metrics.store import metrics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics_page(app: Any, clock: Callable[[], datetime]) -> Callable[[Request], Any]:
    """Return the endpoint. Raises ConfigError when the token's secret is missing: better at the start than at night."""
    secret = app.settings.web.metrics_token
    token = secret.read() if secret is not None else None

    async def page(request: Request) -> Response:
        _admit(request, token)
        async with app.db.read() as conn:
            return Response(await metrics(conn, clock()), media_type=CONTENT_TYPE)

    return page


def _admit(request: Request, token: str | None) -> None:
    """Let in who is on this machine and no proxy, or has the token. Raises HTTPException for everybody else."""
    local = request.client is not None and request.client.host in ("127.0.0.1", "::1")
    if local and "x-forwarded-for" not in request.headers and "forwarded" not in request.headers:
        return
    if token is None:
        raise HTTPException(404)
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(given.encode(), token.encode()):
        raise HTTPException(401, headers={"www-authenticate": "Bearer"})
