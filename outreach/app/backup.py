"""Backups of an SQLite installation: database and secret in one file, made while the service runs."""

from __future__ import annotations

import asyncio
import sqlite3
import tarfile
import tempfile
from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url

from outreach.app.build import App
from outreach.config import ConfigError, Settings


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
    if not source.is_file():
        raise ConfigError(f"there is no backup at {source}")
    kept = database.parent / f"before-restore-{now:%Y%m%dT%H%M%SZ}"
    with tempfile.TemporaryDirectory(dir=database.parent) as name:
        folder = Path(name)
        with tarfile.open(source) as archive:
            archive.extractall(folder, filter="data")
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


def _hold(database: Path) -> None:
    if not database.is_file():
        raise ConfigError("this file is no backup of outreach: it holds no outreach.db")
    connection = sqlite3.connect(database)
    try:
        connection.execute("UPDATE instance SET hold_reason = 'restored' WHERE id = 1")
        connection.commit()
    finally:
        connection.close()
