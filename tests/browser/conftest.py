"""What the tests in a real browser share: the seeded house over real HTTP, a way in, patience with a busy machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from outreach.db.session import Database
from tests.fakes.browser import running_app
from tests.web.house import House, made_house
from tests.web.seed import PASSWORD

#: A page of a busy machine may come late: what is asked is that it comes. Playwright knows one limit for the process.
expect.set_options(timeout=30_000)


class Door:
    """The way into a house. test_day.py and test_journey.py log in by the page; here it is paid once for each person."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.kept: dict[str, list[dict[str, str]]] = {}

    def cookies(self, name: str) -> list[dict[str, str]]:
        """What the login gives to the browser; nothing for nobody."""
        if name and name not in self.kept:
            with httpx.Client(base_url=self.base) as client:
                answer = client.post("/login", data={"name": name, "password": PASSWORD})
                assert answer.status_code == 303, answer.text
                kept = [{"name": c.name, "value": str(c.value), "url": self.base} for c in client.cookies.jar]
            self.kept[name] = kept
        return self.kept.get(name, [])

    def enter(self, context: Any, name: str, lang: str = "en") -> None:
        """Be this person from the next page on."""
        context.clear_cookies()
        context.add_cookies([*self.cookies(name), {"name": "outreach_lang", "value": lang, "url": self.base}])


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded database, made once; each file of tests changes a copy of its own."""
    path = tmp_path_factory.mktemp("seeded") / "house.db"
    made_house(f"sqlite:///{path}", contacts=40)
    return path


@pytest.fixture(scope="module")
def base(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a seeded house, a new one for each file."""
    path = tmp_path_factory.mktemp("browser") / "house.db"
    shutil.copy(seeded, path)
    with running_app(House(Database(f"sqlite:///{path}")).web) as url:
        yield url


@pytest.fixture(scope="module")
def door(base: str) -> Door:
    return Door(base)
