"""The life of a message, as data (architecture.md, "Life of a message")."""

from __future__ import annotations

from collections.abc import Mapping

from outreach.model.enums import MessageState as S

#: (state, action) → state. Nothing else may happen to a message; docs/reliability.md draws its diagram from here.
TRANSITIONS: Mapping[tuple[S, str], S] = {
    (S.PLANNED, "queue"): S.QUEUED,
    (S.PLANNED, "skip"): S.SKIPPED,
    (S.PLANNED, "cancel"): S.CANCELLED,
    (S.QUEUED, "claim"): S.CLAIMED,
    (S.QUEUED, "skip"): S.SKIPPED,
    (S.QUEUED, "cancel"): S.CANCELLED,
    # the worker died, the run ended, or the envelope could not be offered: nothing was handed over
    (S.CLAIMED, "release"): S.QUEUED,
    (S.CLAIMED, "hand_over"): S.HANDING_OVER,
    # refused before the body: MAIL, RCPT or DATA answered 4xx or 5xx, or the message cannot be composed
    (S.CLAIMED, "defer"): S.DEFERRED,
    (S.CLAIMED, "fail"): S.FAILED,
    # the last check, in the transaction of the hand-over: suppressed since, campaign stopped since
    (S.CLAIMED, "skip"): S.SKIPPED,
    (S.CLAIMED, "cancel"): S.CANCELLED,
    (S.HANDING_OVER, "accept"): S.SENT,
    (S.HANDING_OVER, "defer"): S.DEFERRED,
    (S.HANDING_OVER, "fail"): S.FAILED,
    (S.HANDING_OVER, "doubt"): S.IN_DOUBT,
    # the link broke while the final dot had provably not left
    (S.HANDING_OVER, "release"): S.QUEUED,
    (S.DEFERRED, "due"): S.QUEUED,
    (S.DEFERRED, "fail"): S.FAILED,
    (S.DEFERRED, "skip"): S.SKIPPED,
    (S.DEFERRED, "cancel"): S.CANCELLED,
    # settled by evidence (Sent folder, bounce, reply), by the late word of the worker itself, or by a person
    (S.IN_DOUBT, "accept"): S.SENT,
    (S.IN_DOUBT, "defer"): S.DEFERRED,
    (S.IN_DOUBT, "retry"): S.QUEUED,
    (S.IN_DOUBT, "fail"): S.FAILED,
}

TERMINAL = frozenset({S.SENT, S.FAILED, S.SKIPPED, S.CANCELLED})
OPEN = frozenset(set(S) - TERMINAL)


class IllegalTransition(Exception):
    """A message was asked to do what its state does not allow."""


def advance(state: S, action: str) -> S:
    """Return the state that `action` leads to. Raises IllegalTransition if the table does not list it."""
    try:
        return TRANSITIONS[(S(state), action)]
    except KeyError:
        raise IllegalTransition(f"a message that is {S(state).value} cannot {action}") from None


def sources(action: str) -> tuple[S, ...]:
    """Return the states in which `action` is allowed: what an UPDATE is guarded with."""
    return tuple(state for state, known in TRANSITIONS if known == action)


def mermaid() -> str:
    """Return the diagram of TRANSITIONS in Mermaid's language."""
    lines = ["stateDiagram-v2", "    [*] --> planned"]
    lines += [f"    {old.value} --> {new.value}: {action}" for (old, action), new in TRANSITIONS.items()]
    lines += [f"    {state.value} --> [*]" for state in S if state in TERMINAL]
    return "\n".join(lines) + "\n"
