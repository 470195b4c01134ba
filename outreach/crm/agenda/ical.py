"""Tasks as an iCalendar feed (RFC 5545): what Outlook, Apple and Google Calendar subscribe to. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icalendar import Event

#: How long a task's block is: it ends when the task is due.
BLOCK = timedelta(minutes=30)
REMIND = timedelta(minutes=-15)


@dataclass(frozen=True)
class Entry:
    """A task in the feed."""

    uid: str
    title: str
    due: datetime
    made: datetime
    where: str = ""
    link: str = ""


def calendar(name: str, entries: Iterable[Entry], now: datetime) -> bytes:
    """Return the feed: an event for each task, since most calendars show events and drop VTODO."""
    from icalendar import Calendar  # takes a fifth of a second to load, and few commands write a feed

    made = Calendar()
    made.add("prodid", "-//outreach//tasks//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", name)
    made.add("refresh-interval", timedelta(minutes=15), parameters={"VALUE": "DURATION"})
    for entry in entries:
        made.add_component(_event(entry, now))
    written: bytes = made.to_ical()
    return written


def _event(entry: Entry, now: datetime) -> Event:
    from icalendar import Alarm, Event

    event = Event()
    event.add("uid", entry.uid)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("created", entry.made.astimezone(UTC))
    event.add("dtstart", (entry.due - BLOCK).astimezone(UTC))
    event.add("dtend", entry.due.astimezone(UTC))
    event.add("summary", entry.title)
    if entry.where:
        event.add("location", entry.where)
    if entry.link:
        event.add("url", entry.link)
        event.add("description", entry.link)
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", entry.title)
    alarm.add("trigger", REMIND)
    event.add_component(alarm)
    return event
