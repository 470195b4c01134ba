"""The survey's public address, /q/TOKEN: a link scanner's GET shows a form and votes for nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from outreach.crm.survey.page import Asked, SurveyPage, content_policy, words
from outreach.crm.survey.store import SurveyStore, Vote
from outreach.tracking.forms import MAX_BODY, read_form
from outreach.tracking.pages import choose_language

#: The form's text has 4,000 characters of at most four octets, percent-encoded thrice.
MOST_BYTES = 6 * MAX_BODY


class SurveyViews:
    """Answers /q/TOKEN. Guessed, old and cut tokens all read the same."""

    def __init__(self, store: SurveyStore, page: SurveyPage, clock: Callable[[], datetime]) -> None:
        self.store, self.page, self.clock = store, page, clock

    async def __call__(self, request: Request) -> Response:
        token = str(request.path_params["token"])[:64]
        row = await self.store.of(token, self.clock())
        lang = _language(request, row.language if row else None)
        if row is None:
            return _html(self.page.gone(lang), 404)
        asked = Asked(token, row.number, row.score, row.helped, row.text or "", row.order_number)
        if request.method != "POST":
            return _html(self.page.form(lang, asked))
        vote = await _vote(request)
        if vote is None or (vote.score is None and vote.helped is None and not vote.text):
            return _html(self.page.form(lang, asked, nothing_chosen=True), 422)
        await self.store.answer(token, vote, self.clock())
        return _html(self.page.done(lang, token, vote.helped if row.number else None))


async def _vote(request: Request) -> Vote | None:
    body = await request.body()
    if len(body) > MOST_BYTES:
        return None
    form = read_form(request.headers.get("content-type", ""), body)
    score, helped, text = (_first(form, name) for name in ("score", "helped", "text"))
    return Vote(
        score=int(score) if score in {"1", "2", "3", "4", "5"} else None,
        helped={"yes": True, "no": False}.get(helped),
        text=text.strip(),
    )


def _first(form: Mapping[str, tuple[str, ...]], name: str) -> str:
    return form.get(name, ("",))[0]


def _language(request: Request, known: str | None) -> str:
    asked = parse_qs(request.url.query[:200]).get("lang", [""])[0]
    chosen = choose_language(asked, known, request.headers.get("accept-language", ""))
    return chosen if chosen in words() else "en"


def _html(text: str, status: int = 200) -> HTMLResponse:
    headers = {
        "content-security-policy": content_policy(),
        "cache-control": "no-store, private, max-age=0",
        "referrer-policy": "no-referrer",
        "x-robots-tag": "noindex, nofollow",
    }
    return HTMLResponse(text, status_code=status, headers=headers)
