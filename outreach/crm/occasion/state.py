"""The life of a remembered date: proposed to the owner, sent by a press, or let go."""

from __future__ import annotations

from enum import StrEnum

from outreach.model.refusal import InTwo


class OccasionState(StrEnum):
    """Proposed: its owner is asked. Queued: its message is in the outbox, whose row says what became of it."""

    PROPOSED = "proposed"
    QUEUED = "queued"
    DECLINED = "declined"
    MISSED = "missed"
    SKIPPED = "skipped"


S = OccasionState


class IllegalDecision(InTwo, ValueError):
    """The date is decided already; the text says how."""


TRANSITIONS: dict[tuple[S, str], S] = {
    (S.PROPOSED, "send"): S.QUEUED,
    (S.PROPOSED, "decline"): S.DECLINED,
    # nobody decided while it still made sense: a late greeting is worse than none
    (S.PROPOSED, "miss"): S.MISSED,
    # suppressed, away, left, capped, refused by a country's rule: the reason says which
    (S.PROPOSED, "skip"): S.SKIPPED,
    # "no" may be taken back while there is time
    (S.DECLINED, "propose"): S.PROPOSED,
}


STATES_ZH = {
    S.PROPOSED: "待决定", S.QUEUED: "已安排发送", S.DECLINED: "已决定不发", S.MISSED: "已错过", S.SKIPPED: "已跳过",
}  # fmt: skip
ACTIONS_ZH = {"send": "发送", "decline": "改为不发", "miss": "记为错过", "skip": "跳过", "propose": "重新考虑"}


def advance(state: S | str, action: str) -> S:
    """Return the state after `action`. Raises IllegalDecision."""
    current = S(state)
    following = TRANSITIONS.get((current, action))
    if following is None:
        raise IllegalDecision(
            f"this date is {current} already: it cannot {action}",
            f"这份问候{STATES_ZH[current]}，不能{ACTIONS_ZH.get(action, action)}",
        )
    return following


def mermaid() -> str:
    """Draw the table as a mermaid state diagram."""
    lines = [f"    {origin} --> {target}: {action}" for (origin, action), target in TRANSITIONS.items()]
    return "\n".join(["stateDiagram-v2", "    [*] --> proposed", *lines])
