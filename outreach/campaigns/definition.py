"""A campaign file: what a marketer writes, read into frozen settings (contract: "A campaign file")."""

from __future__ import annotations

import difflib
import re
import tomllib
from datetime import datetime, time
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from outreach.campaigns.refusal import InTwo, Wrong, check_words
from outreach.campaigns.sequence import Condition, OccasionRules, SequenceRules

#: With more wordings than this each arm is too small to show a difference.
MOST_VARIANTS = 5
MOST_STEPS = 12
#: The team that looks at a pilot, not a list: each gets every variant.
MOST_TEAM = 20
#: The content of variant number i stands in the steps' table under VARIANT_STEP + i: approved like any other text.
VARIANT_STEP = 1000


_ADDRESS = re.compile(r"[!-~]{1,64}@[0-9A-Za-z][0-9A-Za-z.-]{0,251}[0-9A-Za-z]")


def is_address(text: str) -> bool:
    """Whether a text can be a colleague's e-mail address: one line of printable ASCII around one @."""
    return _ADDRESS.fullmatch(text) is not None


class DefinitionError(InTwo, ValueError):
    """The campaign file cannot be used; the text names the key and what is allowed."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Budget(_Part):
    """What the campaign may cost."""

    amount: float = Field(ge=0)
    currency: str = Field(default="CNY", pattern=r"^[A-Z]{3}$")


class Schedule(_Part):
    """When mail may leave. Without a window: at any hour; without a start: at once."""

    start: datetime | None = None
    window: str | None = None
    local_time: bool = True
    skip_holidays: bool = True
    skip_weekends: bool | None = None
    timezone: str | None = None

    @field_validator("window")
    @classmethod
    def _hours(cls, value: str | None) -> str | None:
        if value is not None:
            read_window(value)
        return value

    @property
    def hours(self) -> tuple[time, time] | None:
        """The window's first and last moment, None for none."""
        return read_window(self.window) if self.window else None


class Pilot(_Part):
    """A trial on the team and a share of the audience; the rest waits (A5)."""

    share: float = Field(default=0.05, gt=0, le=0.5)
    wait_hours: float = Field(default=24, ge=0)
    team: list[str] = Field(default=[], max_length=MOST_TEAM)

    @field_validator("team")
    @classmethod
    def _addresses(cls, value: list[str]) -> list[str]:
        wrong = [text for text in value if not is_address(text)]
        if wrong:
            raise Wrong(f"{wrong[0]!r} is no e-mail address", f"“{wrong[0]}” 不是邮箱地址")
        return value


class Step(_Part):
    """A follow-up. `after_days` counts from the step before, in working days of the recipient's calendar."""

    after_days: float = Field(default=4, ge=0)
    only_if: Condition = "no reply"
    template: str
    subject: str | None = None
    same_thread: bool = True


class Variant(_Part):
    """One arm of an A/B test: what it changes."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,20}$")
    subject: str | None = None
    template: str | None = None
    mailbox: str | None = None
    hour: int | None = Field(default=None, ge=0, le=23)
    share: float | None = Field(default=None, gt=0, le=1)


class Test(_Part):
    """How the variants are judged (campaigns/variants.py).

    `share` of the audience tries them; the rest waits for the result. `lift`: the rise that is worth finding, 0.3 for
    30%. `minimum`: with fewer accepted mails in an arm nothing is said. `release`: whether the winner goes to the rest
    by itself; without a winner `otherwise` counts, "first" being the first variant of the file.
    """

    share: float = Field(default=0.2, gt=0, le=1)
    metric: Literal["click", "reply", "open"] = "click"
    lift: float = Field(default=0.3, gt=0)
    minimum: int = Field(default=100, ge=10)
    wait_hours: float = Field(default=24, ge=0)
    release: Literal["winner", "ask"] = "winner"
    otherwise: Literal["ask", "first"] = "ask"


class Tracking(_Part):
    """What is counted."""

    opens: bool = True
    clicks: bool = True


class Definition(_Part):
    """The whole campaign file."""

    name: str = Field(min_length=1, max_length=200)
    goal: str = ""
    theme: str = ""
    topic: str | None = None
    owner: str | None = None
    budget: Budget | None = None
    segment: str
    template: str
    subject: str | None = None
    mailboxes: list[str] = Field(min_length=1)
    schedule: Schedule = Schedule()
    pilot: Pilot | None = None
    step: list[Step] = Field(default=[], max_length=MOST_STEPS)
    variant: list[Variant] = Field(default=[], max_length=MOST_VARIANTS)
    test: Test | None = None
    tracking: Tracking = Tracking()
    stop_colleagues: bool = True
    reply_to: str | None = None
    sequence: SequenceRules | None = None
    occasion: OccasionRules | None = None

    @property
    def kind(self) -> str:
        """What the campaign is: "campaign", "sequence" or "occasion"."""
        return "sequence" if self.sequence else "occasion" if self.occasion else "campaign"

    @model_validator(mode="after")
    def _somebody(self) -> Definition:
        if not self.segment.strip() and self.kind == "campaign":
            raise Wrong("segment is empty: say who gets it", "segment 为空：请写明发给谁")
        return self

    @model_validator(mode="after")
    def _variants(self) -> Definition:
        names = [variant.name for variant in self.variant]
        if len(set(names)) != len(names):
            raise Wrong("two variants have the same name", "有两个版本同名")
        if len(names) == 1:
            raise Wrong(
                "one variant alone cannot be compared: give two to five, or none",
                "只有一个版本无法比较：请给出二到五个，或不设版本",
            )
        if self.test and not names:
            raise Wrong("[test] needs two to five [[variant]] to compare", "[test] 需要二到五个 [[variant]] 才能比较")
        for variant in self.variant:
            self._must_differ(variant)
        return self

    def _must_differ(self, variant: Variant) -> None:
        """A variant in an hour outside the window would never leave as planned; the same twice shows nothing."""
        hours = self.schedule.hours
        if variant.hour is not None and hours and not hours[0] <= time(variant.hour) < hours[1]:
            raise Wrong(
                f"variant {variant.name}: {variant.hour}:00 lies outside the window {self.schedule.window}",
                f"版本 {variant.name}：{variant.hour}:00 不在发送时段 {self.schedule.window} 内",
            )
        same = [v.name for v in self.variant if v != variant and _changes(v) == _changes(variant)]
        if same:
            raise Wrong(
                f"variants {variant.name} and {same[0]} change the same: there is nothing to compare",
                f"版本 {variant.name} 与 {same[0]} 的改动相同，没有可比较的内容",
            )

    def templates(self) -> list[str]:
        """The templates of every step in order, then those of the variants."""
        if self.sequence:
            return [step.template for step in self.sequence.steps if step.template]
        return [self.template, *(s.template for s in self.step), *(v.template for v in self.variant if v.template)]

    def content_step(self, step: int) -> int:
        """Which step's text a message of `step` has. A remembered date's step is its day; all have one text."""
        return 0 if self.occasion else step

    def subject_of(self, step: int) -> str | None:
        """The subject that stands in the file for a step, None for the template's."""
        if self.sequence:
            found = self.sequence.step(step)
            return found.subject if found else None
        if self.occasion or step == 0:
            return self.subject
        return self.step[step - 1].subject if step <= len(self.step) else None

    def in_thread(self, step: int) -> bool:
        """Whether the step's mail answers the mail before it."""
        if self.sequence:
            found = self.sequence.step(step)
            return bool(found and found.same_thread)
        return not self.occasion and 0 < step <= len(self.step) and self.step[step - 1].same_thread


_LABELS = {"name", "share"}


def _changes(variant: Variant) -> dict[str, Any]:
    return variant.model_dump(exclude=_LABELS)


_WINDOW = re.compile(r"^\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*$")


def read_window(text: str) -> tuple[time, time]:
    """Read ``09:00-17:00``. Raises ValueError when it is no window or ends before it begins."""
    found = _WINDOW.match(text)
    if not found:
        raise Wrong(f'window {text!r} is not of the form "09:00-17:00"', f"时段 “{text}” 的格式应为 “09:00-17:00”")
    h1, m1, h2, m2 = (int(part) for part in found.groups())
    try:
        first, last = time(h1, m1), time(23, 59, 59) if (h2, m2) == (24, 0) else time(h2, m2)
    except ValueError:
        raise Wrong(
            f"window {text!r}: hours go to 24, minutes to 59", f"时段 “{text}”：小时最大 24，分钟最大 59"
        ) from None
    if first >= last:
        raise Wrong(f"window {text!r} ends before it begins", f"时段 “{text}” 的结束早于开始")
    return first, last


def parse(text: str, *, source: str = "campaign file") -> Definition:
    """Read a campaign file's text. Raises DefinitionError naming each wrong key."""
    try:
        raw = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"{source}: {error}", f"{source}：文件格式有误（{error}）") from error
    return from_dict(raw, source=source)


def from_dict(raw: dict[str, Any], *, source: str = "campaign") -> Definition:
    """Check a campaign given as a dict (the web and the API use this). Raises DefinitionError."""
    return checked(Definition, raw, source)


M = TypeVar("M", bound=BaseModel)


def checked(model: type[M], raw: dict[str, Any], source: str) -> M:
    """Read a dict as one of the files. Raises DefinitionError naming each wrong key."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        told = [_explain(problem, source, model) for problem in error.errors()]
        raise DefinitionError("\n".join(en for en, _ in told), "\n".join(zh for _, zh in told)) from error


def to_dict(definition: Definition) -> dict[str, Any]:
    """The JSON form that is stored and hashed: explicit defaults, ISO times."""
    return definition.model_dump(mode="json")


def _explain(problem: Any, source: str, model: type[BaseModel]) -> tuple[str, str]:
    """Return which key is wrong and why, in English and Chinese."""
    path = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        allowed = _keys(problem["loc"], model)
        close = difflib.get_close_matches(str(problem["loc"][-1]), allowed, n=1)
        hint, asked = (f" (did you mean {close[0]}?)", f"（是不是 {close[0]}？）") if close else ("", "")
        listed = ", ".join(allowed)
        return (
            f"{source}: unknown key {path}{hint}; allowed here: {listed}",
            f"{source}：没有 {path} 这个键{asked}；此处可用：{listed}",
        )
    if problem["type"] == "missing":
        return f"{source}: {path} is missing", f"{source}：缺少 {path}"
    en, zh = check_words(problem)
    return (
        f"{source}: {path}: {en} (found {problem['input']!r})",
        f"{source}：{path}：{zh}（现为 {problem['input']!r}）",
    )


def _keys(location: tuple[Any, ...], model: type[BaseModel]) -> list[str]:
    """The keys of the table in which a wrong one stands."""
    for part in location[:-1]:
        field = model.model_fields.get(str(part))
        model = (_model_in(field.annotation) if field else None) or model
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
