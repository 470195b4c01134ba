"""The survey's page: no script, nothing from elsewhere, nothing about who asks; GET shows, only POST answers. Pure."""

from __future__ import annotations

import hashlib
import tomllib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import resources

from outreach.tracking.pages import FALLBACK, HEAD_LANGUAGES, RIGHT_TO_LEFT
from outreach.tracking.pages import style as base_style

Words = Mapping[str, str]
SCORES = (1, 2, 3, 4, 5)


@cache
def words() -> Mapping[str, Words]:
    """Language → words, English first."""
    found: dict[str, Words] = tomllib.loads(_file("words.toml"))
    return found


@cache
def style() -> str:
    """The style sheet that stands in the page: the recipient's pages' and the survey's."""
    return f"{base_style()}\n{_file('survey.css').strip()}"


@cache
def content_policy() -> str:
    """Nothing is loaded, nothing runs, forms lead to us, nobody frames the page."""
    digest = b64encode(hashlib.sha256(style().encode()).digest()).decode()
    rules = "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    return f"default-src 'none'; style-src 'sha256-{digest}'; {rules}"


def _file(name: str) -> str:
    return resources.files("outreach.crm.survey").joinpath(name).read_text("utf-8")


def language_known(code: str | None) -> str:
    """Return the language of the page for a contact's (pt-BR → pt); English where there is none."""
    short = (code or "").lower().replace("_", "-").partition("-")[0]
    return short if short in words() else FALLBACK


@dataclass(frozen=True)
class Asked:
    """What the page asks and what was answered before."""

    token: str
    number: str | None = None
    score: int | None = None
    helped: bool | None = None
    text: str = ""
    order: str | None = None


class SurveyPage:
    """Builds the pages of one company."""

    def __init__(self, company: str, postal_address: str = "") -> None:
        self.company, self.postal_address = company, postal_address

    def form(self, lang: str, asked: Asked, *, nothing_chosen: bool = False) -> str:
        """The questions. What was answered before is ticked."""
        w = words()[lang]
        number = asked.number or asked.order
        about = f"<p>{_e(w['case' if asked.number else 'order'].format(number=number))}</p>" if number else ""
        warn = f'<p class="pickfirst" role="alert">{_e(w["pick"])}</p>' if nothing_chosen else ""
        fields = _helped(w, asked.helped) if asked.number else ""
        fields += _score(w, asked.score)
        fields += f'<fieldset><legend class="q">{_e(w["text"])}</legend><textarea name="text" maxlength="4000" '
        fields += f'aria-label="{_e(w["text"])}">{_e(asked.text)}</textarea></fieldset>'
        button = f'<button type="submit" class="wide">{_e(w["send"])}</button>'
        form = f'<form method="post" action="/q/{_e(asked.token)}?lang={lang}">{warn}{fields}{button}</form>'
        return self._page(lang, f'<h1>{_e(w["title"])}</h1>{about}<section class="box">{form}</section>')

    def done(self, lang: str, token: str, helped: bool | None) -> str:
        """The thanks, and the way to change the answer."""
        w = words()[lang]
        told = w["done_no"] if helped is False else w["done_text"]
        back = f'<p><a href="/q/{_e(token)}?lang={lang}">{_e(w["change"])}</a></p>'
        return self._page(
            lang, f'<section class="box done" role="status"><h1>{_e(w["done"])}</h1><p>{_e(told)}</p>{back}</section>'
        )

    def gone(self, lang: str) -> str:
        """A link that cannot be answered any more."""
        w = words()[lang]
        return self._page(lang, f"<h1>{_e(w['gone'])}</h1><p>{_e(w['gone_text'])}</p>")

    def _page(self, lang: str, body: str) -> str:
        direction = ' dir="rtl"' if lang in RIGHT_TO_LEFT else ""
        shown = HEAD_LANGUAGES if lang in HEAD_LANGUAGES else (lang, *HEAD_LANGUAGES[:4])
        links = "".join(_language(code, lang) for code in shown)
        sender = ", ".join(part for part in (self.company, self.postal_address) if part)
        return (
            f'<!doctype html>\n<html lang="{lang}"{direction}><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
            f'<meta name="color-scheme" content="light dark"><title>{_e(words()[lang]["title"])} · {_e(self.company)}'
            f"</title><style>{style()}</style></head><body><main>"
            f'<div class="who"><span class="mark" aria-hidden="true">{_e(self.company[:1].upper())}</span>'
            f'<bdi>{_e(self.company)}</bdi><nav class="langs" aria-label="Language">{links}</nav></div>'
            f"{body}<footer><p><bdi>{_e(sender)}</bdi></p></footer></main></body></html>"
        )


def _helped(w: Words, chosen: bool | None) -> str:
    options = "".join(
        _option("helped", value, w[text], chosen is not None and chosen == (value == "yes"))
        for value, text in (("yes", "yes"), ("no", "no"))
    )
    return f'<fieldset><legend class="q">{_e(w["helped"])}</legend><div class="pick">{options}</div></fieldset>'


def _score(w: Words, chosen: int | None) -> str:
    options = "".join(_option("score", str(score), str(score), score == chosen) for score in SCORES)
    ends = f'<div class="ends" aria-hidden="true"><span>1 = {_e(w["low"])}</span><span>5 = {_e(w["high"])}</span></div>'
    legend = f'<legend class="q">{_e(w["score"])}</legend>'
    return f'<fieldset>{legend}<div class="pick">{options}</div>{ends}</fieldset>'


def _option(name: str, value: str, text: str, on: bool) -> str:
    ticked = " checked" if on else ""
    return f'<label><input type="radio" name="{name}" value="{value}"{ticked}><span>{_e(text)}</span></label>'


def _language(code: str, current: str) -> str:
    here = ' aria-current="true"' if code == current else ""
    return f'<a href="?lang={code}" lang="{code}" hreflang="{code}"{here}>{"中" if code == "zh" else code.upper()}</a>'


def _e(text: str) -> str:
    return escape(text, quote=True)
