"""Addresses for people without an account: surveys (/q/) and calendar feeds (/calendar/) by the secret in them, and the
reports of violations by outsiders (/v/).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from outreach.crm.survey.page import SurveyPage
from outreach.crm.survey.views import SurveyViews
from outreach.tracking.concern.pages import ConcernPages
from outreach.tracking.concern.views import ConcernViews, Often
from outreach.tracking.pages import Pages

Clock = Callable[[], datetime]


def add_linked(web: FastAPI, app: Any, clock: Clock) -> None:
    """Register them. The configuration may change while the service runs, so it is asked at each request."""

    async def survey(request: Request) -> Response:
        sender = app.settings.sender
        page = SurveyPage(sender.company, sender.postal_address)
        return await SurveyViews(app.surveys, page, clock)(request)

    async def feed(request: Request) -> Response:
        settings = app.settings
        base = (settings.web.base_url or settings.tracking.base_url).rstrip("/")
        told = await app.agenda.read(str(request.path_params["token"])[:64], base, clock())
        if told is None:
            raise HTTPException(404)
        headers = {"content-disposition": 'inline; filename="tasks.ics"', "x-robots-tag": "noindex"}
        return Response(told, media_type="text/calendar; charset=utf-8", headers=headers)

    often = Often()

    async def concern(request: Request) -> Response:
        chosen = app.settings.violations
        if not chosen.from_outside:
            raise HTTPException(404)
        views = ConcernViews(
            app.violations, ConcernPages(Pages(app.public_sender())), often, clock, per_network=chosen.per_network,
            per_hour=chosen.per_hour, trusted_proxies=app.settings.tracking.trusted_proxies,
        )  # fmt: skip
        return await views(request)

    for path in ("/v/", "/v/answer"):
        web.add_route(path, concern, methods=["GET", "POST"], include_in_schema=False)
    web.add_route("/q/{token}", survey, methods=["GET", "POST"], include_in_schema=False)
    web.add_route("/calendar/{token}.ics", feed, methods=["GET"], include_in_schema=False)
