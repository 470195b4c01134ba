"""The campaign's life is a table; whatever is not in it is refused with what is possible."""

import pytest

from outreach.campaigns.state import (
    ACTIONS_ZH,
    SENDING,
    STATES_ZH,
    TERMINAL,
    TRANSITIONS,
    IllegalTransition,
    advance,
    mermaid,
)
from outreach.model import CampaignState as S


def test_the_straight_way_from_draft_to_finished() -> None:
    state = S.DRAFT
    for action in ("submit", "approve", "schedule", "pilot", "start", "pause", "resume_running", "finish"):
        state = advance(state, action)
    assert state is S.FINISHED


@pytest.mark.parametrize("state", [S.REVIEW, S.APPROVED, S.SCHEDULED, S.PAUSED])
def test_an_edit_makes_a_draft_again(state: S) -> None:
    assert advance(state, "edit") is S.DRAFT


def test_nothing_sends_without_an_approval_on_the_way() -> None:
    """Every path from draft into a sending state passes `approve` (A4)."""
    reached, todo = set(), [S.DRAFT]
    while todo:
        state = todo.pop()
        for (origin, action), target in TRANSITIONS.items():
            if origin is state and action != "approve" and target not in reached:
                reached.add(target)
                todo.append(target)
    assert not reached & SENDING


def test_terminal_states_have_no_way_out() -> None:
    assert not [origin for origin, _ in TRANSITIONS if origin in TERMINAL]


def test_a_refusal_names_what_is_possible() -> None:
    with pytest.raises(IllegalTransition, match="a campaign in state draft cannot start; possible: cancel, submit"):
        advance("draft", "start")


def test_every_refusal_has_chinese_words() -> None:
    assert set(STATES_ZH) == set(S)
    assert {action for _, action in TRANSITIONS} <= set(ACTIONS_ZH)
    with pytest.raises(IllegalTransition) as refused:
        advance("paused", "submit")
    assert refused.value.message("zh") == "活动已暂停，不能提交审核；可以：取消、修改、继续"


def test_the_picture_shows_every_transition() -> None:
    assert mermaid().count("-->") == len(TRANSITIONS) + 1
