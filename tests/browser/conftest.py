"""What the tests in a real browser share: the seeded house over real HTTP, and patience with a busy machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.fakes.browser import running_app
from tests.web.house import made_house

#: A page of a busy machine may come late: what is asked is that it comes. Playwright knows one limit for the process.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a seeded house, a new one for each file."""
    path = tmp_path_factory.mktemp("browser") / "house.db"
    with running_app(made_house(f"sqlite:///{path}", contacts=40).web) as url:
        yield url
