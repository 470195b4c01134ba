"""What a segment means: a small immutable tree. Text, JSON and SQL are three ways to write it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeAlias


class Op(StrEnum):
    """What a condition asks. The values are also the JSON form's."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    IN = "in"
    NOT_IN = "not in"
    CONTAINS = "contains"
    NOT_CONTAINS = "not contains"
    EMPTY = "empty"
    NOT_EMPTY = "not empty"
    WITHIN = "within"
    NOT_WITHIN = "not within"
    BEFORE = "before"
    AFTER = "after"
    IS = "is"


#: Operators that say the opposite of another: (positive, negated).
OPPOSITES: dict[Op, Op] = {
    Op.NE: Op.EQ,
    Op.NOT_IN: Op.IN,
    Op.NOT_CONTAINS: Op.CONTAINS,
    Op.NOT_EMPTY: Op.EMPTY,
    Op.NOT_WITHIN: Op.WITHIN,
}


@dataclass(frozen=True, slots=True)
class Ago:
    """So many units before now. `unit` is hour, day, week, month or year."""

    count: int
    unit: str


Value: TypeAlias = str | float | bool | date | Ago


@dataclass(frozen=True, slots=True)
class Condition:
    """One question about a contact. `start` and `end` are where it stood in the text; they do not make it another."""

    field: str
    op: Op
    values: tuple[Value, ...] = ()
    start: int = dataclasses.field(default=0, compare=False)
    end: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class And:
    """All of them; two or more."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them; two or more."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The others."""

    item: Node


@dataclass(frozen=True, slots=True)
class Everyone:
    """Nobody is left out."""


Node: TypeAlias = And | Or | Not | Condition | Everyone
