"""Values of ``attr.NAME``: text in a JSON column, read alike on both databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Float
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


def attribute_text(column: ColumnElement[Any], name: str) -> ColumnElement[str]:
    """Return the attribute as text; NULL where the contact has none. `name` holds no quotes (build.py)."""
    text: ColumnElement[str] = column[name].as_string()
    return text


class attribute_number(FunctionElement[float]):
    """The text as a number, NULL where it is none: a cast would fail on PostgreSQL and give 0 on SQLite."""

    inherit_cache = True
    type = Float()

    def __init__(self, text: ColumnElement[str]) -> None:
        super().__init__(text)


@compiles(attribute_number, "postgresql")
def _on_postgresql(element: attribute_number, compiler: SQLCompiler, **options: Any) -> str:
    text = compiler.process(element.clauses, **options)
    return rf"(CASE WHEN ({text}) ~ '^\s*-?[0-9]{{1,15}}(\.[0-9]+)?\s*$' THEN CAST(({text}) AS DOUBLE PRECISION) END)"


@compiles(attribute_number)
def _on_sqlite(element: attribute_number, compiler: SQLCompiler, **options: Any) -> str:
    text = compiler.process(element.clauses, **options)
    digits = f"({text}) GLOB '*[0-9]*' AND ({text}) NOT GLOB '*[^0-9. -]*'"
    return f"(CASE WHEN {digits} THEN CAST(({text}) AS REAL) END)"
