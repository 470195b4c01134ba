"""What a person wants: rules in order, unsure is an answer. Pure."""

from __future__ import annotations

import re

from outreach.inbox.fold import fold
from outreach.inbox.human_words import pattern
from outreach.inbox.verdict import Intent

#: A letter's wish stands at its beginning; the rest is terms and courtesies.
READ = 1_500
#: Asked first: who complains about a price complains; who asks for a price of a sample wants the price.
ORDERED = (
    ("COMPLAINT", Intent.COMPLAINT),
    ("WRONG_PERSON", Intent.WRONG_PERSON),
    ("NOT_NOW", Intent.NOT_NOW),
    ("NOT_INTERESTED", Intent.NOT_INTERESTED),
    ("SAMPLE", Intent.SAMPLE),
    ("CATALOGUE", Intent.CATALOGUE),
    ("PRICE", Intent.PRICE),
    ("MEETING", Intent.MEETING),
    ("ORDER", Intent.ORDER),
)
_QUESTION_MARK = re.compile(r"[?？]")
_WORD = re.compile(r"\w+")
#: A note of thanks is short; a longer letter says more than thanks.
SHORT_THANKS = 25


def intent_of(text: str) -> Intent | None:
    """The intent of a reply's own text, None when it is not clear."""
    low = fold(text[:READ])
    if not low.strip():
        return None
    for name, intent in ORDERED:
        if pattern(name).search(low):
            return intent
    if _QUESTION_MARK.search(low) or pattern("QUESTION").search(low):
        return Intent.QUESTION
    if pattern("THANKS").search(low) and len(_WORD.findall(low)) <= SHORT_THANKS:
        return Intent.THANKS
    return None
