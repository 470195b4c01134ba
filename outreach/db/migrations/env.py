"""Alembic's environment: migrations run over a connection that `migrate` hands in."""

from alembic import context
from sqlmodel import SQLModel

import outreach.model  # noqa: F401  (fills SQLModel.metadata)

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    compare_type=False,
)
with context.begin_transaction():
    context.run_migrations()
