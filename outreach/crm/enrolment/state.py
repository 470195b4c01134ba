"""The life of a person in a sequence, as data."""

from __future__ import annotations

from enum import StrEnum

from outreach.model.refusal import InTwo


class EnrolmentState(StrEnum):
    """Where a person stands. Active: the next step comes by itself; waiting: for a call or task of ours."""

    ACTIVE = "active"
    WAITING = "waiting"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"


S = EnrolmentState


class IllegalMove(InTwo, ValueError):
    """The person's state in the sequence does not allow this; the text says what is possible."""


TRANSITIONS: dict[tuple[S, str], S] = {
    (S.ACTIVE, "wait"): S.WAITING,
    # the call or task is done (or nobody did it in time): the next step's days count from now
    (S.WAITING, "go_on"): S.ACTIVE,
    (S.ACTIVE, "pause"): S.PAUSED,
    (S.WAITING, "pause"): S.PAUSED,
    (S.PAUSED, "resume"): S.ACTIVE,
    # paused while a call or task was open: that is waited for again
    (S.PAUSED, "resume_waiting"): S.WAITING,
    (S.ACTIVE, "stop"): S.STOPPED,
    (S.WAITING, "stop"): S.STOPPED,
    (S.PAUSED, "stop"): S.STOPPED,
    (S.ACTIVE, "finish"): S.FINISHED,
    # a stop by hand may be taken back; what a customer's reply or wish has stopped stays stopped
    (S.STOPPED, "reopen"): S.ACTIVE,
}

STATES_ZH = {
    S.ACTIVE: "在序列中",
    S.WAITING: "在等待电话或待办",
    S.PAUSED: "已暂停",
    S.STOPPED: "已停止",
    S.FINISHED: "已走完序列",
}
ACTIONS_ZH = {
    "wait": "等待", "go_on": "继续", "pause": "暂停", "resume": "继续", "resume_waiting": "继续", "stop": "停止",
    "finish": "结束", "reopen": "重新加入",
}  # fmt: skip

#: States in which a person is in the sequence, and so in no other.
OPEN = frozenset({S.ACTIVE, S.WAITING, S.PAUSED})
#: The one reason of a stop that may be taken back.
BY_HAND = "by_hand"


def advance(state: S | str, action: str) -> S:
    """Return the state after `action`. Raises IllegalMove, naming what is possible."""
    current = S(state)
    following = TRANSITIONS.get((current, action))
    if following is None:
        possible = sorted(name for origin, name in TRANSITIONS if origin is current)
        options = ", ".join(possible) or "nothing more"
        said = "、".join(dict.fromkeys(ACTIONS_ZH[name] for name in possible)) or "无"
        raise IllegalMove(
            f"a person who is {current} in a sequence cannot {action}; possible: {options}",
            f"此人{STATES_ZH[current]}，不能{ACTIONS_ZH.get(action, action)}；可以：{said}",
        )
    return following


def sources(action: str) -> tuple[S, ...]:
    """The states in which `action` is allowed: what an UPDATE is guarded with."""
    return tuple(state for state, known in TRANSITIONS if known == action)


def mermaid() -> str:
    """Draw the table as a mermaid state diagram."""
    lines = [f"    {origin} --> {target}: {action}" for (origin, action), target in TRANSITIONS.items()]
    return "\n".join(["stateDiagram-v2", "    [*] --> active", *lines])
