"""Backup, restore, copy: what was restored does not send until somebody says so; nothing of it is lost."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import tarfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from typer.testing import CliRunner, Result

from outreach.access.roles import OPERATOR
from outreach.app import campaigns as use
from outreach.app.backup import restore_backup
from outreach.app.build import App, open_app
from outreach.app.clock import utc_now
from outreach.app.engine import Engine
from outreach.cli.main import app as cli
from outreach.config import ConfigError, load
from outreach.model import Campaign, Message, Worker
from outreach.model.base import table
from tests.flow.house import Clock, add_people, approved, installed, work

MESSAGES, CAMPAIGNS = table(Message), table(Campaign)


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that outlives a restored data folder."""
    folder = tmp_path / "state"
    monkeypatch.setenv("OUTREACH_STATE_DIR", str(folder))
    return folder


@pytest.fixture
def clock() -> Clock:
    return Clock()


def outreach(folder: Path, *words: str, code: int = 0) -> Result:
    """Run a command on the installation in this folder."""
    result = CliRunner().invoke(cli, ["--config", str(folder / "config.toml"), *words])
    assert result.exit_code == code, result.output
    return result


def told(folder: Path, *words: str) -> Any:
    return json.loads(outreach(folder, *words, "--json").stdout)


def within(folder: Path, port: int, do: Callable[[App], Awaitable[None]]) -> None:
    async def run() -> None:
        async with installed(folder, port) as app:
            await do(app)

    asyncio.run(run())


async def states(app: App) -> list[str]:
    async with app.db.read() as conn:
        return list(await conn.scalars(select(MESSAGES.c.state).order_by(MESSAGES.c.id)))


async def send_all(folder: Path) -> list[str]:
    """What a cron job does: open, run until idle; the states afterwards."""
    app = await open_app(load(folder / "config.toml"))
    try:
        await Engine(app).until_idle(60)
        return await states(app)
    finally:
        await app.close()


def start_campaign(folder: Path, port: int, clock: Clock, *, send: bool) -> None:
    async def do(app: App) -> None:
        await add_people(app, folder, 3)
        campaign = await approved(app, clock)
        await use.start(app, campaign, OPERATOR, clock())
        if send:
            await work(app, clock)

    within(folder, port, do)


def test_what_was_sent_after_the_backup_is_not_sent_again(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    """The promise: the backup still says "queued" of messages that have left since; it must not send by itself."""
    start_campaign(tmp_path, smtp_sink.port, clock, send=False)
    made = told(tmp_path, "backup")["backup"]
    assert asyncio.run(send_all(tmp_path)) == ["sent"] * 3
    assert smtp_sink.count() == 3
    restored = told(tmp_path, "restore", made)
    assert (Path(restored["previous"]) / "outreach.db").exists()
    assert asyncio.run(send_all(tmp_path)) == ["queued"] * 3
    assert smtp_sink.count() == 3
    # people hear of it from every command and from the doctor
    assert "confirm-sending" in outreach(tmp_path, "run", "--until-idle").stderr
    checks = {
        check["name"]: check for check in json.loads(outreach(tmp_path, "doctor", "--json", code=1).stdout)["checks"]
    }
    assert not checks["installation"]["ok"]
    assert "confirm-sending" in checks["installation"]["fix"]
    assert told(tmp_path, "confirm-sending") == {"held_by": "restored", "sending": True}
    assert told(tmp_path, "confirm-sending") == {"held_by": None, "sending": True}
    assert asyncio.run(send_all(tmp_path)) == ["sent"] * 3


def test_a_backup_holds_database_and_secret_and_is_closed_to_others(
    tmp_path: Path, smtp_sink: Any, clock: Clock
) -> None:
    start_campaign(tmp_path, smtp_sink.port, clock, send=True)
    target = tmp_path / "kept" / "one.tar"
    assert told(tmp_path, "backup", str(target))["backup"] == str(target)
    assert stat.S_IMODE(os.stat(target).st_mode) == 0o600
    with tarfile.open(target) as archive:
        assert sorted(archive.getnames()) == ["outreach.db", "secret.key"]
    secret = (tmp_path / "secret.key").read_bytes()
    (tmp_path / "secret.key").write_bytes(b"another secret of thirty-two bytes")
    outreach(tmp_path, "restore", str(target))
    assert (tmp_path / "secret.key").read_bytes() == secret  # links in mails that have left keep working
    assert stat.S_IMODE(os.stat(tmp_path / "secret.key").st_mode) == 0o600


def test_a_database_that_was_put_back_by_hand_is_noticed(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    """Without `outreach restore`: a copy of the file from yesterday lies behind the generation that is kept elsewhere."""
    start_campaign(tmp_path, smtp_sink.port, clock, send=False)
    outreach(tmp_path, "backup", str(tmp_path / "b.tar"))
    with tarfile.open(tmp_path / "b.tar") as archive:
        archive.extract("outreach.db", tmp_path / "old", filter="data")
    assert asyncio.run(send_all(tmp_path)) == ["sent"] * 3
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"outreach.db{suffix}").unlink(missing_ok=True)
    (tmp_path / "old" / "outreach.db").replace(tmp_path / "outreach.db")
    assert asyncio.run(send_all(tmp_path)) == ["queued"] * 3
    assert smtp_sink.count() == 3


@pytest.mark.parametrize("content", [None, b"", b"no archive at all"])
def test_what_is_no_backup_changes_nothing(tmp_path: Path, smtp_sink: Any, clock: Clock, content: bytes | None) -> None:
    start_campaign(tmp_path, smtp_sink.port, clock, send=True)
    file = tmp_path / "nonsense.tar"
    if content is not None:
        file.write_bytes(content)
    assert "backup" in outreach(tmp_path, "restore", str(file), code=1).stderr
    assert asyncio.run(send_all(tmp_path)) == ["sent"] * 3


def test_an_archive_without_a_database_is_refused(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    start_campaign(tmp_path, smtp_sink.port, clock, send=True)
    with tarfile.open(tmp_path / "other.tar", "w") as archive:
        archive.add(tmp_path / "config.toml", "config.toml")
    with pytest.raises(ConfigError, match="no backup of outreach"):
        asyncio.run(restore_backup(load(tmp_path / "config.toml"), tmp_path / "other.tar", utc_now()))
    assert asyncio.run(send_all(tmp_path)) == ["sent"] * 3


def test_a_damaged_database_in_a_backup_is_refused(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    start_campaign(tmp_path, smtp_sink.port, clock, send=True)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "outreach.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 4_000)
    with tarfile.open(tmp_path / "bad.tar", "w") as archive:
        archive.add(tmp_path / "bad" / "outreach.db", "outreach.db")
        archive.add(tmp_path / "secret.key", "secret.key")
    assert "damaged" in outreach(tmp_path, "restore", str(tmp_path / "bad.tar"), code=1).stderr
    assert asyncio.run(send_all(tmp_path)) == ["sent"] * 3


def test_nothing_is_restored_under_a_running_service(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    start_campaign(tmp_path, smtp_sink.port, clock, send=True)
    outreach(tmp_path, "backup", str(tmp_path / "b.tar"))

    async def somebody_works(app: App) -> None:
        async with app.db.write() as conn:
            seen = {"started_at": utc_now(), "seen_at": utc_now()}
            await conn.execute(insert(table(Worker)).values(id="vm:1", machine="vm", **seen))

    async def run() -> None:
        app = await open_app(load(tmp_path / "config.toml"))
        await somebody_works(app)
        await app.close()

    asyncio.run(run())
    assert "stop it" in outreach(tmp_path, "restore", str(tmp_path / "b.tar"), code=1).stderr


SCHEDULE = '[schedule]\nstart = "2026-11-25T09:00:00Z"'


async def test_a_start_that_was_missed_asks_first(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    """A machine that was off for days does not send last week's invitation by itself."""
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 2)
        late = await approved(app, clock, "Late", SCHEDULE)
        await use.start(app, late, OPERATOR, clock())
        clock.pass_days(3)
        await work(app, clock)
        row = await app.campaigns.one(late)
        assert (row.state, row.confirm_needed, smtp_sink.count()) == ("scheduled", True, 0)
        await use.start(app, late, OPERATOR, clock())  # a person says: yes, now
        await work(app, clock)
        assert smtp_sink.count() == 2


async def test_a_start_that_is_hours_late_needs_nobody(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 2)
        campaign = await approved(app, clock, "Soon", SCHEDULE)
        await use.start(app, campaign, OPERATOR, clock())
        await work(app, clock)
        assert smtp_sink.count() == 0
        clock.pass_days(1.5)
        await work(app, clock)
        assert smtp_sink.count() == 2
