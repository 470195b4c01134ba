"""The tables of the page, the same for the screen, the mail, the sheet and the paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from outreach.reports.advice import group_name, in_time, median_time
from outreach.reports.indicators.figures import Indicator
from outreach.reports.metrics import DIMENSIONS, NO_RATE, Cell, Data, Figures, fold, total
from outreach.reports.words import Lang, duration, number, percent, say

#: The funnel of the page, in the order in which mail goes.
FUNNEL = ("sent", "accepted", "opened", "clicked", "replied", "inquiries", "orders")
#: How many rows the page shows of a dimension; the sheet has all.
TOP = 6
#: Hours of the heat map; what comes at night is a line of its own.
HOURS = range(6, 22)


@dataclass(frozen=True, slots=True)
class Row:
    """A line: its name, cells as text, the bar's length (0 to 1, None for none), a grey second bar, and a remark.

    `mood`: "good" or "bad" for a rate that stands out, "" else.
    """

    name: str
    cells: tuple[str, ...]
    bar: float | None = None
    was: float | None = None
    remark: str = ""
    mood: str = ""
    link: str | None = None


@dataclass(frozen=True, slots=True)
class TableOf:
    """A titled table; `heads` name the columns, the first of which is the row's name.

    `words`: the cell, from 0, that holds words rather than a figure and may take two lines.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    bars: bool = True
    words: int | None = None


def funnel(data: Data, kind: str, lang: Lang) -> TableOf:
    """This period against the one before."""
    now, before = total(data.cells), total(data.before)
    largest = max(now.sent, before.sent, now.replied, before.replied, 1)
    rows = tuple(
        Row(
            say(name, lang),
            (number(getattr(now, name)), number(getattr(before, name))),
            bar=min(getattr(now, name) / largest, 1.0),
            was=min(getattr(before, name) / largest, 1.0),
        )
        for name in FUNNEL
    )
    last = say(f"before.{kind}", lang)
    title = say("funnel", lang, before=last if lang == "zh" else last.lower())
    return TableOf(title, (say("stage", lang), say(f"now.{kind}", lang), last), rows)


def rates(data: Data, dimension: str, title: str, lang: Lang, figure: str = "replied", top: int = TOP) -> TableOf:
    """A dimension with its rate, the largest groups first."""
    groups = list(fold(data.cells, DIMENSIONS[dimension]).items())
    shown = [(key, own) for key, own in groups if own.sent or own.replied][:top]
    highest = max((own.rate(figure) or 0 for _, own in shown), default=0) or 1
    base = "sent" if figure == "bounced" else "accepted"
    named = _shortened([(group_name(dimension, key, data, lang), own) for key, own in shown])
    rows = tuple(_rate_row(name, own, figure, base, highest, lang) for name, own in named)
    heads = (say(dimension, lang), say("sent" if base == "sent" else "got", lang), say(figure, lang), say("rate", lang))
    return TableOf(title, heads, rows)


def _shortened(named: list[tuple[str, Figures]]) -> list[tuple[str, Figures]]:
    """``sales@``, where every mailbox is of one domain."""
    domains = {name.rpartition("@")[2] for name, _ in named if "@" in name}
    if len(domains) != 1 or any("@" not in name for name, _ in named):
        return named
    return [(name.rpartition("@")[0] + "@", own) for name, own in named]


def _rate_row(name: str, own: Figures, figure: str, base: str, highest: float, lang: Lang) -> Row:
    rate = own.rate(figure)
    cells = (number(getattr(own, base)), number(getattr(own, figure)), percent(rate))
    if rate is None:
        return Row(name, cells, remark=say("norate", lang))
    remark = say("small", lang) if own.is_small else ""
    return Row(name, cells, bar=None if remark else rate / highest, remark=remark)


def contents(data: Data, lang: Lang) -> TableOf:
    """The contents with the best and the worst reply rates; those without a rate are left out."""
    groups = fold(data.cells, DIMENSIONS["content"]).items()
    ranked = sorted(((own.rate("replied"), key, own) for key, own in groups if own.accepted >= NO_RATE), key=_by_rate)
    shown = ranked if len(ranked) <= TOP else [*ranked[: TOP // 2], *ranked[-TOP // 2 :]]
    overall = total(data.cells).rate("replied") or 0
    rows = tuple(
        Row(
            group_name("content", key, data, lang),
            (number(own.accepted), percent(rate)),
            mood="good" if (rate or 0) > overall else "bad" if (rate or 0) < overall / 2 else "",
        )
        for rate, key, own in shown
    )
    return TableOf(
        say("contents", lang), (say("content", lang), say("got", lang), say("reply_rate", lang)), rows, bars=False
    )


def _by_rate(item: tuple[float | None, Any, Figures]) -> tuple[float, int]:
    return (-(item[0] or 0), -item[2].accepted)


def campaigns(data: Data, lang: Lang, base_url: str | None) -> TableOf:
    """The campaigns with most mail."""
    groups = [(key, own) for key, own in fold(data.cells, DIMENSIONS["campaign"]).items() if own.sent or own.replied]
    rows = tuple(
        Row(
            group_name("campaign", key, data, lang),
            (
                number(own.sent),
                number(own.opened),
                number(own.clicked),
                number(own.replied),
                percent(own.rate("replied")),
            ),
            link=f"{base_url}/campaigns/{key}" if base_url else None,
        )
        for key, own in groups[:TOP]
    )
    heads = ("campaign", "sent", "short.opened", "short.clicked", "replied", "rate")
    return TableOf(say("campaigns", lang), tuple(say(head, lang) for head in heads), rows, bars=False)


def people(data: Data, lang: Lang, now: datetime) -> TableOf:
    """Who answered how many letters, how quickly."""
    owners = {answer.owner for answer in data.answers}
    rows = []
    for owner in owners:
        own = [answer for answer in data.answers if answer.owner == owner]
        done, judged = in_time(own, now)
        middle = median_time(own)
        cells = (
            number(len(own)),
            number(sum(a.inquiry for a in own)),
            f"{done} / {judged}",
            duration(middle, lang) if middle else "–",
        )
        mood = "bad" if done < 0.8 * judged else ""
        rows.append(Row(group_name("salesperson", owner, data, lang), cells, mood=mood))
    rows.sort(key=lambda row: -int(row.cells[0].replace(",", "")))
    heads = ("salesperson", "replied", "inquiries", "sameday", "median")
    return TableOf(say("people", lang), tuple(say(head, lang) for head in heads), tuple(rows[:TOP]), bars=False)


def key_figures(pairs: Sequence[tuple[Indicator, Indicator]], kind: str, lang: Lang) -> TableOf:
    """The indicators of the period and of the one before, with what each is counted from."""
    rows = tuple(
        Row(say(f"indicator.{now.name}", lang), (_indicator(now), _behind(now, lang), _indicator(was)))
        for now, was in pairs
    )
    heads = (say("figure", lang), say(f"now.{kind}", lang), say("behind", lang), say(f"before.{kind}", lang))
    return TableOf(say("indicators", lang), heads, rows, bars=False, words=1)


def _indicator(one: Indicator) -> str:
    if one.value is None:
        return "–"
    forms = {"percent": percent(one.value / 100), "score": f"{one.value:.2f} / 5", "points": f"{one.value:,.1f}"}
    return forms.get(one.unit) or number(round(one.value))


def _behind(one: Indicator, lang: Lang) -> str:
    """How many stand behind a figure, and whether they are too few to lean on."""
    told = {
        "campaign_effect": say("accepted_mails", lang, n=number(one.part)),
        "satisfaction": say("answered", lang, n=number(one.part), asked=number(one.whole or 0)),
        "suggestions": say("adopted", lang, n=number(one.part)),
    }.get(one.name, "" if one.whole is None else f"{number(one.part)} / {number(one.whole)}")
    small = one.is_small and one.unit in ("percent", "score")
    return f"{told} · {say('small', lang)}" if small else told


def zone_of(name: str, fallback: str) -> ZoneInfo:
    """The zone of that name, else the office's."""
    try:
        return ZoneInfo(name or fallback)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(fallback)


def reply_hours(replies: Iterable[tuple[datetime, str]], office: str) -> Counter[tuple[int, int]]:
    """(weekday 0 to 6, hour) of each reply, by the clock of who wrote it."""
    local = (at.astimezone(zone_of(zone, office)) for at, zone in replies)
    return Counter((at.weekday(), at.hour) for at in local)


def heat(data: Data, office: str) -> tuple[list[list[int]], int]:
    """Rows Monday to Friday and the weekend, columns HOURS; and how many came at night."""
    found = reply_hours(data.replies, office)
    rows = [[found[day, hour] for hour in HOURS] for day in range(5)]
    rows.append([found[5, hour] + found[6, hour] for hour in HOURS])
    return rows, sum(found.values()) - sum(map(sum, rows))


def sent_hours(data: Data, office: str) -> tuple[dict[int, Figures], dict[int, Figures]]:
    """What was sent by the recipient's hour (0 to 23) and weekday (0 to 6), with what came of it."""
    hours: dict[int, Figures] = {}
    days: dict[int, Figures] = {}
    for hour in data.hours:
        local = hour.at.astimezone(zone_of(hour.zone, office))
        hours[local.hour] = hours.get(local.hour, Figures()) + hour.figures
        days[local.weekday()] = days.get(local.weekday(), Figures()) + hour.figures
    return dict(sorted(hours.items())), dict(sorted(days.items()))


def sums_by(cells: Sequence[Cell], dimension: str, data: Data, lang: Lang) -> list[dict[str, Any]]:
    """Every group of a dimension with all its figures and rates, for JSON and the sheet."""
    found = []
    for key, own in fold(cells, DIMENSIONS[dimension]).items():
        row: dict[str, Any] = {"name": group_name(dimension, key, data, lang)}
        if isinstance(key, int):
            row["id"] = key
        found.append(row | own.as_dict() | rates_of(own))
    return found


def rates_of(own: Figures) -> dict[str, Any]:
    """The rates that people ask for, None under 100 mails, and whether the sample is small."""
    names = ("bounced", "opened", "clicked", "replied", "unsubscribed", "complained")
    return {f"{name}_rate": own.rate(name) for name in names} | {"small_sample": own.is_small}
