"""Why a server refused, read from a sentence that no list knows: whom it is about, and what it says of them.

"No such addressee at our company" and "la boîte du destinataire est pleine" are no sentences of any known server, yet
plain to a reader: something is said (unknown, full, disabled, …) about something (the recipient, the sender, a domain,
an address on the internet). `wording.py` lists the words for both; here they are brought together.
"""

from __future__ import annotations

import re
from functools import cache

from outreach.inbox.fold import fold
from outreach.inbox.wording import CLAIMS, EVENTS, MEANS, NOUNS

LONGEST = 1_000  # characters read: a sentence of a server is shorter, and what follows is its telephone number
FIRST_CJK = "\u2e80"
BEFORE = 70  # characters between a noun and what is said of it behind
BEHIND = 30  # between a claim and the noun that follows: "unknown user", "no such local mailbox"
# Of several claims the more telling is taken: a full mailbox is "not accepting", a spammer is "rejected".
ORDER = ("spam", "full", "disabled", "unknown", "absent", "big", "listed", "refused")
_NAMED = re.compile(r"""[(<\["']@?[)>\]"']""")  # where the address stood
_HOST = re.compile(
    r"\[[\d.:a-f]{7,45}\]|\b[a-z_-][a-z0-9_-]*(?:\.[a-z0-9_-]+){1,8}\b|\b(?:[a-z0-9-]+\.){2,8}[a-z]{2,12}\b"
)
_IP = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")
_FIGURE = re.compile(r"\(\s{0,3}[\d.,]{1,12}\s{0,3}[^\W\d]{0,8}\s{0,3}\)")  # "(14 MB)" ends no clause
_CLAUSE = re.compile(r"[.;!?()\n](?=\s|$)|。|！|；| - ")
_CLAUSE_OR_LABEL = re.compile(r"[.;!?()\n:](?=\s|$)|。|：|！|；| - ")


@cache
def _pattern(alternatives: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(r"(?<![a-z])(?:" + "|".join(fold(part) for part in alternatives) + ")")


def reason_of_sentence(text: str, events: bool = True) -> str | None:
    """The reason that some clause of `text` (lower case, without addresses and URLs) states; None when none does.

    events: also what happened to a thing that is neither person nor address.
    """
    plain = _FIGURE.sub(" ", _IP.sub(" ip ", _HOST.sub(" ", _NAMED.sub(" ", fold(text[:LONGEST])))))
    for cut in (_CLAUSE_OR_LABEL, _CLAUSE):
        clauses = [clause for clause in cut.split(plain) if clause.strip()]
        for claim in ORDER:
            for clause in clauses:
                if reason := _said(clause, claim):
                    return reason
    return _happened(clauses) if events else None


def _happened(clauses: list[str]) -> str | None:
    """What happened to a connection, a program, a signature or another thing that is neither person nor address."""
    for reason, thing, what in EVENTS:
        things, saids = _pattern((thing,)), _pattern((what,))
        if any(things.search(clause) and saids.search(clause) for clause in clauses):
            return reason
    return None


def _said(clause: str, claim: str) -> str | None:
    for found in _pattern(CLAIMS[claim]).finditer(clause):
        noun = _noun(clause, found.start(), found.end()) or ""
        if (noun, claim) == ("address", "spam") and _pattern(NOUNS["message"]).search(clause):
            noun = "message"  # what our host sent was refused, not our host
        if reason := MEANS.get((noun, claim)):
            return reason
    return None


def _noun(clause: str, start: int, end: int) -> str | None:
    """Whom the claim at clause[start:end] is about: the sender if it is named at all, else the first noun before it,
    else the first behind it."""
    before = clause[max(0, start - BEFORE) : end]
    behind = clause[start : end + BEHIND]
    for name in ("sender", "address"):
        if _pattern(NOUNS[name]).search(before) or _pattern(NOUNS[name]).search(behind):
            return name
    # Chinese, Japanese and Korean name the topic first ("the mail to …") and the thing itself last.
    return (_last(before) if clause[end - 1 : end] >= FIRST_CJK else _first(before)) or _first(behind)


def _last(text: str) -> str | None:
    found = [(hit.end(), name) for name, words in NOUNS.items() for hit in _pattern(words).finditer(text)]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _first(text: str) -> str | None:
    found = [(hit.start(), name) for name, words in NOUNS.items() if (hit := _pattern(words).search(text))]
    return min(found, key=lambda pair: pair[0])[1] if found else None
