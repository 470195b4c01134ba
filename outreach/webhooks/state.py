"""The life of a webhook's delivery, as data. docs/states.md draws its picture from TRANSITIONS."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


S = DeliveryState
TRANSITIONS: dict[tuple[S, str], S] = {
    (S.WAITING, "answer 2xx"): S.DELIVERED,
    (S.WAITING, "fail"): S.WAITING,
    (S.WAITING, "fail for the last time"): S.GIVEN_UP,
    (S.GIVEN_UP, "try again by hand"): S.WAITING,
}

#: Waits after the first, second … failure: a restart is bridged in minutes, a weekend's outage in the last steps.
#: After the last one the delivery is given up (about 3 days in all); a person may start it again.
WAITS = tuple(timedelta(seconds=seconds) for seconds in (30, 300, 1_800, 7_200, 21_600, 43_200, 86_400, 86_400))


class IllegalTransition(ValueError):
    """The delivery's state does not allow this."""


def advance(state: S | str, action: str) -> S:
    """Return the state after `action`. Raises IllegalTransition."""
    following = TRANSITIONS.get((S(state), action))
    if following is None:
        raise IllegalTransition(f"a delivery that is {state} cannot {action}")
    return following


def wait_after(attempts: int) -> timedelta | None:
    """Return how long to wait after so many failed attempts, None: give up."""
    return WAITS[attempts - 1] if attempts <= len(WAITS) else None


def mermaid() -> str:
    """Draw the table as a mermaid state diagram."""
    lines = [f"    {origin} --> {target}: {action}" for (origin, action), target in TRANSITIONS.items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {S.WAITING}", *lines])
