"""The tables behind the classes: what set statements (SQLAlchemy Core) are written with."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table
from sqlmodel import SQLModel


def table_of(model: type[SQLModel]) -> Table:
    """Return the table of a model class."""
    return cast(Table, model.__table__)  # type: ignore[attr-defined]
