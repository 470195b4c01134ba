"""Where an event stands in the roll-ups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from outreach.events.facts import Facts
from outreach.events.kinds import NewEvent

#: (campaign, moment, kind, machine, how many); summed, the moment is the start of its UTC hour.
Count = tuple[int, datetime, str, bool, int]


def counts_of(event: NewEvent, facts: Facts) -> list[Count]:
    """The event's own count; a corrected verdict moves the earlier ones across."""
    if facts.campaign_id is None:
        return []
    kind = event.kind.value
    counts: list[Count] = [(facts.campaign_id, event.at, kind, event.machine, 1)]
    for text in event.data.get("corrects") or ():
        at = datetime.fromisoformat(str(text))
        counts += [(facts.campaign_id, at, kind, False, -1), (facts.campaign_id, at, kind, True, 1)]
    return counts


def sum_counts(counts: Iterable[Count]) -> list[Count]:
    """Sum by campaign, UTC hour, kind and machine; what comes to nothing is left out.

    Sorted: two processes that add to the same rows take their locks in one order.
    """
    sums: Counter[tuple[int, datetime, str, bool]] = Counter()
    for campaign_id, at, kind, machine, number in counts:
        hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        sums[campaign_id, hour, kind, machine] += number
    return [(*key, number) for key, number in sorted(sums.items()) if number]
