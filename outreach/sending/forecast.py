"""When the last message will have left. Pure: the moment and every pace are arguments.

The walk asks the very objects that hold a run back (`throttle.Pace`, `throttle.DomainPace`, the recipient's hours),
with a clock that jumps: as many messages leave at a moment as the pace has room for, then time moves on to the next
slot, the next opening of a window, the next due message. So limits, the hand-overs of the last day, ceilings that grow
back, a young mailbox's days, quotas that mailboxes share and what other campaigns have waiting are in it by themselves.

What it cannot know: refusals that are still to come, who will be suppressed meanwhile, mails that are not planned yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from heapq import heapify, heappop, heappush
from itertools import count

from outreach.campaigns.calendar import Hours, next_open
from outreach.sending.throttle import DomainPace, Pace

#: A connection hands over so many messages a second where nothing else holds it back: two round trips of 50 ms each.
PER_CONNECTION = 10.0
#: What grows with time (a learned ceiling, a young mailbox) is asked again after so many seconds.
ASK_AGAIN = 900.0
#: Without limits so many seconds' worth of messages leave in one step.
STRIDE = 60.0
#: Steps of one walk (about 20 µs each): a page waits for it. What is left then goes on at the speed seen so far.
MOST_STEPS = 20_000
#: Moments closer than this are the same: seconds since 1970 as a float are exact to a microsecond at best.
SAME = 1e-3


@dataclass(frozen=True, slots=True)
class Waiting:
    """`count` messages that wait alike. due: from when they may leave (aware); hours: their recipients' calendar.

    domain: the recipients', where it has more messages than its share of a minute; else None saves work. own: they
    belong to what is asked about; others are in their way.
    """

    mailbox_id: int
    due: datetime
    count: int = 1
    hours: Hours | None = None
    domain: str | None = None
    own: bool = True


@dataclass(slots=True)
class Sender:
    """A mailbox as its next run would find it. resumes_at: until when it rests. shares: who counts its messages too."""

    pace: Pace
    connections: int = 2
    resumes_at: datetime | None = None
    shares: Collection[int] = field(default=())


def forecast(
    waiting: Iterable[Waiting],
    senders: Mapping[int, Sender],
    domains: DomainPace,
    now: datetime,
) -> dict[int, datetime]:
    """Return when each mailbox has handed its last own message over (aware UTC); one that has none is not in it.

    Messages of a mailbox that is not among `senders` (paused until somebody resumes it) are left out.
    """
    return _Walk([group for group in waiting if group.mailbox_id in senders], senders, domains, now).ends()


def after_sample(
    waiting: Collection[Waiting],
    sample: Collection[Waiting],
    senders: Mapping[int, Sender],
    domains: DomainPace,
    now: datetime,
    wait_seconds: float,
) -> dict[int, datetime]:
    """Return the same for a pilot: `waiting` may leave so many seconds after the last of the `sample` has left."""
    first = forecast(sample, senders, domains, now)
    opens = max(first.values(), default=now).timestamp() + wait_seconds
    rest = [replace(g, due=max(g.due, _moment(opens))) if g.own else g for g in waiting]
    return forecast([*sample, *rest], senders, domains, now)


class _Walk:
    """One walk. It works on copies of the paces: a forecast takes nobody's slot."""

    def __init__(
        self, waiting: Collection[Waiting], senders: Mapping[int, Sender], domains: DomainPace, now: datetime
    ) -> None:
        self._senders = {number: replace(s, pace=deepcopy(s.pace)) for number, s in senders.items()}
        self._domains = deepcopy(domains)
        self._start = now.timestamp()
        self._left = sum(group.count for group in waiting if group.own)
        self._all = self._left
        self._last: dict[int, float] = {}
        self._order = count()
        self._queues: dict[int, list[tuple[float, int, Waiting]]] = {number: [] for number in senders}
        for group in sorted(waiting, key=lambda g: g.due):
            self._queues[group.mailbox_id].append((group.due.timestamp(), next(self._order), group))

    def ends(self) -> dict[int, datetime]:
        """Walk until nothing of its own is left."""
        agenda = [(self._begin(sender), number) for number, sender in self._senders.items() if self._queues[number]]
        heapify(agenda)
        steps = 0
        while agenda and self._left:
            at, number = heappop(agenda)
            if steps == MOST_STEPS:
                self._go_on_like_this(at)
                break
            steps += 1
            following = self._step(number, at)
            if following is not None:
                heappush(agenda, (following, number))
        return {number: _moment(at) for number, at in self._last.items()}

    def _begin(self, sender: Sender) -> float:
        return max(self._start, sender.resumes_at.timestamp()) if sender.resumes_at else self._start

    def _step(self, number: int, at: float) -> float | None:
        """Let leave what can leave now; return when there is something to do again, None for never."""
        sender, queue = self._senders[number], self._queues[number]
        wait = sender.pace.wait(at)
        if wait > 0:
            return at + (min(wait, ASK_AGAIN) if sender.pace.grows else wait)
        while queue:
            due, order, group = queue[0]
            if due > at + SAME:
                return due
            heappop(queue)
            opens = self._opens(group, at)
            if opens > at + SAME:
                heappush(queue, (opens, next(self._order), group))
                continue
            leaving = self._leaving(sender, group, at)
            self._leave(number, group, leaving, at)
            if group.count > leaving:
                heappush(queue, (due, order, replace(group, count=group.count - leaving)))
            return at + leaving / (PER_CONNECTION * sender.connections)
        return None

    def _opens(self, group: Waiting, at: float) -> float:
        """When these may leave, by their recipients' hours and their domain's share; `at` or before: now."""
        opens = next_open(_moment(at), group.hours).timestamp() if group.hours else at
        return max(opens, at + self._domains.wait(group.domain, at)) if group.domain else opens

    def _leaving(self, sender: Sender, group: Waiting, at: float) -> int:
        most = [group.count, max(int(STRIDE * PER_CONNECTION * sender.connections), 1)]
        rooms = [sender.pace.room(at), self._domains.room(group.domain, at) if group.domain else None]
        return max(min([*most, *(room for room in rooms if room is not None)]), 1)

    def _leave(self, number: int, group: Waiting, leaving: int, at: float) -> None:
        sender = self._senders[number]
        sender.pace.book(at, leaving)
        for other in sender.shares:
            if other != number and other in self._senders:
                self._senders[other].pace.book(at, leaving, own=False)
        if group.domain:
            self._domains.book(group.domain, at, leaving)
        if group.own:
            self._left -= leaving
            self._last[number] = at + (leaving - 1) / (PER_CONNECTION * sender.connections)

    def _go_on_like_this(self, at: float) -> None:
        gone = self._all - self._left
        speed = gone / max(at - self._start, 1.0)
        for number, queue in self._queues.items():
            left = sum(group.count for _, _, group in queue if group.own)
            if left:
                due = max(due for due, _, group in queue if group.own)
                self._last[number] = max(due, at + (self._left / speed if speed else 0.0))


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
