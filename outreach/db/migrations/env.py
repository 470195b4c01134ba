"""Alembic's environment: migrations run over a connection that `migrate` hands in."""

from alembic import context
from sqlmodel import SQLModel

import outreach.model  # noqa: F401  (fills SQLModel.metadata)


def ours(thing: object, name: str | None, kind: str, reflected: bool, compare_to: object) -> bool:
    """Whether a table is a model's: the full-text index keeps tables of its own (ddl.py), which no revision drops."""
    return not (kind == "table" and reflected and str(name).startswith("archive_index"))


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    compare_type=False,
    include_object=ours,
)
with context.begin_transaction():
    context.run_migrations()
