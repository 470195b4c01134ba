"""The life of a deal, as data. docs/states.md draws its picture from TRANSITIONS."""

from __future__ import annotations

from outreach.model.enums import DealStage as S


class IllegalStage(ValueError):
    """The deal's stage does not allow this. The text says which stage and what is possible instead."""


#: In the order of the trade: a deal may skip the sample or the quotation, it never goes back but by `correct`.
ORDER = (S.INQUIRY, S.QUOTATION, S.SAMPLE, S.ORDER, S.SHIPPED, S.PAID)

TRANSITIONS: dict[tuple[S, str], S] = {
    (S.INQUIRY, "quote"): S.QUOTATION,
    (S.INQUIRY, "sample"): S.SAMPLE,
    (S.INQUIRY, "order"): S.ORDER,
    (S.QUOTATION, "sample"): S.SAMPLE,
    (S.QUOTATION, "order"): S.ORDER,
    (S.SAMPLE, "quote"): S.QUOTATION,
    (S.SAMPLE, "order"): S.ORDER,
    (S.ORDER, "ship"): S.SHIPPED,
    # a deposit first, goods later: some customers pay before the ship leaves
    (S.ORDER, "pay"): S.PAID,
    (S.SHIPPED, "pay"): S.PAID,
    (S.INQUIRY, "lose"): S.LOST,
    (S.QUOTATION, "lose"): S.LOST,
    (S.SAMPLE, "lose"): S.LOST,
    (S.ORDER, "lose"): S.LOST,
    (S.LOST, "revive"): S.INQUIRY,
}

#: Stages in which the deal still needs work.
OPEN = frozenset({S.INQUIRY, S.QUOTATION, S.SAMPLE, S.ORDER, S.SHIPPED})
#: Stages that bind us to the price: under the margin floor a manager speaks first.
PRICED = frozenset({S.QUOTATION, S.ORDER})


def advance(stage: S | str, action: str) -> S:
    """Return the stage after `action`. Raises IllegalStage, naming what is possible."""
    current = S(stage)
    following = TRANSITIONS.get((current, action))
    if following is None:
        options = ", ".join(actions(current)) or "nothing more"
        raise IllegalStage(f"a deal in stage {current} cannot {action}; possible: {options}")
    return following


def actions(stage: S | str) -> list[str]:
    """What can be done with a deal in this stage, in the order of the table."""
    return [name for (origin, name) in TRANSITIONS if origin is S(stage)]


def mermaid() -> str:
    """Draw the table as a mermaid state diagram."""
    lines = [f"    {origin} --> {target}: {action}" for (origin, action), target in TRANSITIONS.items()]
    return "\n".join(["stateDiagram-v2", "    [*] --> inquiry", *lines])
