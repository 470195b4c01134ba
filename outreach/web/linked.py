"""Addresses that open by a secret in them and by nothing else: surveys (/q/) and calendar feeds (/calendar/)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from outreach.crm.survey.page import SurveyPage
from outreach.crm.survey.views import SurveyViews

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

    web.add_route("/q/{token}", survey, methods=["GET", "POST"], include_in_schema=False)
    web.add_route("/calendar/{token}.ics", feed, methods=["GET"], include_in_schema=False)
