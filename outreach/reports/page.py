"""The report as HTML of tables and bars: the same for the screen, the mail and the printer, always light."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from html import escape
from importlib import resources

import css_inline

from outreach.reports.advice import Advice
from outreach.reports.indicators.figures import Indicator
from outreach.reports.metrics import Data
from outreach.reports.period import Period
from outreach.reports.tables import HOURS, Row, TableOf, campaigns, contents, funnel, heat, key_figures, people, rates
from outreach.reports.words import WEEKDAYS, Lang, moment, period_name, say

#: The heat map's ground and its strongest cell; mail clients know no color-mix().
COLD, HOT = (238, 235, 231), (11, 114, 133)
Indicators = Sequence[tuple[Indicator, Indicator]]


def build_page(
    data: Data,
    advice: Advice,
    period: Period,
    now: datetime,
    company: str,
    chart: str,
    base_url: str | None = None,
    indicators: Indicators = (),
) -> str:
    """Return the report's article. `chart` is an ``<img>`` or ``<svg>``; `base_url` makes names lead to their pages.

    `indicators`: each of the period with that of the one before; without any there is no such table.
    """
    lang = advice.lang
    boxes = rates(data, "mailbox", say("mailboxes", lang), lang, "bounced")
    regions = rates(data, "region", say("regions", lang), lang, top=7)
    return (
        f'<article class="o-sheet" lang="{"zh-CN" if lang == "zh" else "en"}">'
        f"{_head(period, now, company, lang)}{_five(advice.sentences)}"
        + _cols(_table(funnel(data, period.kind, lang)), _table(regions))
        + _cols(_table(contents(data, lang)), _table(rates(data, "industry", say("industries", lang), lang)))
        + _cols(_table(campaigns(data, lang, base_url)), _table(boxes))
        + (_table(key_figures(indicators, period.kind, lang)) if indicators else "")
        + _heat(data, period.zone, lang)
        + _trend(data, chart, lang)
        + _cols(_table(people(data, lang, now)), _warnings(advice))
        + f'<p class="foot">{escape(say("foot", lang))}</p></article>'
    )


def _head(period: Period, now: datetime, company: str, lang: Lang) -> str:
    name = escape(" · ".join(part for part in (period_name(period, lang), company) if part))
    asof = f"{say('asof', lang)} {moment(now, period.zone, lang)}"
    title = f'<h1>{say(period.kind, lang)}</h1><span class="sub">{name}</span>'
    cells = f'<td>{title}</td><td align="right" class="dim">{asof}</td>'
    return f'<table class="head" role="presentation"><tr>{cells}</tr></table>'


def _five(sentences: Sequence[str]) -> str:
    rows = "".join(
        f'<tr><td class="n"><b>{index}</b></td><td>{_strong(text)}</td></tr>' for index, text in enumerate(sentences, 1)
    )
    return f'<table class="five" role="presentation">{rows}</table>'


def _strong(text: str) -> str:
    """The call to act stands out."""
    for word in ("请做：", "Please: "):
        if text.startswith(word):
            return f"<b>{word}</b>{escape(text.removeprefix(word))}"
    return escape(text)


def _cols(left: str, right: str) -> str:
    cells = f'<td class="c c1">{left}</td><td class="c c2">{right}</td>'
    return f'<table class="cols" role="presentation"><tr>{cells}</tr></table>'


def _table(table: TableOf) -> str:
    if not table.rows:
        return f'<section><h2>{escape(table.title)}</h2><p class="dim">–</p></section>'
    heads = "".join(
        f'<th{" class=num" if i else ""} scope="col">{escape(text)}</th>' for i, text in enumerate(table.heads)
    )
    bar = '<th class="bar"></th>' if table.bars else ""
    rows = "".join(_row(row, table) for row in table.rows)
    body = f"<thead><tr>{heads}{bar}</tr></thead><tbody>{rows}</tbody>"
    return f'<section><h2>{escape(table.title)}</h2><table class="t">{body}</table></section>'


def _row(row: Row, table: TableOf) -> str:
    name = f'<a class="n" href="{escape(row.link)}">{escape(row.name)}</a>' if row.link else escape(row.name)
    cells = "".join(
        f'<td class="num{" words" if i == table.words else ""}{_look(row, i)}">{escape(text)}</td>'
        for i, text in enumerate(row.cells)
    )
    return f'<tr><td class="name">{name}</td>{cells}{_bars(row) if table.bars else ""}</tr>'


def _look(row: Row, index: int) -> str:
    if row.was is not None:
        return " was" if index == 1 else ""
    return f" {row.mood}" if row.mood and index == len(row.cells) - 1 else ""


def _bars(row: Row) -> str:
    if row.bar is None:
        return f'<td class="bar dim">{escape(row.remark)}</td>'
    grey = "" if row.was is None else _bar(row.was, " w")
    return f'<td class="bar">{_bar(row.bar, "")}{grey}</td>'


def _bar(length: float, look: str) -> str:
    """A table, not a div: Outlook on Windows keeps its width. What is not zero shows at least a sliver."""
    width = max(round(length * 100), 1) if length > 0 else 0
    if not width:
        return ""
    return f'<table class="b{look}" role="presentation" width="{width}%"><tr><td>&nbsp;</td></tr></table>'


def _heat(data: Data, office: str, lang: Lang) -> str:
    rows, night = heat(data, office)
    hottest = max((max(row) for row in rows), default=0) or 1
    days = [name.removeprefix("周") for name in WEEKDAYS[lang][:5]] + [say("weekend", lang)]
    heads = "".join(f'<th scope="col">{hour}</th>' for hour in HOURS)
    body = "".join(
        f'<tr><th class="d" scope="row">{day}</th>{"".join(_heat_cell(n, hottest) for n in row)}</tr>'
        for day, row in zip(days, rows, strict=True)
    )
    title = say("heat", lang, n=len(data.replies))
    rest = f'<p class="dim">{say("night", lang, n=night)}</p>' if night else ""
    table = f'<table class="heat"><thead><tr><th class="d"></th>{heads}</tr></thead><tbody>{body}</tbody></table>'
    return f"<section><h2>{escape(title)}</h2>{table}{rest}</section>"


def _heat_cell(count: int, hottest: int) -> str:
    share = 0.55 * count / hottest
    colour = "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(COLD, HOT, strict=True))
    return f'<td bgcolor="{colour}" style="background:{colour}">{count or ""}</td>'


def _trend(data: Data, chart: str, lang: Lang) -> str:
    if not chart or sum(item.sent > 0 for item in data.trend) < 2:  # one bar is no trend
        return ""
    title = escape(say("trend", lang, n=len(data.trend)))
    return f'<section><h2>{title}</h2><div class="scroll">{chart}</div></section>'


def _warnings(advice: Advice) -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in advice.warnings) or "<li>–</li>"
    return f"<section><h2>{escape(say('careful', advice.lang))}</h2><ul>{items}</ul></section>"


@cache
def _css(name: str) -> str:
    return resources.files("outreach.reports").joinpath(name).read_text("utf-8")


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)


def fragment(article: str) -> str:
    """The article with its styles on every element: for a page that has a style sheet and a policy of its own."""
    found: str = _inliner().inline_fragment(article, _css("report.css"))
    return found


def document(article: str, title: str, lang: Lang) -> str:
    """A whole page: styles inline for mail clients, and a sheet for phones and printers."""
    return (
        f'<!doctype html>\n<html lang="{"zh-CN" if lang == "zh" else "en"}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light">'
        f"<title>{escape(title)}</title><style>body.r{{margin:0;background:#f6f4f1}}{_css('page.css')}</style></head>"
        f'<body class="r">{fragment(article)}</body></html>\n'
    )
