"""What a person's answer is about. Rules, most telling first; None where they are unsure."""

from __future__ import annotations

import re

from outreach.inbox.fold import fold
from outreach.inbox.phrases import Phrases, said
from outreach.inbox.reply_text import own_words
from outreach.inbox.verdict import Intent

LIMIT = 1_500  # characters: what somebody wants stands at the beginning
# An answer that asks for a price and mentions a sample that came is about the price; one that complains and asks for a
# new offer is a complaint. Hence the order.
ORDER = (
    Intent.WRONG_PERSON,
    Intent.COMPLAINT,
    Intent.NOT_NOW,
    Intent.NOT_INTERESTED,
    Intent.ORDER,
    Intent.SAMPLE,
    Intent.PRICE,
    Intent.CATALOGUE,
    Intent.MEETING,
    Intent.QUESTION,
    Intent.THANKS,
)
_SHORT = 120  # a letter that only thanks is no longer


def of(text: str) -> Intent | None:
    """The intent of a visible reply (`reply_text`); None when no rule is sure."""
    low = re.sub(r"\s+", " ", fold(own_words(text)[:LIMIT])).strip()
    return next((intent for intent in ORDER if _is(intent, low)), None)


def not_interested(text: str) -> Intent | None:
    low = re.sub(r"\s+", " ", fold(own_words(text)[:LIMIT]))
    return Intent.NOT_INTERESTED if _rule(Intent.NOT_INTERESTED).search(low) else None


def _rule(intent: Intent) -> Phrases:
    return said("intent", intent.value)


def _is(intent: Intent, low: str) -> bool:
    if intent is Intent.THANKS:
        return len(low) < _SHORT and "?" not in low and bool(_rule(intent).search(low))
    return bool(_rule(intent).search(low))
