"""What the words of a mail say about a program having written it: absence, departure, receipt."""

from __future__ import annotations

import re
from datetime import date

from outreach.inbox.address import find_all
from outreach.inbox.fold import fold
from outreach.inbox.phrases import any_of, said
from outreach.inbox.return_date import return_date

LIMIT = 3_000  # characters: an absence note is shorter
SHORT = 500  # characters of a note that says no more than who left and who took over
_TELEPHONE = re.compile(r"\+?\d[\d ()/-]{7,}")
_RE = re.compile(r"^(?:(?:re|aw|sv|odp|ynt|rif|r|res|vs|antw|回复|答复|回覆|رد|tr|fw|fwd|wg)\s?:\s*)+")
_ASKS = re.compile(
    r"\?|(?<!\w)(?:please|kindly) (?:send|deliver|resend|quote|confirm|advise)|could we|can we|bitte (?:send|schick)"
    r"|请把|请发|請寄|^(?:sorry|entschuldig)"
)


def subject_says(subject: str) -> bool:
    """ "Automatic reply: …" in some language at the beginning of the subject."""
    low = fold(subject[:200]).strip()
    start = any_of("auto_reply", "subject", r"^[\[(【]?(?:{})")
    return bool(
        start.search(low) or (re.match(r"^(?:re|aw)\s?: (?:auto|out of)", low) and start.search(_RE.sub("", low)))
    )


def purpose(name: str, low: str) -> bool:
    """Does folded text hold a phrase of that purpose: automatic, absent, aside, left, staying, ack, challenge?"""
    return bool(said("auto_reply", name).search(low))


def has_left(low: str) -> bool:
    """Whether folded text says that somebody works there no more; "I have left the office for today" says no such thing."""
    rest = low
    for pattern in said("auto_reply", "staying").each:
        rest = pattern.sub(" ", rest)
    return purpose("left", rest)


def count(name: str, low: str) -> int:
    """How many different phrases of that purpose stand in folded text; what overlaps is one."""
    spans = sorted(found.span() for found in said("auto_reply", name).finditer(low))
    apart: list[tuple[int, int]] = []
    for start, end in spans:
        if not apart or start >= apart[-1][1]:
            apart.append((start, end))
    return len({low[start:end] for start, end in apart})


def is_note(text: str, today: date | None) -> bool:
    """Words alone: somebody is away, and says what a note says besides (urgent matters, the answer on return)."""
    low = fold(text[:LIMIT])
    if _ASKS.search(low) or not purpose("absent", low):
        return False
    extras = count("aside", low) + (return_date(text, today) is not None)
    return extras >= 2


def is_acknowledgement(text: str) -> bool:
    low = fold(text[:LIMIT])
    return purpose("automatic", low) and (purpose("ack", low) or purpose("absent", low) or len(low) < 600)


def is_receipt(text: str) -> bool:
    """ "We have received your request, case 4711, and will answer within two days": two such phrases, and nothing asked."""
    low = fold(text[:LIMIT])
    return len(low) <= SHORT and not _ASKS.search(low) and count("ack", low) >= 2


def is_farewell(text: str) -> bool:
    """Somebody has left, and the note only says whom to turn to instead. A colleague who answers writes about himself."""
    low = fold(text[:LIMIT])
    if len(low) > SHORT or _ASKS.search(low) or not purpose("left", low):
        return False
    return bool(find_all(text) or _TELEPHONE.search(low)) and not purpose("myself", low)


def successor(text: str, sender: str) -> str | None:
    """The address that a note of somebody who left names instead of the sender's own; None when it names none."""
    own = sender.lower()
    return next((found for found in find_all(text[:LIMIT]) if found != own), None)
