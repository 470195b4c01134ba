"""What a person's next move in a sequence is. Pure: facts in, decision out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from outreach.campaigns.calendar import Hours, add_working_days, next_open
from outreach.campaigns.sequence import SequenceRules, SequenceStep

#: Why a mail is only put off to the customer's next working day: tomorrow it may be otherwise.
FOR_NOW = frozenset({"contact_cap", "company_cap", "colleague_cap", "paused", "preference_cap"})

#: What a colleague does with a customer that makes a sequence of ours an intrusion; "sent" is a letter by hand.
CONTACT_KINDS = ("call", "meeting", "answer", "quotation", "sample", "sent")


@dataclass(frozen=True)
class Happened:
    """What has happened to a person since they are in the sequence."""

    replied: bool = False
    left: bool = False
    erased: bool = False
    meeting: bool = False
    deal: bool = False
    colleague: bool = False
    opened: bool = False
    clicked: bool = False


def why_stop(rules: SequenceRules, facts: Happened) -> str | None:
    """Return why the sequence ends here, None if it goes on."""
    if facts.erased:
        return "erased"
    if facts.left:
        return "left"
    if facts.replied:
        return "replied"
    if facts.meeting and rules.stop.meeting:
        return "meeting"
    if facts.deal:
        return "deal"
    return "colleague_contact" if facts.colleague and rules.stop.colleague else None


def is_wanted(step: SequenceStep, facts: Happened) -> bool:
    """Whether the step's condition on the last mail holds. A machine's opens and clicks are nobody's."""
    return {
        "always": True,
        "no reply": not facts.replied,
        "no open": not facts.opened,
        "no click": not facts.clicked,
        "opened": facts.opened,
        "clicked": facts.clicked,
    }[step.only_if]


def due_after(anchor: datetime, step: SequenceStep, hours: Hours) -> datetime:
    """When a step is due that counts from `anchor`: so many of the customer's working days on, in their hours."""
    return next_open(add_working_days(anchor, step.after_days, hours), hours)


def tomorrow(now: datetime, hours: Hours) -> datetime:
    """The customer's next working day, at its opening."""
    later = add_working_days(now, 1, hours)
    if hours.window is None:
        return later
    opening = next_open(later, hours)
    return next_open(opening.replace(minute=0, second=0, microsecond=0), hours)


def give_up_at(now: datetime, step: SequenceStep, hours: Hours) -> datetime:
    """Until when the sequence waits for a call or task of ours."""
    return add_working_days(now, step.give_up_days, hours)
