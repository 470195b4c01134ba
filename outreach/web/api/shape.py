"""What the API's answers look like: made from the tables' columns, so that the description says what is told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, Field, WithJsonSchema, create_model
from sqlalchemy import Column, TypeDecorator

#: Moments and days are told as the database's values are written, not as pydantic would write them.
Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Day = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]
TYPES: dict[type, Any] = {datetime: Moment, date: Day, Decimal: float, int: int, float: float, bool: bool, str: str}


def item(name: str, columns: Iterable[Column[Any]], about: str, **more: Any) -> type[BaseModel]:
    """Return the model of a row. `more`: fields that are no columns, name → type."""
    fields: dict[str, Any] = {}
    for column in columns:
        kind = TYPES.get(_written(column), Any)
        fields[column.name] = (kind | None if column.nullable and kind is not Any else kind, Field())
    fields |= {key: (kind, Field()) for key, kind in more.items()}
    return create_model(name, __doc__=about, **fields)


def _written(column: Column[Any]) -> type:
    """The Python type of a column's values; that of the type which a decorator stores them with."""
    kind = column.type
    return (kind.impl_instance if isinstance(kind, TypeDecorator) else kind).python_type


def listing(of: type[BaseModel]) -> type[BaseModel]:
    """Return the model of a page of a list."""
    about = "A page of a list; `next` is the `after` of the following page, null at the end."
    items: Any = list[of]  # type: ignore[valid-type]
    return create_model(f"{of.__name__}Listing", __doc__=about, items=(items, ...), next=(int | None, None))
