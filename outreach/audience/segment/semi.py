"""Belonging to a set of rows of another table: semi-joins and their opposite, as each database does them fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, ColumnElement, exists, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


@dataclass(frozen=True, slots=True)
class Subset:
    """Rows of another table: `key` is its column that must equal `column` of ours, `where` what else must hold."""

    column: ColumnElement[Any]
    key: ColumnElement[Any]
    where: tuple[ColumnElement[bool], ...]

    def inside(self) -> ColumnElement[bool]:
        """Return ``column IN (SELECT key …)``: a semi-join on both databases."""
        return self.column.in_(select(self.key).where(*self.where))


class Outside(ColumnElement[bool]):
    """The anti-join. Its two spellings mean the same; which one is quick depends on the database."""

    inherit_cache = False
    type = Boolean()

    def __init__(self, subset: Subset) -> None:
        self.column = subset.column
        self.by_set = subset.column.not_in(select(subset.key).where(*subset.where))
        found = exists().where(subset.key == subset.column, *subset.where)
        self.by_row = ~found.correlate(subset.column.table)

    def self_group(self, against: Any = None) -> Any:
        """Return itself: it is a condition already, and both spellings bind tighter than AND."""
        return self

    @property
    def _from_objects(self) -> Any:  # so that a statement which asks nothing else still reads our table
        return self.column._from_objects


@compiles(Outside)
def _anti_join(element: Outside, compiler: SQLCompiler, **options: Any) -> str:
    """PostgreSQL: NOT IN (SELECT) that outgrows work_mem is compared row by row; NOT EXISTS is hashed."""
    return str(compiler.process(element.by_row, **options))


@compiles(Outside, "sqlite")
def _set_difference(element: Outside, compiler: SQLCompiler, **options: Any) -> str:
    """SQLite: NOT IN builds the set once; NOT EXISTS would look it up for each row."""
    return f"({compiler.process(element.by_set, **options)})"


def outside(subset: Subset) -> ColumnElement[bool]:
    """Return the opposite of `Subset.inside` (our column must not be NULL)."""
    return Outside(subset)
