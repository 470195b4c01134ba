"""What stands in From and Date, whoever wrote it there."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_tz

_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\u0080-\U0010ffff-]{1,64}@(?:[A-Za-z0-9\u0080-\U0010ffff-]{1,63}\.)*"
    r"[A-Za-z0-9\u0080-\U0010ffff-]{1,63}"
)


def first_address(value: str) -> str:
    """The first address in a header value, in lower case; the one in <> wins over one in a display name."""
    angle = re.search(r"<([^<>\s]*@[^<>\s]*)>", value)
    found = angle[1] if angle else ""
    if not found:
        bare = _ADDRESS.search(value)
        found = bare[0] if bare else ""
    return found.strip("'\"").lower()


def parse_date(value: str) -> datetime | None:
    """An RFC 5322 date in UTC; a date without a zone is taken as UTC. None when it makes no sense."""
    try:
        found = parsedate_tz(value[:200])
        if found is None:
            return None
        naive = datetime(*found[:6], tzinfo=UTC)
        return datetime.fromtimestamp(naive.timestamp() - (found[9] or 0), UTC)
    except (ValueError, OverflowError, TypeError, IndexError, OSError):
        return None
