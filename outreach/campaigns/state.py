"""The life of a campaign, as data. docs/states.md draws its picture from TRANSITIONS."""

from __future__ import annotations

from outreach.campaigns.refusal import InTwo
from outreach.model.enums import CampaignState as S


class IllegalTransition(InTwo, ValueError):
    """The campaign's state does not allow this. The text says which state and what is possible instead."""


TRANSITIONS: dict[tuple[S, str], S] = {
    (S.DRAFT, "submit"): S.REVIEW,
    (S.REVIEW, "approve"): S.APPROVED,
    (S.REVIEW, "reject"): S.DRAFT,
    (S.APPROVED, "reject"): S.DRAFT,
    # any edit voids the approvals (A4), so an edited campaign is a draft again
    (S.REVIEW, "edit"): S.DRAFT,
    (S.APPROVED, "edit"): S.DRAFT,
    (S.SCHEDULED, "edit"): S.DRAFT,
    (S.APPROVED, "schedule"): S.SCHEDULED,
    (S.APPROVED, "pilot"): S.PILOT,
    (S.SCHEDULED, "pilot"): S.PILOT,
    (S.APPROVED, "start"): S.RUNNING,
    (S.SCHEDULED, "start"): S.RUNNING,
    (S.PILOT, "start"): S.RUNNING,
    (S.SCHEDULED, "pause"): S.PAUSED,
    (S.PILOT, "pause"): S.PAUSED,
    (S.RUNNING, "pause"): S.PAUSED,
    (S.PAUSED, "resume_scheduled"): S.SCHEDULED,
    (S.PAUSED, "resume_pilot"): S.PILOT,
    (S.PAUSED, "resume_running"): S.RUNNING,
    (S.PAUSED, "edit"): S.DRAFT,
    (S.RUNNING, "finish"): S.FINISHED,
    (S.DRAFT, "cancel"): S.CANCELLED,
    (S.REVIEW, "cancel"): S.CANCELLED,
    (S.APPROVED, "cancel"): S.CANCELLED,
    (S.SCHEDULED, "cancel"): S.CANCELLED,
    (S.PILOT, "cancel"): S.CANCELLED,
    (S.RUNNING, "cancel"): S.CANCELLED,
    (S.PAUSED, "cancel"): S.CANCELLED,
}

#: States in which message rows may be handed over.
SENDING = frozenset({S.PILOT, S.RUNNING})
#: States in which nothing more will happen.
TERMINAL = frozenset({S.FINISHED, S.CANCELLED})


#: States and actions in the words of the pages, for who reads a refusal in Chinese.
STATES_ZH: dict[S, str] = {
    S.DRAFT: "为草稿", S.REVIEW: "审核中", S.APPROVED: "已批准", S.SCHEDULED: "已排期", S.PILOT: "试发中",
    S.RUNNING: "运行中", S.PAUSED: "已暂停", S.FINISHED: "已完成", S.CANCELLED: "已取消",
}  # fmt: skip
ACTIONS_ZH = {
    "submit": "提交审核", "approve": "批准", "reject": "退回", "edit": "修改", "schedule": "排期", "pilot": "试发",
    "start": "开始发送", "pause": "暂停", "resume_scheduled": "继续", "resume_pilot": "继续", "resume_running": "继续",
    "resume": "继续", "finish": "结束", "cancel": "取消",
}  # fmt: skip


def _said(action: str) -> str:
    return ACTIONS_ZH.get(action, action)


def advance(state: S | str, action: str) -> S:
    """Return the state after `action`. Raises IllegalTransition, naming what is possible."""
    current = S(state)
    following = TRANSITIONS.get((current, action))
    if following is None:
        possible = sorted({name for (origin, name) in TRANSITIONS if origin is current})
        options = ", ".join(possible) or "nothing more"
        said = "、".join(dict.fromkeys(_said(name) for name in possible)) or "无"
        raise IllegalTransition(
            f"a campaign in state {current} cannot {action}; possible: {options}",
            f"活动{STATES_ZH[current]}，不能{_said(action)}；可以：{said}",
        )
    return following


def mermaid() -> str:
    """Draw the table as a mermaid state diagram."""
    lines = [f"    {origin} --> {target}: {action}" for (origin, action), target in TRANSITIONS.items()]
    return "\n".join(["stateDiagram-v2", "    [*] --> draft", *lines])
