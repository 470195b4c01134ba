"""How numbers, moments and durations are written. Pure; every moment is aware, `now` is an argument."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date

from outreach.web.i18n import locale, translate, translations


def number(value: float | int | None) -> str:
    """1234.5 → "1,234.5"; None → an en dash."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}".rstrip("0").rstrip(".")


def rate(part: int, base: int, *, least: int = 1) -> str:
    """Part of base in percent with one digit; a dash when the base is below `least`."""
    if base < max(least, 1):
        return "–"
    return f"{100 * part / base:.1f}%"


def share(part: float, base: float) -> float:
    """Part of base in percent for the width of a bar, 0 to 100."""
    return round(min(100.0, max(0.0, 100 * part / base)), 2) if base else 0.0


#: Zones that CLDR's translations know by their older name.
CLDR_NAMES = {
    "Asia/Kolkata": "Asia/Calcutta",
    "Asia/Ho_Chi_Minh": "Asia/Saigon",
    "Asia/Kathmandu": "Asia/Katmandu",
    "Asia/Yangon": "Asia/Rangoon",
    "Europe/Kyiv": "Europe/Kiev",
    "America/Argentina/Buenos_Aires": "America/Buenos_Aires",
    "America/Nuuk": "America/Godthab",
    "Atlantic/Faroe": "Atlantic/Faeroe",
    "Africa/Asmara": "Africa/Asmera",
}


@lru_cache(maxsize=512)
def zone(name: str | None) -> ZoneInfo:
    """Return a time zone; unknown names read UTC."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


@lru_cache(maxsize=2048)
def place(tz: str, lang: str) -> str:
    """The city that a time zone is named after, in the reader's language: America/Denver → Denver, 丹佛."""
    if tz in ("", "UTC", "Etc/UTC"):
        return "UTC"
    known = locale(lang).time_zones.get(CLDR_NAMES.get(tz, tz), {})
    return str(known["city"] if "city" in known else tz.rsplit("/", 1)[-1].replace("_", " "))


def day(value: datetime | date, lang: str, *, now: datetime | None = None) -> str:
    """``11月24日 周二`` or ``Tue 24 Nov``, with the year when it is not this one."""
    other_year = now is not None and value.year != now.year
    if lang == "zh":
        pattern = "y年M月d日 EEE" if other_year else "M月d日 EEE"
    else:
        pattern = "EEE d MMM y" if other_year else "EEE d MMM"
    return format_date(value, pattern, locale=locale(lang))


def weekday(value: datetime | date, lang: str) -> str:
    """``周二`` or ``Tue``."""
    return format_date(value, "EEE", locale=locale(lang))


def month(value: date, lang: str) -> str:
    """``2026年11月`` or ``November 2026``."""
    return format_date(value, "y年M月" if lang == "zh" else "MMMM y", locale=locale(lang))


def day_number(value: date, lang: str) -> str:
    """The day of the month; a month's first day names the month: ``12月1日``, ``1 Dec``."""
    if value.day > 1:
        return str(value.day)
    return format_date(value, "M月d日" if lang == "zh" else "d MMM", locale=locale(lang))


def moment(value: datetime | None, tz: str, lang: str, *, now: datetime, show_place: bool = False) -> str:
    """``Tue 24 Nov 16:40 (Denver)``: their time, with the place when asked."""
    if value is None:
        return "–"
    local = value.astimezone(zone(tz))
    text = f"{day(local, lang, now=now.astimezone(zone(tz)))} {local:%H:%M}"
    if not show_place:
        return text
    return f"{text}（{place(tz, lang)}）" if lang == "zh" else f"{text} ({place(tz, lang)})"


def short(value: datetime | None, tz: str, lang: str, *, now: datetime) -> str:
    """The hour when it was today, the weekday within a week, else the date."""
    if value is None:
        return "–"
    local, today = value.astimezone(zone(tz)), now.astimezone(zone(tz)).date()
    if local.date() == today:
        return f"{local:%H:%M}"
    if timedelta() < today - local.date() < timedelta(days=7):
        return f"{format_date(local, 'EEE', locale=locale(lang))} {local:%H:%M}"
    return day(local, lang, now=now)


def duration(value: timedelta, lang: str) -> str:
    """``2 小时 5 分``, ``2 h 5 min``, ``3 天``: two units at most, minutes at least."""
    minutes = max(0, round(abs(value).total_seconds() / 60))
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    parts: list[str] = []
    if days:
        parts.append(translations(lang).ngettext("%(n)s day", "%(n)s days", days) % {"n": days})
    if hours:
        parts.append(translate(lang, "%(n)s h", n=hours))
    if (rest or not parts) and not days:
        parts.append(translate(lang, "%(n)s min", n=rest))
    return " ".join(parts)


def ago(value: datetime | None, lang: str, *, now: datetime) -> str:
    """``5 分前``, ``2 h ago``."""
    if value is None:
        return "–"
    if now - value < timedelta(minutes=1):
        return translate(lang, "just now")
    return translate(lang, "%(time)s ago", time=duration(now - value, lang))


def minute_of_day(now: datetime, tz: str) -> float:
    """How much of their day has passed, in percent: the mark of the day strip."""
    local = now.astimezone(zone(tz))
    return round(100 * (local.hour * 60 + local.minute) / 1440, 1)


def initials(name: str) -> str:
    """Two letters of a Latin name, one character of a Chinese one."""
    words = [word for word in name.replace(".", " ").split() if word]
    if not words:
        return "?"
    if ord(words[0][0]) > 0x2E7F:
        return words[0][0]
    return "".join(word[0] for word in (words[0], words[-1])[: min(2, len(words))]).upper()


def size(octets: int) -> str:
    """84 kB, 1.2 MB."""
    return f"{octets / 1_000_000:.1f} MB" if octets >= 1_000_000 else f"{max(1, round(octets / 1000))} kB"
