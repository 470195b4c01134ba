"""Numbers, deadlines and kinds of cases. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from outreach.campaigns.calendar import add_working_days
from outreach.crm.tasks import OwnerCalendar, due_at
from outreach.model.enums import TicketKind

#: Working days within which each kind is answered (F1), where config.toml says nothing else.
DAYS: dict[str, int] = {"question": 1, "complaint": 2, "wish": 5}
#: Departments that a case can be handed to.
DEPARTMENTS = ("product", "service", "quality", "logistics", "finance")
#: A case whose customer says nothing more is closed after so long.
SILENCE = timedelta(days=14)


def number_of(year: int, count: int) -> str:
    """Return the number of the year's `count`-th case: S-2026-00012."""
    return f"S-{year}-{count:05d}"


def deadline(created: datetime, kind: TicketKind | str, calendar: OwnerCalendar, days: Mapping[str, int]) -> datetime:
    """Return the close of the working day on which the case must be answered, in UTC.

    One day: the same working day (crm/tasks.py), two: the next, and so on in the owner's calendar.
    """
    first = due_at(created, "same_working_day", calendar)
    more = days.get(str(kind), DAYS[str(kind)]) - 1
    return add_working_days(first, more, calendar.hours) if more > 0 else first.astimezone(UTC)


def kind_of(intent: str | None) -> TicketKind:
    """Return what a reply with this intent is to the service."""
    return TicketKind.COMPLAINT if intent == "complaint" else TicketKind.QUESTION
