"""The recipient's pages: leave with one press, or get fewer. No script, no third party, nothing about who asks.

A page is the same for a genuine and a guessed token: it never shows an address.
"""

from __future__ import annotations

import hashlib
import tomllib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from html import escape
from importlib import resources

from babel.dates import format_date

from outreach.tracking.forms import PAUSE_DAYS

RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
FALLBACK = "en"
#: How many languages stand at the head of the page; all of them stand at its foot.
HEAD_LANGUAGES = ("en", "zh", "de", "es", "fr")

Words = Mapping[str, str]


@cache
def words() -> Mapping[str, Words]:
    """Language → words, English first."""
    found: dict[str, Words] = tomllib.loads(_file("pages.toml"))
    return found


@cache
def style() -> str:
    """The style sheet that stands in each page."""
    return _file("page.css").strip()


@cache
def content_policy() -> str:
    """Nothing is loaded, nothing runs, forms lead to us, nobody frames the page."""
    digest = b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )


def _file(name: str) -> str:
    return resources.files("outreach.tracking").joinpath(name).read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes: shown on every page, as the law asks (H4)."""

    company: str
    postal_address: str = ""
    website: str | None = None


@dataclass(frozen=True, slots=True)
class Topic:
    """Something one may want to hear about. `title` and `small` by language; None: the shipped words of `key`."""

    key: str
    title: Mapping[str, str] | None = None
    small: Mapping[str, str] | None = None

    def text(self, part: str, language: str) -> str:
        """The title ("") or the small print ("_small")."""
        own = self.small if part else self.title
        if own is None:
            return words()[language].get(self.key + part, "" if part else self.key)
        return own.get(language) or own.get(FALLBACK) or ""


DEFAULT_TOPICS = (Topic("new"), Topic("show"), Topic("price"))


def choose_language(asked: str, known: str | None, accepted: str) -> str:
    """Return the language of the page: the one chosen there, the mail's, the browser's (RFC 9110 12.5.4), English."""
    browser = [part.partition(";")[0] for part in accepted[:200].split(",")]
    for wish in (asked, known or "", *browser):
        short = wish.strip().lower().partition("-")[0]
        if short in words():
            return short
    return FALLBACK


class Pages:
    """Builds the pages of one sender."""

    def __init__(self, sender: Sender, topics: Sequence[Topic] = ()) -> None:
        self.sender = sender
        self.topics = tuple(topics) or DEFAULT_TOPICS

    def offer(self, topics: Sequence[Topic]) -> None:
        """The company asks about other topics now."""
        self.topics = tuple(topics)

    def signed_by(self, sender: Sender) -> None:
        """The company's name or address has changed."""
        self.sender = sender

    def stop(
        self, lang: str, token: str, wanted: frozenset[str], often: int | None, paused: datetime | None = None
    ) -> str:
        """Before: one press to leave, or fewer. `paused`: until when nothing is sent, None without a pause."""
        w = words()[lang]
        button = _button(w["stop_button"], {"List-Unsubscribe": "One-Click"}, "wide")
        head = f"<h1>{_e(w['stop'])}</h1><p>{_e(w['stop_text'])}</p>"
        leave = f'<section class="box">{_form(f"/u/{token}", lang, button)}</section>'
        return self._page(lang, token, head + leave + self._chooser(lang, token, w["fewer"], wanted, often, paused))

    def done(self, lang: str, token: str, at: datetime) -> str:
        """After: what happens now, and the way back. Nothing is ticked."""
        w = words()[lang]
        day = format_date(at.astimezone(UTC), "long", locale=lang)
        when = f"{day}, {at.astimezone(UTC):%H:%M} UTC"
        text = f"<p>{_e(w['done_text'].format(when=when))}</p><p>{_e(w['done_but'])}</p>"
        undo = _form(f"/u/{token}", lang, _button(w["undo"], {"undo": "1"}, "q"))
        box = _done(w["done"], text + undo)
        return self._page(lang, token, box + self._fewer(lang, token, w["between"], frozenset(), None))

    def preferences(
        self,
        lang: str,
        token: str,
        wanted: frozenset[str],
        often: int | None,
        paused: datetime | None = None,
        counted: bool = True,
    ) -> str:
        """What one may choose, and the way out; a running pause first. `counted`: whether opens and clicks are."""
        w = words()[lang]
        head = f"<h1>{_e(w['prefs'])}</h1><p>{_e(w['prefs_text'])}</p>"
        leave = _form(f"/p/{token}", lang, _button(w["stop_button"], {"List-Unsubscribe": "One-Click"}, "q wide"))
        chooser = self._chooser(lang, token, "", wanted, often, paused, counted)
        return self._page(lang, token, f'{head}{chooser}<section class="box">{leave}</section>')

    def told(self, lang: str, token: str, what: str) -> str:
        """A confirmation: ``saved``, ``back``, ``resumed`` or ``asked``."""
        w = words()[lang]
        return self._page(lang, token, _done(w[what], f"<p>{_e(w[what + '_text'])}</p>"))

    def gone(self, lang: str) -> str:
        """A link that cannot be followed."""
        w = words()[lang]
        return self._page(lang, "", f"<h1>{_e(w['gone'])}</h1><p>{_e(w['gone_text'])}</p>")

    def _chooser(
        self,
        lang: str,
        token: str,
        title: str,
        wanted: frozenset[str],
        often: int | None,
        paused: datetime | None,
        counted: bool | None = None,
    ) -> str:
        fewer = self._fewer(lang, token, title, wanted, often, pause=paused is None, counted=counted)
        return fewer if paused is None else _pause(lang, token, paused) + fewer

    def _fewer(
        self,
        lang: str,
        token: str,
        title: str,
        wanted: frozenset[str],
        often: int | None,
        *,
        pause: bool = True,
        counted: bool | None = None,
    ) -> str:
        w = words()[lang]
        boxes = "".join(self._topic(topic, lang, topic.key in wanted) for topic in self.topics)
        stop = _check("pause", str(PAUSE_DAYS), w["pause"], w["pause_small"], False) if pause else ""
        ticks = f"{boxes}{_often(w, often)}{stop}{_counted(w, counted)}"
        fields = f"<fieldset><legend>{_e(w['about'])}</legend>{ticks}</fieldset>"
        head = f"<h2>{_e(title)}</h2>" if title else ""
        button = _button(w["save"], {"save": "1"}, "q" if title else "")
        return f'<section class="box">{head}{_form(f"/p/{token}", lang, fields + button)}</section>'

    def _topic(self, topic: Topic, lang: str, on: bool) -> str:
        return _check("topic", topic.key, topic.text("", lang), topic.text("_small", lang), on)

    def whole(self, lang: str, body: str) -> str:
        """A page of another stage's in the same frame: without the links that need a mail's token."""
        return self._page(lang, "", body)

    def _page(self, lang: str, token: str, body: str) -> str:
        w, company = words()[lang], self.sender.company
        direction = ' dir="rtl"' if lang in RIGHT_TO_LEFT else ""
        return (
            f'<!doctype html>\n<html lang="{lang}"{direction}><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
            '<meta name="color-scheme" content="light dark">'
            f"<title>{_e(w['title'].format(company=company))}</title><style>{style()}</style></head><body><main>"
            f'<div class="who"><span class="mark" aria-hidden="true">{_e(company[:1].upper())}</span>'
            f"<bdi>{_e(company)}</bdi>{_head_languages(lang)}</div>"
            f"{body}{self._foot(lang, token)}</main></body></html>"
        )

    def _foot(self, lang: str, token: str) -> str:
        w = words()[lang]
        parts = (self.sender.company, self.sender.postal_address)
        sender = f"<p><bdi>{_e(', '.join(part for part in parts if part))}</bdi></p>"
        buttons = (_button(w[ask], {"request": ask}, "l") for ask in ("access", "erase", "complain"))
        asks = "".join(_form(f"/p/{token}", lang, button) for button in buttons) if token else ""
        asks += f'<a href="/v/?lang={lang}">{_e(w["report"])}</a>'
        links = "".join(_language(code, texts["name"], "") for code, texts in words().items())
        return f'<footer>{sender}<div class="asks">{asks}</div><nav class="all">{links}</nav></footer>'


def _e(text: str) -> str:
    return escape(text, quote=True)


def _form(action: str, lang: str, inner: str) -> str:
    return f'<form method="post" action="{action}?lang={lang}">{inner}</form>'


def _button(text: str, hidden: Mapping[str, str], look: str) -> str:
    fields = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in hidden.items())
    return f'{fields}<button type="submit" class="{look}">{_e(text)}</button>'


def _check(name: str, value: str, text: str, small: str, on: bool) -> str:
    ticked = " checked" if on else ""
    box = f'<input type="checkbox" name="{name}" value="{_e(value)}"{ticked}>'
    return f"<label>{box}<span>{_e(text)}<small>{_e(small)}</small></span></label>"


def _counted(w: Words, on: bool | None) -> str:
    """The tick for counting; a tick that is taken out sends nothing, so a field says that it was shown."""
    if on is None:
        return ""
    return '<input type="hidden" name="counts" value="1">' + _check("count", "1", w["count"], w["count_small"], on)


def _often(w: Words, often: int | None) -> str:
    choices = (("", "often_any", None), ("4", "often_week", 4), ("1", "often_month", 1))
    options = "".join(
        f'<option value="{value}"{" selected" if often == number else ""}>{_e(w[text])}</option>'
        for value, text, number in choices
    )
    return f'<label class="s"><span>{_e(w["often"])}</span><select name="often">{options}</select></label>'


def _pause(lang: str, token: str, until: datetime) -> str:
    """A running pause: its last day, and the way to end it."""
    w = words()[lang]
    day = format_date(until.astimezone(UTC), "long", locale=lang)
    button = _form(f"/p/{token}", lang, _button(w["resume"], {"resume": "1"}, "q"))
    head = f"<h2>{_e(w['paused'].format(day=day))}</h2><p>{_e(w['paused_text'])}</p>"
    return f'<section class="box pause">{head}{button}</section>'


def _done(title: str, inner: str) -> str:
    return f'<section class="box done" role="status"><h1>{_e(title)}</h1>{inner}</section>'


def _head_languages(lang: str) -> str:
    shown = HEAD_LANGUAGES if lang in HEAD_LANGUAGES else (lang, *HEAD_LANGUAGES[:4])
    links = "".join(_language(code, "中" if code == "zh" else code.upper(), lang) for code in shown)
    return f'<nav class="langs" aria-label="Language">{links}</nav>'


def _language(code: str, name: str, current: str) -> str:
    here = ' aria-current="true"' if code == current else ""
    return f'<a href="?lang={code}" lang="{code}" hreflang="{code}"{here}>{_e(name)}</a>'
