"""The life of a sign-up, as data. docs/states.md draws its picture from TRANSITIONS."""

from __future__ import annotations

from enum import StrEnum


class SignUpState(StrEnum):
    """Where a sign-up stands."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"


S = SignUpState
TRANSITIONS: dict[tuple[S, str], S] = {
    (S.WAITING, "claim"): S.SENDING,
    # taken, or nobody knows: the confirmation is never sent twice by itself, the person may ask again
    (S.SENDING, "taken"): S.SENT,
    (S.SENDING, "refused"): S.FAILED,
    (S.SENT, "confirm"): S.CONFIRMED,
    # the process died after the server took the mail and before it was noted
    (S.SENDING, "confirm"): S.CONFIRMED,
}


class IllegalTransition(ValueError):
    """The sign-up's state does not allow this."""


def advance(state: S | str, action: str) -> S:
    """Return the state after `action`. Raises IllegalTransition."""
    following = TRANSITIONS.get((S(state), action))
    if following is None:
        raise IllegalTransition(f"a sign-up that is {state} cannot {action}")
    return following


def mermaid() -> str:
    """Draw the table as a mermaid state diagram."""
    lines = [f"    {origin} --> {target}: {action}" for (origin, action), target in TRANSITIONS.items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {S.WAITING}", *lines])
