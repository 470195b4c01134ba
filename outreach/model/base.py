"""How the tables declare their columns."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Integer, String, Table
from sqlmodel import Field, SQLModel

from outreach.model.types import JsonColumn, UtcDateTime


def moment(*, nullable: bool = True, index: bool = False) -> Any:
    """Declare a column of UTC moments."""
    default: datetime | None = None
    column: Column[datetime] = Column(UtcDateTime(), nullable=nullable, index=index)
    return Field(default=default, sa_column=column) if nullable else Field(sa_column=column)


def json_dict() -> Any:
    """Declare a JSON object column, empty by default."""
    return Field(default_factory=dict, sa_column=Column(JsonColumn, nullable=False, default=dict))


def json_list() -> Any:
    """Declare a JSON array column, empty by default."""
    return Field(default_factory=list, sa_column=Column(JsonColumn, nullable=False, default=list))


def refers(target: str, *, nullable: bool = True, index: bool = True) -> Any:
    """Declare an integer foreign key to ``table.column``."""
    column = Column(Integer, ForeignKey(target), nullable=nullable, index=index)
    return Field(default=None, sa_column=column) if nullable else Field(sa_column=column)


def word(*, default: str | None = None, index: bool = False, unique: bool = False, nullable: bool = False) -> Any:
    """Declare a short text column that holds an enum's value or a name."""
    # the default stands in the column too, so that Core inserts (which never build an object) get it
    column = Column(String, nullable=nullable, index=index, unique=unique, default=default)
    if default is None and not nullable:
        return Field(sa_column=column)
    return Field(default=default, sa_column=column)


def table(model: type[SQLModel]) -> Table:
    """Return the Core table of a model: set statements are typed by it, rows of a million go through it."""
    found: Table = model.__table__  # type: ignore[attr-defined]
    return found
