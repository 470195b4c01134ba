"""How fast a mailbox may go: rolling windows, gaps, warm-up, and what refusals have taught.

Pure: time is an argument (seconds since 1970, UTC). A slot that is taken counts in every window until it is settled
with the moment of the hand-over, or given back; so no window is ever exceeded, however long a server takes. The history
is loaded from the rows at the start of a run (`Pace(history=…)`): a restart forgets nothing.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
#: How long a learned ceiling takes to double: an hour for what is counted in minutes, a week for a daily quota.
RECOVERY = {"minute": HOUR, "hour": 6 * HOUR, "day": 7 * DAY, "connections": 2 * HOUR}
#: The gap between two messages is stretched by up to half, so that it does not look like a clock.
GAP_JITTER = 0.5
#: A young mailbox starts with so many messages a day and grows by a third a day (about a month to 50,000).
WARMUP_START, WARMUP_GROWTH = 30, 4 / 3


@dataclass(frozen=True, slots=True)
class Limits:
    """What a mailbox bears, in rolling windows. 0 means none."""

    per_minute: int = 0
    per_hour: int = 0
    per_day: int = 0
    min_gap_seconds: float = 0.0

    @property
    def none(self) -> bool:
        """Whether nothing holds the mailbox back."""
        return not (self.per_minute or self.per_hour or self.per_day or self.min_gap_seconds)


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A limit learned from a refusal at `at`: it doubles every RECOVERY seconds until it no longer matters."""

    limit: int
    at: float

    def now(self, window: str, now: float) -> float:
        """Return what the ceiling has grown to."""
        grown = min((now - self.at) / RECOVERY[window], 60.0)
        return float(self.limit * 2 ** max(grown, 0.0))


def warmup_limit(days: int) -> int:
    """Return how many messages a mailbox may send on its day number `days` (0: the first)."""
    return int(WARMUP_START * WARMUP_GROWTH ** min(max(days, 0), 60))


def load_ceilings(stored: Mapping[str, object]) -> dict[str, Ceiling]:
    """Return the ceilings that a mailbox row holds as JSON: {"minute": [limit, at], …}."""
    found = {}
    for window, pair in stored.items():
        if window in RECOVERY and isinstance(pair, list | tuple) and len(pair) == 2:
            found[window] = Ceiling(int(pair[0]), float(pair[1]))
    return found


def store_ceilings(ceilings: Mapping[str, Ceiling]) -> dict[str, list[float]]:
    """Return the JSON form of `load_ceilings`."""
    return {window: [c.limit, c.at] for window, c in ceilings.items()}


def strictest(own: Mapping[str, Ceiling], shared: Iterable[Mapping[str, Ceiling]], now: float) -> dict[str, Ceiling]:
    """Return a mailbox's ceilings with those that the others of its quota have learned; connections are its own."""
    found = dict(own)
    for ceilings in shared:
        for window, ceiling in ceilings.items():
            known = found.get(window)
            if window != "connections" and (known is None or ceiling.now(window, now) < known.now(window, now)):
                found[window] = ceiling
    return found


class Pace:
    """The pace of one mailbox (or of one recipient domain, or of all mailboxes that share a quota)."""

    def __init__(
        self,
        limits: Limits,
        *,
        history: Iterable[float] = (),
        ceilings: Mapping[str, Ceiling] | None = None,
        warmup_from: float | None = None,
        gap_seed: float = 0.0,
    ) -> None:
        """warmup_from: when a young mailbox began, None: it is not young."""
        self.limits = limits
        self.ceilings = dict(ceilings or {})
        # a young mailbox counts what it sent itself; the rest of a shared quota says nothing about its age
        self._young = _Young(warmup_from) if warmup_from is not None else None
        self._times: list[float] = []
        for at in sorted(history):
            self.add(at)
        self._pending = 0
        self._jitter = gap_seed
        self._tally: deque[tuple[int, int]] = deque(maxlen=int(MINUTE))

    # -- asking --------------------------------------------------------------------------------------------------------

    def wait(self, now: float) -> float:
        """Return how many seconds from `now` the next slot is free; 0: take it."""
        waits = [self._window_wait(window, length, now) for window, length in WINDOWS]
        waits.append(self._gap_wait(now))
        if self._young is not None:
            waits.append(self._young.wait(now))
        return max(waits)

    def room(self, now: float) -> int | None:
        """Return how many slots are free at once when `wait` says 0; None: as many as you like."""
        if self.limits.min_gap_seconds:
            return 1
        rooms = [limit - self.used(length, now) for limit, length in self._in_force(now)]
        if self._young is not None:
            rooms.append(self._young.room(now) or 0)
        return max(min(rooms), 0) if rooms else None

    def _in_force(self, now: float) -> list[tuple[int, float]]:
        found = ((self.allowance(window, now), length) for window, length in WINDOWS)
        return [(limit, length) for limit, length in found if limit is not None]

    def limits_now(self, now: float) -> dict[str, int]:
        """Return every limit in force by its window, that of a young mailbox included."""
        found = {window: self.allowance(window, now) for window, _ in WINDOWS}
        if self._young is not None:
            young = self._young.allowance("day", now)
            found["day"] = min(limit for limit in (found["day"], young) if limit is not None)
        return {window: limit for window, limit in found.items() if limit is not None}

    def allowance(self, window: str, now: float) -> int | None:
        """Return the limit in force for "minute", "hour" or "day", that of a young mailbox aside; None: none."""
        configured = {"minute": self.limits.per_minute, "hour": self.limits.per_hour, "day": self.limits.per_day}
        limits = [float(configured[window])] if configured[window] else []
        if window in self.ceilings:
            limits.append(self.ceilings[window].now(window, now))
        return max(int(min(limits)), 1) if limits else None

    def used(self, length: float, now: float) -> int:
        """Return how many slots fall into the last `length` seconds, those not yet settled included."""
        return len(self._times) - bisect_right(self._times, now - length) + self._pending

    @property
    def free(self) -> bool:
        """Whether nothing can ever hold this pace back: then nothing is remembered either."""
        return self.limits.none and not self.ceilings and self._young is None

    @property
    def grows(self) -> bool:
        """Whether a limit rises with time alone."""
        return bool(self.ceilings) or self._young is not None

    # -- telling -------------------------------------------------------------------------------------------------------

    def take(self) -> None:
        """Take a slot; only when `wait` says 0."""
        self._pending += 1
        if self._young is not None:
            self._young.take()

    def settle(self, at: float, jitter: float = 0.0) -> None:
        """Say that the slot was used at `at`. jitter: in [0, 1), stretches the gap that follows."""
        self._pending -= 1
        insort(self._times, at)
        self._jitter = jitter
        self._forget(at)
        if self._young is not None:
            self._young.settle(at)

    def give_back(self) -> None:
        """Say that the slot was not used: nothing reached the server."""
        self._pending -= 1
        if self._young is not None:
            self._young.give_back()

    def note(self, at: float) -> None:
        """Count a hand-over of a mailbox without limits: seconds and numbers only, so that memory stays flat."""
        second = int(at)
        if self._tally and self._tally[-1][0] == second:
            self._tally[-1] = (second, self._tally[-1][1] + 1)
        else:
            self._tally.append((second, 1))

    def add(self, at: float, *, own: bool = True) -> None:
        """Count a message that left before, or that somebody else sent; own: through this very mailbox."""
        insort(self._times, at)
        if own and self._young is not None:
            self._young.add(at)

    def book(self, at: float, count: int, *, own: bool = True) -> None:
        """Count messages that leave together (a forecast's; a run takes and settles each). The gap is the mean one."""
        if not self.free:
            place = bisect_right(self._times, at)
            self._times[place:place] = [at] * count
            self._forget(at)
        self._jitter = 0.5
        if own and self._young is not None:
            self._young.book(at, count)

    def slow(self, now: float) -> None:
        """Halve the rate: the provider said that it is too high."""
        current = self.allowance("minute", now)
        seen = max(self.used(MINUTE, now), sum(n for at, n in self._tally if at > now - MINUTE), 2)
        self.ceilings["minute"] = Ceiling(max((min(current, seen) if current else seen) // 2, 1), now)

    def quota_reached(self, now: float) -> None:
        """Learn the daily quota: what was sent in the last day was too much."""
        self.ceilings["day"] = Ceiling(max(self.used(DAY, now) - 1, 1), now)

    # -- within --------------------------------------------------------------------------------------------------------

    def _window_wait(self, window: str, length: float, now: float) -> float:
        limit = self.allowance(window, now)
        if limit is None:
            return 0.0
        first = bisect_right(self._times, now - length)
        over = len(self._times) - first + self._pending - limit + 1
        if over <= 0:
            return 0.0
        if over > len(self._times) - first:
            # only what is on its way stands in between: ask again soon
            return 0.05
        return max(self._times[first + over - 1] + length - now, 0.001)

    def _gap_wait(self, now: float) -> float:
        gap = self.limits.min_gap_seconds
        if not gap:
            return 0.0
        if self._pending:
            return 0.05
        if not self._times:
            return 0.0
        return max(self._times[-1] + gap * (1 + GAP_JITTER * self._jitter) - now, 0.0)

    def _forget(self, now: float) -> None:
        if len(self._times) > 256 and self._times[0] < now - 2 * DAY:
            del self._times[: bisect_right(self._times, now - DAY)]


WINDOWS = (("minute", MINUTE), ("hour", HOUR), ("day", DAY))


class _Young(Pace):
    """What a young mailbox may send itself: more from day to day."""

    def __init__(self, since: float) -> None:
        super().__init__(Limits(per_day=WARMUP_START))
        self._since = since

    def allowance(self, window: str, now: float) -> int | None:
        """Return the limit of the mailbox's day."""
        return warmup_limit(int((now - self._since) // DAY)) if window == "day" else None


class DomainPace:
    """At most so many messages a minute to one recipient domain; 0: as many as you like."""

    def __init__(self, per_minute: int, history: Iterable[tuple[str, float]] = ()) -> None:
        self.per_minute = per_minute
        self._paces: dict[str, Pace] = {}
        for domain, at in history:
            self._of(domain).add(at)

    def _of(self, domain: str) -> Pace:
        pace = self._paces.get(domain)
        if pace is None:
            pace = self._paces[domain] = Pace(Limits(per_minute=self.per_minute))
        return pace

    def wait(self, domain: str, now: float) -> float:
        """Return how many seconds from `now` the domain may be written to."""
        return self._of(domain).wait(now) if self.per_minute else 0.0

    def room(self, domain: str, now: float) -> int | None:
        """Return how many messages the domain takes at once when `wait` says 0; None: as many as you like."""
        return self._of(domain).room(now) if self.per_minute else None

    def closed(self, now: float) -> dict[str, float]:
        """Return the domains that have had their share, and when each opens again."""
        waits = {domain: pace.wait(now) for domain, pace in self._paces.items()}
        return {domain: now + wait for domain, wait in waits.items() if wait > 0}

    def take(self, domain: str) -> None:
        """Take a slot."""
        if self.per_minute:
            self._of(domain).take()

    def book(self, domain: str, at: float, count: int) -> None:
        """Count messages that leave together."""
        if self.per_minute:
            self._of(domain).book(at, count)

    def settle(self, domain: str, at: float) -> None:
        """Say that the slot was used."""
        if self.per_minute:
            self._of(domain).settle(at)

    def give_back(self, domain: str) -> None:
        """Say that it was not."""
        if self.per_minute:
            self._of(domain).give_back()
