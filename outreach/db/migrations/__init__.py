"""Alembic migrations: every change of a table since the first day."""
