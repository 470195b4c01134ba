"""What stands in From and Date, whoever wrote it there."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz

_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\u0080-\U0010ffff-]{1,64}@(?:[A-Za-z0-9\u0080-\U0010ffff-]{1,63}\.)*"
    r"[A-Za-z0-9\u0080-\U0010ffff-]{1,63}"
)
# A date as nearly every mail writes it: the library's reader takes several times as long for the same moment.
_DATE = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(\d{1,2}) ([A-Z][a-z]{2}) ((?:19|20)\d\d) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)(?: \([A-Z]+\))?",
    re.A,
)
_MONTHS = {
    name: at
    for at, name in enumerate(["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1)
}


def first_address(value: str) -> str:
    """The first address in a header value, in lower case; the one in <> wins over one in a display name."""
    angle = re.search(r"<([^<>\s]*@[^<>\s]*)>", value)
    found = angle[1] if angle else ""
    if not found:
        bare = _ADDRESS.search(value)
        found = bare[0] if bare else ""
    return found.strip("'\"").lower()


def display_name(value: str) -> str:
    """The name before the address in a From value, "" when there is none or when it is an address itself.

    The library's parser recurses on nested comments; this one looks no further than the angle bracket.
    """
    name = value[:2000].partition("<")[0].strip() if "<" in value[:2000] else ""
    if len(name) > 1 and name.startswith('"') and name.endswith('"'):
        name = name[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return "" if first_address(name) else name


def parse_date(value: str) -> datetime | None:
    """An RFC 5322 date in UTC; a date without a zone is taken as UTC. None when it makes no sense."""
    try:
        if (usual := _DATE.fullmatch(value)) and usual[2] in _MONTHS:
            day, month, year, hour, minute, second, sign, hours, minutes = usual.groups()
            east = timedelta(hours=int(hours), minutes=int(minutes))
            local = datetime(int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC)
            return local + east if sign == "-" else local - east
        found = parsedate_tz(value[:200])
        if found is None:
            return None
        naive = datetime(*found[:6], tzinfo=UTC)
        return datetime.fromtimestamp(naive.timestamp() - (found[9] or 0), UTC)
    except (ValueError, OverflowError, TypeError, IndexError, OSError):
        return None
