"""Backups of an SQLite installation: database and secret in one file, made while the service runs."""

from __future__ import annotations

import asyncio
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import make_url

from outreach.app.build import App
from outreach.config import ConfigError, Settings

#: A process that was heard of within this is working (app/jobs.py writes every ten seconds).
ALIVE = timedelta(seconds=30)


def _database_file(settings: Settings) -> Path:
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise ConfigError("PostgreSQL is backed up with pg_dump, together with data/secret.key")
    return Path(url.database)


async def make_backup(app: App, target: Path | None, now: datetime) -> Path:
    """Write a consistent copy of the database with the secret as a .tar (mode 0600) and return its path."""
    name = f"outreach-{now:%Y%m%dT%H%M%SZ}.tar"
    path = target or app.settings.data_dir / "backups" / name
    await asyncio.to_thread(_write, _database_file(app.settings), app.settings.data_dir / "secret.key", path)
    return path


def _write(database: Path, secret: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        copy = Path(folder) / "outreach.db"
        source, target = sqlite3.connect(database), sqlite3.connect(copy)
        try:
            source.backup(target)  # pages are copied while others write; the copy is of one moment
        finally:
            source.close()
            target.close()
        with tarfile.open(path, "w") as archive:
            archive.add(copy, "outreach.db")
            archive.add(secret, "secret.key")
    path.chmod(0o600)


async def restore_backup(settings: Settings, source: Path, now: datetime) -> Path:
    """Put a backup in place of the database, on hold; the files before are kept. Returns where."""
    database = _database_file(settings)
    return await asyncio.to_thread(_restore, database, settings.data_dir / "secret.key", source, now)


def _restore(database: Path, secret: Path, source: Path, now: datetime) -> Path:
    """Everything is looked at before anything is moved."""
    if not source.is_file():
        raise ConfigError(f"there is no backup at {source}")
    _refuse_while_running(database, now)
    kept = database.parent / f"before-restore-{now:%Y%m%dT%H%M%SZ}"
    with tempfile.TemporaryDirectory(dir=database.parent) as name:
        folder = Path(name)
        _unpack(source, folder)
        _hold(folder / "outreach.db")
        kept.mkdir()
        for suffix in ("", "-wal", "-shm"):
            old = database.with_name(database.name + suffix)
            if old.exists():
                old.rename(kept / old.name)
        (folder / "outreach.db").rename(database)
        if secret.exists():
            secret.rename(kept / secret.name)
        (folder / "secret.key").rename(secret)
        secret.chmod(0o600)
    return kept


def _refuse_while_running(database: Path, now: datetime) -> None:
    """A process that is working would go on with the database that is being replaced, and send from it."""
    if not database.exists():
        return
    since = (now.astimezone(UTC) - ALIVE).strftime("%Y-%m-%d %H:%M:%S.%f")
    with closing(sqlite3.connect(database)) as connection:
        try:
            alive = connection.execute("SELECT count(*) FROM worker WHERE seen_at > ?", (since,)).fetchone()[0]
        except sqlite3.DatabaseError:
            return  # what cannot be read is what a restore is for
    if alive:
        raise ConfigError("outreach is running on this database: stop it, wait half a minute, then restore the backup")


def _unpack(source: Path, folder: Path) -> None:
    try:
        with tarfile.open(source) as archive:
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError) as error:
        raise ConfigError(f"{source} is no backup of outreach, or is damaged: {error}") from error
    for name in ("outreach.db", "secret.key"):
        if not (folder / name).is_file():
            raise ConfigError(f"{source} is no backup of outreach: it holds no {name}")


def _hold(database: Path) -> None:
    """Have the copy ask before it sends. Raises ConfigError for a damaged one."""
    with closing(sqlite3.connect(database)) as connection:
        try:
            found = connection.execute("PRAGMA quick_check").fetchone()[0]
            connection.execute("UPDATE instance SET hold_reason = 'restored' WHERE id = 1")
            connection.commit()
        except sqlite3.DatabaseError as error:
            found = str(error)
    if found != "ok":
        raise ConfigError(f"the database in this backup is damaged: {found}")
