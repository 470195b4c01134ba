"""Sequence files and files of remembered dates, as people write them → a campaign's Definition. Pure."""

from __future__ import annotations

import tomllib
from typing import Any

from pydantic import Field, field_validator

from outreach.audience import segment as language
from outreach.campaigns.definition import Budget, Definition, DefinitionError, Schedule, Tracking, checked
from outreach.campaigns.refusal import check_words
from outreach.campaigns.sequence import (
    MOST_STEPS,
    Enrol,
    OccasionRules,
    Part,
    SequenceRules,
    SequenceStep,
    Stop,
    numbered,
)

#: Evergreen mail goes out in the customer's working hours unless the file says otherwise.
OFFICE = Schedule(window="09:00-17:00")


class _Common(Part):
    name: str = Field(min_length=1, max_length=200)
    goal: str = ""
    theme: str = ""
    topic: str | None = None
    owner: str | None = None
    budget: Budget | None = None
    mailboxes: list[str] = Field(min_length=1)
    schedule: Schedule = OFFICE
    tracking: Tracking = Tracking()
    reply_to: str | None = None


class SequenceFile(_Common):
    """A sequence (跟进序列): who comes in, the steps, what ends it."""

    enrol: Enrol = Enrol()
    stop: Stop = Stop()
    step: list[SequenceStep] = Field(min_length=1, max_length=MOST_STEPS)


class OccasionFile(_Common):
    """A remembered date (节日与关怀): which one, for whom, with which letter."""

    template: str
    subject: str | None = None
    segment: str | None = None
    occasion: OccasionRules

    @field_validator("segment")
    @classmethod
    def _expression(cls, value: str | None) -> str | None:
        if value is not None:
            language.parse(value)
        return value


def parse(text: str, *, source: str = "sequence file") -> Definition:
    """Read either file: one with an [occasion] is a remembered date. Raises DefinitionError naming each wrong key."""
    try:
        raw = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"{source}: {error}", f"{source}：文件格式有误（{error}）") from error
    return from_dict(raw, source=source)


def from_dict(raw: dict[str, Any], *, source: str = "sequence", before: Definition | None = None) -> Definition:
    """Check a file given as a dict; `before` is what it replaces: steps keep their numbers. Raises DefinitionError."""
    if "occasion" in raw:
        return _occasion(checked(OccasionFile, raw, source))
    return _sequence(checked(SequenceFile, raw, source), before)


def _sequence(file: SequenceFile, before: Definition | None) -> Definition:
    known = before.sequence.steps if before is not None and before.sequence else []
    steps = numbered(list(file.step), list(known))
    raw = {
        **_shared(file),
        "segment": file.enrol.segment or "",
        "template": next((step.template for step in steps if step.template), "") or "",
        "stop_colleagues": file.stop.company_reply,
    }
    # the rules are checked as a whole: at least one mail, every number once
    try:
        rules = SequenceRules(steps=steps, enrol=file.enrol, stop=file.stop)
    except ValueError as error:
        en, zh = _words(error)
        raise DefinitionError(f"{file.name}: {en}", f"{file.name}：{zh}") from error
    return checked(Definition, {**raw, "sequence": rules}, file.name)


def _words(error: ValueError) -> tuple[str, str]:
    problems: list[dict[str, Any]] = getattr(error, "errors", list)()
    told = [check_words(problem) for problem in problems] or [(str(error), str(error))]
    return "; ".join(en for en, _ in told), "；".join(zh for _, zh in told)


def _occasion(file: OccasionFile) -> Definition:
    more = {"segment": file.segment or "", "template": file.template, "subject": file.subject}
    return checked(Definition, {**_shared(file), **more, "occasion": file.occasion}, file.name)


def _shared(file: _Common) -> dict[str, Any]:
    return {name: getattr(file, name) for name in _Common.model_fields}


def to_file(what: Definition) -> dict[str, Any]:
    """The file's dict of a stored definition: what the builder shows and an editor would write."""
    shared = {name: value for name, value in what.model_dump(mode="json").items() if name in _Common.model_fields}
    if what.occasion:
        more = {"template": what.template, "subject": what.subject, "segment": what.segment or None}
        return {**shared, **more, "occasion": what.occasion.model_dump(mode="json")}
    assert what.sequence is not None
    rules = what.sequence.model_dump(mode="json")
    return {**shared, "enrol": rules["enrol"], "stop": rules["stop"], "step": rules["steps"]}
