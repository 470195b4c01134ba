"""Jinja2 pages: one environment a language, so that every filter knows how to write."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from outreach.audience.regions import country_name
from outreach.model.task_titles import shown
from outreach.sending.texts import reasons
from outreach.web import format as fmt
from outreach.web.i18n import LANG_ATTRIBUTE, locale, translate, translations
from outreach.web.reasons import explain, explained
from outreach.web.retold import noted, retold
from outreach.web.words import INTENT, TASK, word
from outreach.web.words_audit import act, thing
from outreach.web.words_why import ORIGIN

HTML = Path(__file__).parent / "html"
STATIC = Path(__file__).parent / "static"


@lru_cache
def versions() -> dict[str, str]:
    """What stands behind ?v= in the address of each static file, so that browsers may keep it for ever."""
    text = resources.files("outreach.web").joinpath("static/vendor/manifest.json").read_text()
    known = {f"vendor/{name}": mark for name, mark in json.loads(text)["files"].items()}
    own = {path.name: format(path.stat().st_mtime_ns, "x")[-10:] for path in STATIC.iterdir() if path.is_file()}
    return known | own


def static(name: str) -> str:
    """Return the address of a static file."""
    return f"/static/{name}?v={versions().get(name, '0')}"


def icon(name: str, cls: str = "") -> Markup:
    """Return an icon of the sprite; it says nothing to a screen reader."""
    sprite = static("vendor/icons.svg")
    return Markup('<svg class="icon ti {}" aria-hidden="true"><use href="{}#{}"></use></svg>').format(cls, sprite, name)


@lru_cache
def environment(lang: str) -> Environment:
    """Return the environment of ``zh`` or ``en``."""
    env = Environment(
        loader=FileSystemLoader(HTML),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    catalogue = translations(lang)
    env.install_gettext_callables(catalogue.gettext, catalogue.ngettext, newstyle=True)  # type: ignore[attr-defined]
    env.globals |= {
        "icon": icon,
        "static": static,
        "lang": lang,
        "html_lang": LANG_ATTRIBUTE[lang],
        "intents": list(INTENT),
        "word_icon": lambda kind: TASK.get(kind, ("", "list-check"))[1],
    }
    env.filters |= _filters(lang)
    env.tests["late"] = lambda value, now: value is not None and value < now
    return env


def _filters(lang: str) -> dict[str, Any]:
    return _moments(lang) | _words(lang) | _plain_filters(lang)


def _moments(lang: str) -> dict[str, Any]:
    """Filters that need the page's `now` and `tz`."""

    @pass_context
    def when(ctx: Context, value: datetime | None, tz: str | None = None, show_place: bool = False) -> str:
        return fmt.moment(value, tz or ctx["tz"], lang, now=ctx["now"], show_place=show_place)

    @pass_context
    def short(ctx: Context, value: datetime | None, tz: str | None = None) -> str:
        return fmt.short(value, tz or ctx["tz"], lang, now=ctx["now"])

    @pass_context
    def ago(ctx: Context, value: datetime | None) -> str:
        return fmt.ago(value, lang, now=ctx["now"])

    @pass_context
    def day(ctx: Context, value: date | datetime | None) -> str:
        if value is None:
            return "–"
        if isinstance(value, datetime):
            value = value.astimezone(fmt.zone(ctx["tz"]))
        return fmt.day(value, lang, now=ctx["now"])

    @pass_context
    def now_there(ctx: Context, tz: str) -> str:
        return f"{fmt.place(tz, lang)} {ctx['now'].astimezone(fmt.zone(tz)):%H:%M}"

    @pass_context
    def clock_time(ctx: Context, value: datetime) -> str:
        return f"{value.astimezone(fmt.zone(ctx['tz'])):%H:%M:%S}"

    @pass_context
    def day_mark(ctx: Context, tz: str) -> float:
        return fmt.minute_of_day(ctx["now"], tz)

    named = (when, short, ago, day, now_there, clock_time, day_mark)
    return {one.__name__: one for one in named}


def _words(lang: str) -> dict[str, Any]:
    """Filters that say a stored value in the reader's language."""

    def said(value: str | None, kind: str) -> str:
        if (
            kind in ("skip", "reason") and value and ":" in value
        ):  # the rule or the list that says so stands behind the colon
            head, _, detail = value.partition(":")
            if head == "suppressed":
                detail = translate(lang, word("suppression", detail)[0])
            return translate(lang, "%(what)s (%(why)s)", what=translate(lang, word(kind, head)[0]), why=detail)
        return translate(lang, word(kind, value)[0])

    def badge(value: str | None, kind: str) -> Markup:
        text, cls = word(kind, value)
        return Markup('<span class="badge {}">{}</span>').format(cls, translate(lang, text))

    return {
        "said": said,
        "badge": badge,
        "tongue": lambda title: shown(title, lang),
        "act": lambda code: act(code, lambda text: translate(lang, text)),
        "thing": lambda kind: thing(kind, lambda text: translate(lang, text)),
        "pause_reason": lambda value: pause_text(value, lang),
        "retold": lambda text: retold(text, lang),
        "noted": lambda text: noted(text, lang),
        "origin": lambda source: (
            said(source.partition(":")[0], "origin") if source.partition(":")[0] in ORIGIN else source
        ),
        "explained": lambda reason, detail="": explained(reason, lang, detail)[0],
        "remedy": lambda reason, detail="": explained(reason, lang, detail)[1],
        "language_name": lambda code: language_name(code, lang),
        "country": lambda code: country_name(code, lang) if code else "–",
        "duration": lambda value: fmt.duration(value, lang),
    }


def _plain_filters(lang: str) -> dict[str, Any]:
    def sorter(path: str, wanted: Any) -> Any:
        return lambda sort: wanted.url(path, sort=sort, offset=0)

    def leafer(path: str, wanted: Any) -> Any:
        return lambda offset: wanted.url(path, offset=offset)

    return {
        "sorter": sorter,
        "leafer": leafer,
        "with": lambda values, more: {**values, **more},
        "as_problem": lambda problem: problem.as_dict(),
        "as_moment": _as_moment,
        "number": fmt.number,
        "weekday_name": lambda value: fmt.weekday(value, lang),
        "month_name": lambda value: fmt.month(value, lang),
        "day_number": lambda value: fmt.day_number(value, lang),
        "initials": fmt.initials,
        "size": fmt.size,
        "lines": lambda text: Markup("<br>").join(escape(line) for line in str(text).splitlines()),
        "json_attr": lambda value: json.dumps(value, ensure_ascii=False, default=_plain),
    }


def language_name(code: str, lang: str) -> str:
    """A language's name in the reader's: de → German, 德语."""
    try:
        return str(Locale.parse(code.replace("-", "_")).get_display_name(locale(lang)) or code)
    except (UnknownLocaleError, ValueError):
        return code


def pause_text(value: str | None, lang: str) -> str:
    """Why a campaign or mailbox was paused: sending's words for its codes, our own sentences, a person's as they are."""
    code, _, detail = (value or "").partition(": ")
    code = code.replace("_", "-")  # events and sending spell the same reasons differently
    if code not in reasons():
        return retold(value, lang)
    told = explain(code, lang)
    return f"{told} ({retold(detail, lang)})" if detail else told


def _as_moment(value: datetime | str | None) -> datetime | None:
    """A moment that an aggregate gave back as SQLite's text."""
    if value is None or value == "":
        return None
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _plain(value: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def render(lang: str, template: str, **context: Any) -> str:
    """Return a page or a part of one. The context needs `now`, `tz` and what the template names."""
    return environment(lang).get_template(template).render(**context)
