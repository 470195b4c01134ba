"""Whether a text holds another one, large and small letters alike, as each database says it soonest."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


def like(text: str) -> str:
    """A LIKE pattern in which what the person typed means itself."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


class alike(FunctionElement[bool]):
    """``alike(column, pattern)``: ILIKE, with a backslash before what is no wildcard (`like`)."""

    inherit_cache = True
    type = Boolean()

    def self_group(self, against: Any = None) -> Any:
        """Return itself: it is a condition already, and LIKE binds tighter than AND."""
        return self


@compiles(alike)
def _ilike(element: alike, compiler: SQLCompiler, **options: Any) -> str:
    column, pattern = element.clauses
    return compiler.process(column.ilike(pattern, escape="\\"), **options)


@compiles(alike, "sqlite")
def _like(element: alike, compiler: SQLCompiler, **options: Any) -> str:
    """SQLite's LIKE takes the letters of ASCII alike as its lower() does: to lower both first takes twice as long."""
    column, pattern = element.clauses
    return compiler.process(column.like(pattern, escape="\\"), **options)
