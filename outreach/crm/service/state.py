"""The life of a customer's question, complaint or wish, as data. docs/states.md draws its picture from TRANSITIONS."""

from __future__ import annotations

from outreach.model.enums import TicketState as S


class IllegalStep(ValueError):
    """The case's state does not allow this. The text says which state and what is possible instead."""


TRANSITIONS: dict[tuple[S, str], S] = {
    (S.NEW, "take"): S.OPEN,
    (S.NEW, "ask"): S.ASKED,
    (S.OPEN, "ask"): S.ASKED,
    # the department's answer comes back to the owner, who words it for the customer
    (S.ASKED, "told"): S.OPEN,
    (S.ASKED, "take_back"): S.OPEN,
    (S.NEW, "answer"): S.ANSWERED,
    (S.OPEN, "answer"): S.ANSWERED,
    # the customer's word on whether it helped; without one it is closed after two weeks
    (S.ANSWERED, "helped"): S.CLOSED,
    (S.ANSWERED, "not_helped"): S.OPEN,
    (S.ANSWERED, "expire"): S.CLOSED,
    (S.ANSWERED, "reopen"): S.OPEN,
    (S.NEW, "drop"): S.CLOSED,
    (S.OPEN, "drop"): S.CLOSED,
    (S.CLOSED, "reopen"): S.OPEN,
    (S.CLOSED, "not_helped"): S.OPEN,
}

#: States in which the deadline counts.
WAITING = frozenset({S.NEW, S.OPEN, S.ASKED})


def advance(state: S | str, action: str) -> S:
    """Return the state after `action`. Raises IllegalStep, naming what is possible."""
    current = S(state)
    following = TRANSITIONS.get((current, action))
    if following is None:
        options = ", ".join(actions(current)) or "nothing more"
        raise IllegalStep(f"a case in state {current} cannot {action}; possible: {options}")
    return following


def actions(state: S | str) -> list[str]:
    """What can be done with a case in this state."""
    return [name for (origin, name) in TRANSITIONS if origin is S(state)]


def mermaid() -> str:
    """Draw the table as a mermaid state diagram."""
    lines = [f"    {origin} --> {target}: {action}" for (origin, action), target in TRANSITIONS.items()]
    return "\n".join(["stateDiagram-v2", "    [*] --> new", *lines])
