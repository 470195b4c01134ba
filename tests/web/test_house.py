"""The house of these tests over real HTTP: what it leaves behind fails tests that have nothing to do with it."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx

from outreach.db.session import Database
from tests.web.house import House
from tests.web.seed import PASSWORD


def test_a_house_that_was_served_has_no_connection_open(seeded: Path, tmp_path: Path) -> None:
    path = tmp_path / "house.db"
    shutil.copy(seeded, path)
    house = House(Database(f"sqlite:///{path}"))
    with house.served() as base:
        answer = httpx.post(f"{base}/login", data={"name": "sun.qian", "password": PASSWORD})
        assert answer.status_code == 303
        assert house.db.engine.pool.checkedin() > 0  # type: ignore[attr-defined]
    assert house.db.engine.pool.checkedin() == 0  # type: ignore[attr-defined]
