"""What the tests in a real browser share: the seeded house over real HTTP, a way in, patience with a busy machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from outreach.db.session import Database
from tests.browser.door import Door
from tests.browser.dressing import dressed_house, whole
from tests.fakes.smtp import running_smtp
from tests.web.house import House

#: A page of a busy machine may come late: what is asked is that it comes. Playwright knows one limit for the process.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded database, made once; each file of tests changes a copy of its own."""
    path = tmp_path_factory.mktemp("seeded") / "house.db"
    dressed_house(f"sqlite:///{path}", contacts=40)
    return path


@pytest.fixture(scope="module")
def base(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a seeded house, a new one for each file."""
    path = tmp_path_factory.mktemp("browser") / "house.db"
    shutil.copy(seeded, path)
    house = House(Database(f"sqlite:///{path}"))
    with house.served(whole(house)) as url:
        yield url


@pytest.fixture(scope="module")
def door(base: str) -> Door:
    return Door(base)


#: The house's address, the language, the way in, the mail server behind it.
Place = tuple[str, str, Door, Any]


@pytest.fixture(scope="module", params=["en", "zh"])
def place(request: pytest.FixtureRequest, seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The seeded house over real HTTP with a real mail server behind it, once a language."""
    path = tmp_path_factory.mktemp("sales") / "house.db"
    shutil.copy(seeded, path)
    with running_smtp() as smtp, House(Database(f"sqlite:///{path}"), smtp.port).served() as url:
        yield url, request.param, Door(url), smtp
