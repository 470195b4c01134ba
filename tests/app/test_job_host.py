"""Several processes share the jobs: each says for itself that it lives, and who is silent loses its jobs to another."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from outreach.app.build import App
from outreach.app.jobs import BEAT_SECONDS, DEAD_AFTER, JobHost
from outreach.model import Worker
from outreach.model.base import table
from tests.flow.house import Clock, installed

WORKERS = table(Worker)


async def known(app: App) -> list[str]:
    async with app.db.read() as conn:
        return sorted(await conn.scalars(select(WORKERS.c.id)))


def hosts(app: App, clock: Clock, names: str) -> list[JobHost]:
    found = []
    for name in names:
        host = JobHost(app, clock=clock)
        host.name = name
        found.append(host)
    return found


async def test_processes_that_live_never_count_as_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each beats a little late, as on a busy machine, for ten minutes."""
    clock = Clock()
    async with installed(tmp_path, 1) as app:
        adopted: list[str] = []
        three = hosts(app, clock, "abc")
        for host in three:
            monkeypatch.setattr(host.jobs, "adopt", lambda dead: adopted.extend(dead))
            await host.beat()
        for round_ in range(60):
            for place, host in enumerate(three):
                clock.now += timedelta(seconds=(BEAT_SECONDS + 2) / 3 if (round_ + place) % 5 else BEAT_SECONDS / 2)
                await host.beat()
                assert await known(app) == ["a", "b", "c"]
        assert adopted == []
        for host in three:
            await host.watch.stop()


async def test_a_silent_process_loses_its_jobs_to_one_that_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within forty seconds: the promise is sixty (reliability.md)."""
    clock = Clock()
    async with installed(tmp_path, 1) as app:
        adopted: list[str] = []

        async def adopt(dead: list[str]) -> int:
            adopted.extend(dead)
            return len(dead)

        lives, dies = hosts(app, clock, "ab")
        monkeypatch.setattr(lives.jobs, "adopt", adopt)
        await dies.beat()
        died = clock()
        while not adopted:
            clock.now += timedelta(seconds=BEAT_SECONDS)
            await lives.beat()
        assert adopted == ["b"]
        assert DEAD_AFTER < clock() - died <= DEAD_AFTER + timedelta(seconds=BEAT_SECONDS)
        assert await known(app) == ["a"]
        await lives.watch.stop()
        await dies.watch.stop()
