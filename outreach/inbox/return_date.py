"""The first day back, from an absence note. Pure: the mail's own date tells the year.

"until 5 December" means the 6th, "back on 8 December" the 8th. What is not clear gives None.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from outreach.inbox.fold import fold

MONTHS: dict[str, int] = {}
for _number, _names in enumerate(
    (
        "january jan januar janvier enero janeiro gennaio gen января январь ocak يناير januari stycznia styczen thang1 janv ene",
        "february feb februar fevrier febrero fevereiro febbraio fev февраля февраль subat فبراير februari lutego fevr",
        "march mar marz mars marzo marco марта март mart مارس maart marca mrz",
        "april apr avril abril aprile апреля апрель nisan ابريل kwietnia avr abr",
        "may mai mayo maio maggio мая май mayis مايو mei maj maja mag",
        "june jun juni juin junio junho giugno июня июнь haziran يونيو czerwca giu",
        "july jul juli juillet julio julho luglio июля июль temmuz يوليو lipca juil lug",
        "august aug aout agosto августа август agustos اغسطس augustus augusti sierpnia ago",
        "september sep sept septembre septiembre setembro settembre сентября сентябрь eylul سبتمبر wrzesnia set",
        "october oct oktober octobre octubre outubro ottobre октября октябрь ekim اكتوبر okt pazdziernika out ott",
        "november nov novembre noviembre novembro ноября ноябрь kasim نوفمبر listopada",
        "december dec dezember dez decembre diciembre dezembro dicembre декабря декабрь aralik ديسمبر grudnia dic",
    ),
    1,
):
    for _name in _names.split():
        MONTHS[_name] = _number
_NAME = "|".join(sorted(MONTHS, key=len, reverse=True))
_DATES = (
    re.compile(r"(?P<y>\d{4})\s?[年년]\s?(?P<m>\d{1,2})\s?[月월]\s?(?P<d>\d{1,2})\s?[日号號일]?"),
    re.compile(r"(?P<m>\d{1,2})\s?[月월]\s?(?P<d>\d{1,2})\s?[日号號일]?"),
    re.compile(r"\b(?P<y>20\d{2})[./-](?P<m>\d{1,2})[./-](?P<d>\d{1,2})\b"),
    re.compile(r"\b(?P<a>\d{1,2})(?P<sep>[./-])(?P<b>\d{1,2})(?:(?P=sep)(?P<y>\d{4}|\d{2})\b|\.?(?!\d))"),
    re.compile(
        rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th|er|º|°|\.|го)?\s*(?:de |of |di |d')?(?P<n>{_NAME})\b\.?"
        rf"(?:,?\s*(?:de |del )?(?P<y>20\d{{2}}))?"
    ),
    re.compile(rf"\b(?P<n>{_NAME})\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s*(?P<y>20\d{{2}}))?"),
    re.compile(r"\bngay\s+(?P<d>\d{1,2})\s+thang\s+(?P<m>\d{1,2})(?:\s+nam\s+(?P<y>20\d{2}))?"),
)
# words before a date that make it the first day back …
_BACK = re.compile(
    r"(?:back|return\w*|resum\w*|again (?:on|from)|available (?:again )?(?:on|from)|reopen\w*|wieder|zuruck|ab dem|ab|de retour|retour|reprend\w*|rouvr\w*|a partir d\w+|"
    r"regres\w*|vuelv\w*|volver\w*|retorn\w*|reincorpor\w*|rientr\w*|torner\w*|tornat\w*|di nuovo|dal|riapr\w*|reabr\w*|вернусь|верн\w*|выхожу|выйду|возвращ\w*|снова|с|"
    r"ساعود|اعود|العوده|عودتي|نعود|don(?:ecegim|us)\w*|isbasi\w*|tro lai|quay lai|di lam lai|terug|weer|wracam|powrot\w*|ater|tillbaka|tillgangli\w*|от)\W{0,3}(?:\S+\s){0,4}$"
)
# … or words that make it the last day away
_UNTIL = re.compile(
    r"(?:until|till|til|through|thru|to|up to|-|bis(?: einschliesslich| zum| einschl\.?)*|jusqu'?(?:a|au|'au)?|au|hasta|ate|al|fino(?: a\w*)?|sino al|по|до|حتي|الي|لغايه|kadar|den|het|t/m|tot|do|till och med|t\.o\.m\.?|~|至|到|から|부터)\W{0,3}(?:\S+\s){0,2}$"
)
_AFTER_BACK = re.compile(
    r"^.{0,12}?(?:返回|回(?:到|来|公司|办公室)?|上班|恢复|恢復|復帰|より(?:通常|出社|営業)|から(?:出社|通常|営業|業務)|に(?:復帰|戻|出社)|복귀|출근|부터 ?(?:정상|업무|출근)|tarihinde (?:don|ofis|is)|(?:tarihinden|'?d[ae]n) itibaren|起(?:恢复|恢復|上班|正常)|回覆|再)"
)
_AFTER_UNTIL = re.compile(r"^.{0,8}?(?:まで|迄|까지|tarihine kadar|'?(?:e|a|ye|ya) kadar|之前|止|为止|為止)")
_EXCLUSIVE = re.compile(r"^.{0,8}?(?:之前|以前|vor)")


def return_date(text: str, sent: date | None) -> date | None:
    """The first day back named in `text`; `sent` is the day on which the note was written (None: no year is inferred)."""
    low = fold(text)
    american = bool(re.search(r"\b(?:office|until|return|back|vacation|through)\b", low))
    back: list[date] = []
    until: list[date] = []
    for start, end, found in _dates(low, sent, american):
        before, after = low[max(0, start - 45) : start], low[end : end + 20]
        if _AFTER_BACK.search(after):
            back.append(found)
        elif _AFTER_UNTIL.search(after) or (_UNTIL.search(before) and not _not_return(before)):
            until.append(found)
        elif _BACK.search(before):
            back.append(found)
    if back:
        return max(back)
    return max(until) + timedelta(days=1) if until else None


def _not_return(before: str) -> bool:
    """ "not return until 30 November" names the day of the return itself."""
    return bool(
        re.search(
            r"(?:not (?:return|be back|be in|be available)|back|closed until reopening|return)\W+(?:\S+\s){0,3}(?:until|till)\W*(?:\S+\s){0,2}$",
            before,
        )
    )


def _dates(low: str, sent: date | None, american: bool) -> list[tuple[int, int, date]]:
    found: list[tuple[int, int, date]] = []
    taken: list[tuple[int, int]] = []
    for pattern in _DATES:
        for match in pattern.finditer(low):
            if any(a < match.end() and match.start() < b for a, b in taken):
                continue
            day = _day(match, sent, american)
            if day is not None:
                taken.append(match.span())
                found.append((*match.span(), day))
    return sorted(found)


def _day(match: re.Match[str], sent: date | None, american: bool) -> date | None:
    parts = match.groupdict()
    if "a" in parts:
        first, second = int(parts["a"]), int(parts["b"])
        month_first = (american and parts["sep"] == "/" and second > 12) or second > 12
        if american and parts["sep"] == "/" and first <= 12 and second <= 12:
            month_first = _closer(first, second, sent)
        day, month = (second, first) if month_first else (first, second)
    else:
        day = int(parts["d"])
        month = MONTHS[parts["n"]] if parts.get("n") else int(parts["m"])
    year = parts.get("y")
    return _dated(int(year) + (2000 if len(year) == 2 else 0) if year else None, month, day, sent)


def _closer(first: int, second: int, sent: date | None) -> bool:
    """Month first when that reading lies nearer ahead: 11/12 in an English note may be either."""
    if sent is None:
        return True
    readings = [_dated(None, first, second, sent), _dated(None, second, first, sent)]
    ahead = [abs((day - sent).days) if day else 9999 for day in readings]
    return ahead[0] <= ahead[1]


def _dated(year: int | None, month: int, day: int, sent: date | None) -> date | None:
    try:
        if year is not None:
            return date(year, month, day)
        if sent is None:
            return None
        found = date(sent.year, month, day)
        return found if (sent - found).days < 60 else date(sent.year + 1, month, day)
    except ValueError:
        return None
