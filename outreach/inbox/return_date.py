"""The first day back that an absence note states. Pure: the note's own Date is "today"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from outreach.inbox.fold import fold
from outreach.inbox.phrases import any_of, languages, patterns, table

LIMIT = 4_000  # characters of a note that are read
_AHEAD = timedelta(days=400)  # a parental leave is a year; what lies further ahead is another number
_YEARS = range(1971, 2200)  # others are a part number or a broken clock, and their arithmetic overflows
_PAST = timedelta(days=3)  # a note may still run on the day after
_DAY = r"(\d{1,2})(?:st|nd|rd|th|er|eme|a|o|\.|-go|')?"
_NUMERIC = re.compile(
    r"(?<![\d.])(?:(\d{4})[-/.年]\s?(\d{1,2})[-/.月]\s?(\d{1,2})[日号號]?|(\d{1,2})([./-])(\d{1,2})(?:\5(\d{4}|\d{2})|\.)?(?!\d))"
)
_CJK = re.compile(r"(?:(\d{4})\s?[年년]\s?)?(?<!\d)(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日号號일]?")
_CJK_DAY = re.compile(r"(?<![\d月월.:/-])(?<![月월] )(\d{1,2})\s?[日号號일](?![작내의동間间])")
_VIETNAMESE = re.compile(r"(\d{1,2}) (?:thang|/) ?(\d{1,2})(?:(?: nam |[/ ,]+)(\d{4}))?")


@dataclass(frozen=True)
class Found:
    start: int
    end: int
    day: date


@cache
def _months() -> tuple[re.Pattern[str], dict[str, int]]:
    """One expression for the names of months of all languages, and (language.index → month) by group name."""
    names = [
        (pattern, number % 12 + 1)
        for language in languages()
        for number, pattern in enumerate(table(language).get("return_date", {}).get("months", ()))
    ]
    groups = [f"(?P<m{at}>{fold(pattern)})" for at, (pattern, _) in enumerate(names)]
    return re.compile("(?<!\\w)(?:" + "|".join(groups) + ")\\.?(?!\\w)"), {
        f"m{at}": number for at, (_, number) in enumerate(names)
    }


_BEFORE = re.compile(rf"(?<!\d){_DAY}(?: de| of| d')? ?$")
_AFTER = re.compile(r"^,? ?(?:de |of )?(\d{4})\b")
_DAY_AFTER = re.compile(rf"^ (?:the )?{_DAY}(?![\d:])(?:,? (\d{{4}}))?")


def return_date(text: str, today: date | None) -> date | None:
    """The first day back stated in `text`; None when it states none. Years left out count from `today`."""
    if today and today.year not in _YEARS:
        today = None
    low = re.sub(r"\s+", " ", fold(text[:LIMIT]))
    found = dates(low, today)
    judged = [(cue, item) for at, item in enumerate(found) if (cue := _cue(low, found, at))]
    for wanted in ("back", "until"):
        days = [item.day for at, (cue, item) in enumerate(judged) if cue == wanted and not _begins_range(judged, at)]
        if days:
            last = max(days)
            return last if wanted == "back" else last + timedelta(days=1)
    return _by_weekday(low, today)


def dates(low: str, today: date | None) -> list[Found]:
    """Every date in folded text, in its order."""
    out: list[Found] = []
    for source in (_named, _chinese, _numbers, _spoken):
        for item in source(low, today):
            if all(item.end <= other.start or item.start >= other.end for other in out):
                out.append(item)
    out.sort(key=lambda item: item.start)
    for item in _days_only(low, out):
        if all(item.end <= other.start or item.start >= other.end for other in out):
            out.append(item)
    return sorted(out, key=lambda item: item.start)


def _named(low: str, today: date | None) -> list[Found]:
    out = []
    pattern, numbers = _months()
    for name in pattern.finditer(low):
        month = numbers[name.lastgroup or ""]
        head = _BEFORE.search(low[max(0, name.start() - 12) : name.start()])
        tail = _AFTER.match(low[name.end() : name.end() + 10])
        start, end = name.start(), name.end() + (tail.end() if tail else 0)
        if head:
            day, year = int(head[1]), tail[1] if tail else None
            start = name.start() - (len(head[0]))
        elif after := _DAY_AFTER.match(low[name.end() : name.end() + 16]):
            day, year, end = int(after[1]), after[2], name.end() + after.end()
        else:
            continue
        if when := _nearest(year, month, day, today):
            out.append(Found(start, end, when))
    return out


def _chinese(low: str, today: date | None) -> list[Found]:
    return [
        Found(m.start(), m.end(), when)
        for m in _CJK.finditer(low)
        if (when := _nearest(m[1], int(m[2]), int(m[3]), today))
    ]


def _numbers(low: str, today: date | None) -> list[Found]:
    out = []
    for m in _NUMERIC.finditer(low):
        if m[1]:
            when = _make(int(m[1]), int(m[2]), int(m[3]))
        else:
            year = m[7] and ("20" + m[7] if len(m[7]) == 2 else m[7])
            when = _either_order(int(m[4]), int(m[6]), year, today, european=m[5] == ".")
        if when:
            out.append(Found(m.start(), m.end(), when))
    return out


def _either_order(a: int, b: int, year: str | None, today: date | None, *, european: bool) -> date | None:
    """Day first, or month first as Americans write: the one that lies ahead and nearer."""
    options = [_nearest(year, b, a, today)] + ([] if european else [_nearest(year, a, b, today)])
    known = [when for when in options if when]
    if today:
        known = [when for when in known if today - _PAST <= when <= today + _AHEAD] or known
        return min(known, key=lambda when: abs(when - today), default=None)
    return known[0] if known else None


def _spoken(low: str, today: date | None) -> list[Found]:
    return [
        Found(m.start(), m.end(), when)
        for m in _VIETNAMESE.finditer(low)
        if (when := _nearest(m[3], int(m[2]), int(m[1]), today))
    ]


def _days_only(low: str, known: list[Found]) -> list[Found]:
    """ "from 1 to 7 October, back on the 8th": a bare Chinese or Korean day takes its month from the date before it."""
    out = []
    for m in _CJK_DAY.finditer(low):
        before = [item for item in known if item.end <= m.start()]
        if not before:
            continue
        last = before[-1].day
        when = _make(last.year, last.month, int(m[1]))
        if when and when < last:
            when = _make(last.year + last.month // 12, last.month % 12 + 1, int(m[1]))
        if when:
            out.append(Found(m.start(), m.end(), when))
    return out


def _nearest(year: str | None, month: int, day: int, today: date | None) -> date | None:
    if year:
        return _make(int(year), month, day)
    if today is None:
        return None
    options = [when for y in (today.year, today.year + 1) if (when := _make(y, month, day))]
    return next((when for when in options if when >= today - _PAST), None)


def _make(year: int, month: int, day: int) -> date | None:
    if year not in _YEARS:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _begins_range(judged: list[tuple[str, Found]], at: int) -> bool:
    """ "from 20 November to 7 December" in a language whose "from" also means "again from"."""
    if at + 1 >= len(judged):
        return False
    (_, item), (cue, later) = judged[at], judged[at + 1]
    return cue == "until" and later.start - item.end < 16 and item.day <= later.day


@cache
def _cue_before(name: str) -> re.Pattern[str]:
    day = "|".join(pattern for _, pattern in patterns("return_date", "weekdays"))
    filler = (
        rf"(?:[\s,(:]|(?<!\w)(?:{day})\w*|(?<!\w)(?:the|den?|am|dem|le|el|il|o|dia|om|on|ngay|dnia|в|с|يوم|op)(?!\w))*"
    )
    return any_of("return_date", name, rf"(?:{{}}){filler}$")


@cache
def _cue_after(name: str) -> re.Pattern[str]:
    return any_of("return_date", name, r"^[\s,'(]{0,3}(?:[a-z]{1,3} )?(?:{})")


def _cue(low: str, found: list[Found], at: int) -> str | None:
    """ "back": that day; "until": the day before the first day back; None: another date."""
    item = found[at]
    floor = found[at - 1].end if at else 0
    before = low[max(floor, item.start - 60) : item.start]
    after = low[item.end : found[at + 1].start if at + 1 < len(found) else item.end + 45][:45]
    if _cue_after("back_after").match(after):
        return "back"
    if _cue_after("until_after").match(after):
        return "until"
    if _NOT_UNTIL.search(before):
        return "back"
    if _cue_before("until").search(before):
        return "until"
    return "back" if _cue_before("back").search(before) else None


_NOT_UNTIL = re.compile(r"(?:not|n't|erst) (?:be |\w+ ){0,4}(?:until|till|am|ab)[^.]{0,20}$")


def _by_weekday(low: str, today: date | None) -> date | None:
    """ "back Monday": the next one."""
    if today is None:
        return None
    for language in languages():
        rules = table(language).get("return_date", {})
        for number, name in enumerate(rules.get("weekdays", ())):
            back = "|".join(fold(pattern) for pattern in rules.get("back", ()))
            if back and re.search(rf"(?<!\w)(?:{back})[\s,]*(?:on |am |el |le |next )?{fold(name)}", low):
                return today + timedelta(days=(number - today.weekday() - 1) % 7 + 1)
    return None
