"""Makes a report: reads the figures once, then writes them as page, mail, sheet, JSON and paper."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import typst

from outreach.reports.advice import Advice, advise
from outreach.reports.charts import FONTS, trend_png, trend_svg
from outreach.reports.indicators.figures import Indicator, indicators
from outreach.reports.indicators.store import IndicatorStore
from outreach.reports.metrics import DIMENSIONS, NAMES, Data, Figures, total
from outreach.reports.page import build_page, document, fragment
from outreach.reports.period import Period
from outreach.reports.store import ReportStore
from outreach.reports.tables import (
    HOURS,
    TableOf,
    campaigns,
    contents,
    funnel,
    heat,
    key_figures,
    people,
    rates,
    rates_of,
    sent_hours,
    sums_by,
)
from outreach.reports.words import WEEKDAYS, Lang, moment, period_name, say

TEMPLATE = Path(__file__).resolve().with_name("report.typ")
FORMATS = ("html", "json", "xlsx", "pdf")
#: Dimensions of the sheet and of JSON, in the order of the requirement.
LISTED = ("campaign", "region", "industry", "template", "content", "language", "mailbox", "salesperson", "source")
SheetRows = tuple[Sequence[str], Sequence[Sequence[Any]]]
CHART_ID = "trend@outreach.invalid"


@dataclass(frozen=True)
class Report:
    """One period's report in one language. Everything it says is computed from `data`; `now` is when it was read.

    `indicators`: each of the period with that of the one before.
    """

    period: Period
    now: datetime
    data: Data
    lang: Lang = "zh"
    company: str = ""
    base_url: str | None = None
    indicators: tuple[tuple[Indicator, Indicator], ...] = ()

    @cached_property
    def advice(self) -> Advice:
        """The five sentences, and the warnings."""
        return advise(self.data, self.period, self.now, self.lang)

    @property
    def title(self) -> str:
        """每周效果报告 2026-W47."""
        return f"{say(self.period.kind, self.lang)} {self.period.label}"

    def file_name(self, kind: str) -> str:
        """``outreach-weekly-2026-W47.html``."""
        return f"outreach-{self.period.kind}-{self.period.label}.{kind}"

    # -- page and mail ------------------------------------------------------------------------------------------------

    def article(self, chart: str) -> str:
        """The report's HTML with a given picture of the trend."""
        given = (self.data, self.advice, self.period, self.now, self.company, chart, self.base_url, self.indicators)
        return build_page(*given)

    @cached_property
    def key_figures(self) -> TableOf:
        """The indicators as they are shown."""
        return key_figures(self.indicators, self.period.kind, self.lang)

    def fragment(self) -> str:
        """The article with inline styles, for a page of the web app; the chart is a data: picture."""
        return fragment(self.article(self._svg_image()))

    def html(self) -> str:
        """A page that stands alone: prints on A4, opens anywhere, loads nothing."""
        return document(self.article(self._svg_image()), self.title, self.lang)

    def _svg_image(self) -> str:
        svg = base64.b64encode(trend_svg(self.data.trend, self.lang).encode()).decode()
        return self._image(f"data:image/svg+xml;base64,{svg}")

    def _image(self, source: str) -> str:
        words = ", ".join(f"{item.label}: {item.sent:,}" for item in self.data.trend)
        return f'<img class="chart" src="{source}" width="700" alt="{escape(words)}">'

    def mail(self, sender: str, to: Sequence[str], message_id: str) -> bytes:
        """The page as a mail with the workbook attached. `message_id` without angle brackets."""
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"] = sender, ", ".join(to)
        mail["Subject"] = f"{self.title} · {self.company}" if self.company else self.title
        mail["Date"], mail["Message-ID"] = format_datetime(self.now), f"<{message_id}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's vacation answers it
        mail.set_content(self.text())
        html = document(self.article(self._image(f"cid:{CHART_ID}")), self.title, self.lang)
        mail.add_alternative(html, subtype="html")
        chart = trend_png(self.data.trend, self.lang)
        page = mail.get_payload(1)
        page.add_related(chart, "image", "png", cid=f"<{CHART_ID}>", filename="trend.png")  # type: ignore[union-attr]
        kind = "vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        mail.add_attachment(self.xlsx(), "application", kind, filename=self.file_name("xlsx"))
        return mail.as_bytes()

    def text(self) -> str:
        """The sentences and sums, for those who read mail as text."""
        sums = total(self.data.cells)
        lines = [self.title, period_name(self.period, self.lang), ""]
        lines += [f"{index}. {text}" for index, text in enumerate(self.advice.sentences, 1)]
        lines += ["", *(f"{say(name, self.lang)}: {getattr(sums, name):,}" for name in NAMES), ""]
        for row in self.key_figures.rows:
            lines.append(f"{row.name}: {row.cells[0]}" + (f" ({row.cells[1]})" if row.cells[1] else ""))
        lines += [""] if self.indicators else []
        return "\n".join([*lines, *(f"- {text}" for text in self.advice.warnings), ""])

    # -- JSON ---------------------------------------------------------------------------------------------------------

    def json(self) -> dict[str, Any]:
        """Every figure: totals, the period before, and all groups of all dimensions."""
        sums, before = total(self.data.cells), total(self.data.before)
        hours, days = sent_hours(self.data, self.period.zone)
        by: dict[str, Any] = {name: sums_by(self.data.cells, name, self.data, self.lang) for name in LISTED}
        by["hour"] = [{"hour": hour, **_timed(own)} for hour, own in hours.items()]
        by["weekday"] = [{"weekday": day + 1, **_timed(own)} for day, own in days.items()]
        return {
            "kind": self.period.kind,
            "period": self.period.label,
            "from": self.period.first.isoformat(),
            "to": self.period.last.isoformat(),
            "timezone": self.period.zone,
            "generated_at": self.now.isoformat(),
            "language": self.lang,
            "totals": sums.as_dict() | rates_of(sums),
            "previous": {"period": self.period.previous.label, **before.as_dict(), **rates_of(before)},
            "machine_requests": {"opens": self.data.machine_opens, "clicks": self.data.machine_clicks},
            "indicators": [
                {**asdict(one), "previous": was.value, "small_sample": one.is_small} for one, was in self.indicators
            ],
            "by": by,
            "trend": [asdict(item) for item in self.data.trend],
            "sentences": self.advice.sentences,
            "suggestions": self.advice.todo,
            "warnings": self.advice.warnings,
        }

    # -- workbook -----------------------------------------------------------------------------------------------------

    def xlsx(self) -> bytes:
        """A sheet of sums, one a dimension, one of sentences."""
        sums, before = total(self.data.cells), total(self.data.before)
        kind, lang = self.period.kind, self.lang
        heads = (say("figure", lang), say(f"now.{kind}", lang), say(f"before.{kind}", lang), say("rate", lang))
        shares = {name: None if name == "sent" else sums.rate(name) for name in NAMES}
        rows = [(say(name, lang), getattr(sums, name), getattr(before, name), shares[name]) for name in NAMES]
        sheets: dict[str, Any] = {say("overview", lang): (heads, rows)}
        if self.indicators:
            figures = self.key_figures
            sheets[figures.title] = (figures.heads, [(row.name, *row.cells) for row in figures.rows])
        for dimension in LISTED:
            sheets[say(dimension, lang)] = self._sheet(dimension)
        hours, days = sent_hours(self.data, self.period.zone)
        names = {day: WEEKDAYS[lang][day] for day in range(7)}
        sheets[say("hour", lang)] = self._time_sheet("hour", {f"{hour:02}:00": own for hour, own in hours.items()})
        sheets[say("weekday", lang)] = self._time_sheet("weekday", {names[day]: own for day, own in days.items()})
        said = [*self.advice.sentences, *self.advice.warnings]
        sheets[say("findings", lang)] = ((say("findings", lang),), [(text,) for text in said])
        from outreach.reports.workbook import build_workbook  # openpyxl: a fifth of a command's start

        return build_workbook(sheets)

    def _sheet(self, dimension: str) -> SheetRows:
        rows = sums_by(self.data.cells, dimension, self.data, self.lang)
        heads = [say(dimension, self.lang), *(say(name, self.lang) for name in NAMES), say("reply_rate", self.lang)]
        heads += [say("bounce_rate", self.lang), say("small", self.lang)]
        tail = ("replied_rate", "bounced_rate", "small_sample")
        return heads, [[row["name"], *(row[name] for name in (*NAMES, *tail))] for row in rows]

    def _time_sheet(self, dimension: str, sums: dict[str, Figures]) -> SheetRows:
        names = ("sent", "accepted", "bounced", "opened", "clicked", "replied")
        heads = [say(dimension, self.lang), *(say(name, self.lang) for name in names), say("reply_rate", self.lang)]
        rows = [[name, *(getattr(own, n) for n in names), own.rate("replied")] for name, own in sums.items()]
        return heads, rows

    # -- paper --------------------------------------------------------------------------------------------------------

    def pdf(self) -> bytes:
        """The page set by typst on A4."""
        fonts = [str(FONTS)] if FONTS.is_dir() else []
        made = typst.compile(str(TEMPLATE), font_paths=fonts, sys_inputs={"data": json.dumps(self._paper())})
        return bytes(made)

    def _paper(self) -> dict[str, Any]:
        data, lang, zone = self.data, self.lang, self.period.zone
        rows, _ = heat(data, zone)
        tables = {
            "funnel": funnel(data, self.period.kind, lang),
            "regions": rates(data, "region", say("regions", lang), lang, top=7),
            "contents": contents(data, lang),
            "industries": rates(data, "industry", say("industries", lang), lang),
            "campaigns": campaigns(data, lang, None),
            "mailboxes": rates(data, "mailbox", say("mailboxes", lang), lang, "bounced"),
            "people": people(data, lang, self.now),
            "indicators": self.key_figures,
        }
        subtitle = " · ".join(part for part in (period_name(self.period, lang), self.company) if part)
        return {
            "lang": lang,
            "title": say(self.period.kind, lang),
            "label": self.period.label,
            "company": self.company,
            "subtitle": subtitle,
            "asof": f"{say('asof', lang)} {moment(self.now, zone, lang)}",
            "sentences": self.advice.sentences,
            "warnings": self.advice.warnings or ["–"],
            "careful": say("careful", lang),
            "foot": say("foot", lang),
            "tables": {name: asdict(table) for name, table in tables.items()},
            "heat": {
                "title": say("heat", lang, n=len(data.replies)),
                "days": [name.removeprefix("周") for name in WEEKDAYS[lang][:5]] + [say("weekend", lang)],
                "hours": list(HOURS),
                "rows": rows,
                "hottest": max((max(row) for row in rows), default=0) or 1,
            },
            "trend": say("trend", lang, n=len(data.trend)),
            "chart": trend_svg(data.trend, lang) if sum(item.sent > 0 for item in data.trend) > 1 else "",
        }

    def write(self, folder: Path, formats: Collection[str]) -> list[Path]:
        """Write the files and return their paths. Raises ValueError on an unknown format."""
        if unknown := set(formats) - set(FORMATS):
            raise ValueError(f"unknown format {sorted(unknown)[0]!r}: allowed are {', '.join(FORMATS)}")
        folder.mkdir(parents=True, exist_ok=True)
        return [self._write(folder, kind) for kind in FORMATS if kind in formats]

    def _write(self, folder: Path, kind: str) -> Path:
        path = folder / self.file_name(kind)
        if kind == "html":
            path.write_text(self.html(), "utf-8")
        elif kind == "json":
            path.write_text(json.dumps(self.json(), ensure_ascii=False, indent=2) + "\n", "utf-8")
        else:
            path.write_bytes(self.xlsx() if kind == "xlsx" else self.pdf())
        return path


def _timed(own: Figures) -> dict[str, Any]:
    """What is known by hour: the other figures happen at hours of their own."""
    names = ("sent", "accepted", "bounced", "opened", "clicked", "replied")
    return {name: getattr(own, name) for name in names} | {"replied_rate": own.rate("replied")}


async def make_report(
    store: ReportStore,
    period: Period,
    now: datetime,
    *,
    language: Lang = "zh",
    company: str = "",
    base_url: str | None = None,
    owners: Collection[int] | None = None,
    house: IndicatorStore | None = None,
) -> Report:
    """Read the figures of a period. `owners` limits them to those people's customers; `base_url` makes names links.

    `house` adds the indicators: how the service does, beside how the mail does.
    """
    data = await store.data(period, owners)
    pairs: tuple[tuple[Indicator, Indicator], ...] = ()
    if house is not None:
        own, before = [indicators(await house.counts(one, now, owners)) for one in (period, period.previous)]
        pairs = tuple(zip(own, before, strict=True))
    return Report(period, now, data, language, company, base_url, pairs)


assert set(LISTED) == set(DIMENSIONS)
