from __future__ import annotations

import pytest

from outreach.model.enums import MessageState as S
from outreach.outbox.state import OPEN, TERMINAL, TRANSITIONS, IllegalTransition, advance, mermaid, sources


@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize("action", sorted({action for _, action in TRANSITIONS}))
def test_only_what_the_table_lists_may_happen(state: S, action: str) -> None:
    if (state, action) in TRANSITIONS:
        assert advance(state, action) is TRANSITIONS[(state, action)]
    else:
        with pytest.raises(IllegalTransition, match=f"{state.value} cannot {action}"):
            advance(state, action)


def test_nothing_leaves_a_terminal_state() -> None:
    assert not [old for old, _ in TRANSITIONS if old in TERMINAL]
    assert set(S) == TERMINAL | OPEN


def test_every_open_state_can_end() -> None:
    reached = set(TERMINAL)
    for _ in S:
        reached |= {old for (old, _), new in TRANSITIONS.items() if new in reached}
    assert reached == set(S)


def test_in_doubt_is_never_sent_again_by_a_claim() -> None:
    assert sources("claim") == (S.QUEUED,)
    assert sources("hand_over") == (S.CLAIMED,)
    assert {action for (old, action) in TRANSITIONS if old is S.IN_DOUBT} == {"accept", "defer", "retry", "fail"}


def test_the_diagram_shows_every_transition() -> None:
    drawn = mermaid()
    assert all(f"{old.value} --> {new.value}: {action}" in drawn for (old, action), new in TRANSITIONS.items())
