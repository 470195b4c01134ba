"""A sequence file: steps of mail, call or task for whoever is enrolled; and files of remembered dates. Pure.

Both become a campaign's Definition, so that everything that guards a campaign (approvals bound to a hash, gates, caps,
suppression, the outbox) guards them too.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from outreach.audience import segment
from outreach.campaigns.refusal import Wrong

MOST_STEPS = 20
Condition = Literal["always", "no reply", "no open", "no click", "opened", "clicked"]
Trigger = Annotated[str, StringConstraints(pattern=r"^(inquiry|delivered|tag:.{1,80})$")]
OccasionKind = Literal["birthday", "holiday", "quality", "anniversary", "reactivation"]


class Part(BaseModel):
    """A table of the file: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _expression(value: str | None) -> str | None:
    """Check a segment expression. Raises SegmentError, a ValueError with the place."""
    if value is not None:
        segment.parse(value)
    return value


class SequenceStep(Part):
    """One step. `after_days` counts the customer's working days from the step before (the first: from enrolment).

    `number` stays a step's own through every edit: nobody gets the same step twice. `wait`: the next step comes only
    when the call or task is done, or `give_up_days` working days later.
    """

    number: int = Field(default=-1, ge=-1)
    kind: Literal["mail", "call", "task"] = "mail"
    after_days: float = Field(default=3, ge=0, le=365)
    only_if: Condition = "always"
    where: str | None = None
    template: str | None = None
    subject: str | None = None
    same_thread: bool = True
    title: str = Field(default="", max_length=200)
    note: str = Field(default="", max_length=4000)
    wait: bool = True
    give_up_days: float = Field(default=10, gt=0, le=365)

    _where = field_validator("where")(_expression)

    @model_validator(mode="after")
    def _complete(self) -> SequenceStep:
        if self.kind == "mail" and not self.template:
            raise Wrong("a mail needs a template", "邮件步骤需要模板")
        if self.kind != "mail" and not self.title:
            raise Wrong(f"a {self.kind} needs a title: what is to be done", "电话或待办步骤需要标题：写明要做什么")
        return self


class Enrol(Part):
    """Who comes in by itself. Without `on`: whoever newly matches the segment; with it: who it happens to."""

    segment: str | None = None
    existing: bool = False
    on: list[Trigger] = []
    most_per_day: int = Field(default=0, ge=0)

    _segment = field_validator("segment")(_expression)


class Stop(Part):
    """What ends it besides a reply, a bounce, an unsubscription, a complaint: those always do."""

    company_reply: bool = True
    meeting: bool = True
    colleague: bool = True
    deal_stages: list[str] = ["order", "shipped", "paid", "lost"]


class SequenceRules(Part):
    """The part of a campaign's definition that makes it a sequence."""

    steps: list[SequenceStep] = Field(min_length=1, max_length=MOST_STEPS)
    enrol: Enrol = Enrol()
    stop: Stop = Stop()

    @model_validator(mode="after")
    def _numbered(self) -> SequenceRules:
        if not any(step.kind == "mail" for step in self.steps):
            raise Wrong("a sequence has at least one mail", "序列至少要有一封邮件")
        given = [step.number for step in self.steps if step.number >= 0]
        if len(set(given)) != len(given):
            raise Wrong("two steps have the same number", "有两个步骤编号相同")
        return self

    def step(self, number: int | None) -> SequenceStep | None:
        """The step of that number, None when there is none (any more)."""
        return next((step for step in self.steps if step.number == number), None)

    def after(self, number: int) -> SequenceStep | None:
        """The step that follows, None after the last."""
        numbers = [step.number for step in self.steps]
        place = numbers.index(number) + 1 if number in numbers else len(numbers)
        return self.steps[place] if place < len(self.steps) else None


class OccasionRules(Part):
    """The part of a campaign's definition that makes it a remembered date.

    `after_days`: quality question, days after delivery. `months`: reactivation, how long a customer has been silent.
    `ask`: the owner is asked first, `ask_days` days ahead; otherwise it goes by itself. `holidays`: names of the list
    in crm/greetings.toml, empty for all that are suitable. `words`: what is said, by holiday and language
    (``christmas.de``), filled in when it is stored, so that the approval covers every word.
    """

    kind: OccasionKind
    holidays: list[str] = []
    after_days: int = Field(default=7, ge=1, le=365)
    months: int = Field(default=6, ge=1, le=60)
    ask: bool = True
    ask_days: int = Field(default=7, ge=0, le=30)
    words: dict[str, dict[str, str]] = {}


def numbered(steps: list[SequenceStep], before: list[SequenceStep]) -> list[SequenceStep]:
    """Give every step its number for life: known steps keep theirs, new ones get numbers that were never used.

    A step of the file without a number is the old one with the same content where there is one, so that rearranging
    a file does not mail anybody twice.
    """
    taken = {step.number for step in steps if step.number >= 0}
    free = [step for step in before if step.number not in taken]
    following = max([-1, *taken, *(step.number for step in before)]) + 1
    found: list[SequenceStep] = []
    for step in steps:
        number = step.number
        if number < 0:
            same = next((old for old in free if _content(old) == _content(step)), None)
            if same is not None:
                free.remove(same)
                number = same.number
            else:
                number, following = following, following + 1
        found.append(step.model_copy(update={"number": number}))
    return found


def _content(step: SequenceStep) -> tuple[str, str]:
    return step.kind, step.template or step.title
