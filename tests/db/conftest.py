"""Here a database begins without tables: its migrations are what is tested."""

from __future__ import annotations

import pytest


@pytest.fixture
def postgres_url(new_postgres_url: str) -> str:
    """A database without tables."""
    return new_postgres_url
