"""Which installation a database belongs to. A restored backup or a copy does not send until somebody confirms it.

Three signs are compared at every start. The machine (SQLite) or the cluster (PostgreSQL) that the database was last
used on; the path of the SQLite file, while the old one still exists; and a generation that grows with every start,
kept in the database and in a small file outside of the data folder: a restored database lags behind that file.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.db.session import Database
from outreach.model import Instance
from outreach.model.base import table

INSTANCE = table(Instance)
MACHINE_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))

#: What each reason to hold means, for people: (Chinese, English).
HOLD_TEXTS = {
    "other_machine": (
        "数据库是在另一台机器上使用过的：可能是副本",
        "the database was last used on another machine: it may be a copy",
    ),
    "other_path": (
        "数据库文件是副本：原文件仍在原处",
        "the database file is a copy: the original is still in its place",
    ),
    "restored": ("数据库是从备份恢复的", "the database was restored from a backup"),
}


@dataclass(frozen=True)
class Here:
    """Who opens the database now. `state` is the folder outside of the data for the generation file."""

    machine: str
    path: str
    state: Path | None


def state_folder() -> Path | None:
    """Return the folder that outlives a restored data folder; None where none can be made."""
    base = os.environ.get("OUTREACH_STATE_DIR") or os.environ.get("XDG_STATE_HOME")
    folder = Path(base) if base else Path.home() / ".local" / "state"
    folder = folder if os.environ.get("OUTREACH_STATE_DIR") else folder / "outreach"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


def machine_id() -> str:
    """Return what tells this machine from another; empty where the system does not say (a bare container)."""
    given = os.environ.get("OUTREACH_MACHINE")
    if given:
        return given
    for path in MACHINE_FILES:
        try:
            found = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if found:
            return found
    return ""


def _file_of(db: Database) -> str:
    return str(Path(db.engine.url.database or "").absolute())


async def here(db: Database) -> Here:
    """Find out who opens this database."""
    if db.is_sqlite:
        return Here(machine_id(), _file_of(db), state_folder())
    async with db.read() as conn:
        cluster = await conn.scalar(text("SELECT system_identifier FROM pg_control_system()"))
        name = await conn.scalar(text("SELECT current_database()"))
    return Here(f"postgresql:{cluster}", str(name), state_folder())


async def arrive(db: Database, now: datetime, who: Here | None = None) -> str | None:
    """Note this start; return why sending is on hold, None if it is not. Once on hold, only `confirm` ends it."""
    who = who or await here(db)
    async with db.write() as conn:
        row = (await conn.execute(select(INSTANCE).where(INSTANCE.c.id == 1))).one_or_none()
        if row is None:
            await _first(conn, who, now)
            return None
        hold = row.hold_reason or _suspicion(row, who)
        generation = row.generation + 1
        values = {"generation": generation, "hold_reason": hold}
        if hold is None:
            values |= {"machine": who.machine, "path": who.path}
        await conn.execute(update(INSTANCE).where(INSTANCE.c.id == 1).values(**values))
    if hold is None:
        _keep(who.state, row.data["id"], generation)
    return hold


async def _first(conn: AsyncConnection, who: Here, now: datetime) -> None:
    identity = secrets.token_hex(8)
    values = {"machine": who.machine, "path": who.path, "confirmed_at": now, "generation": 1, "data": {"id": identity}}
    await conn.execute(insert(INSTANCE).values(id=1, **values))
    _keep(who.state, identity, 1)


def _suspicion(row: object, who: Here) -> str | None:
    machine, path = str(getattr(row, "machine", "")), str(getattr(row, "path", ""))
    if machine and who.machine and machine != who.machine:
        return "other_machine"
    if path and path != who.path and Path(path).exists():
        return "other_path"
    identity = getattr(row, "data", {}).get("id", "")
    if getattr(row, "generation", 0) < _kept(who.state, identity):
        return "restored"
    return None


async def held(db: Database) -> str | None:
    """Why nothing may be sent now, None if it may: another process may have found out."""
    async with db.read() as conn:
        reason: str | None = await conn.scalar(select(INSTANCE.c.hold_reason).where(INSTANCE.c.id == 1))
    return reason


async def hold(conn: AsyncConnection, reason: str) -> None:
    """Stop all sending until somebody confirms (used by `restore`)."""
    await conn.execute(update(INSTANCE).where(INSTANCE.c.id == 1).values(hold_reason=reason))


async def confirm(db: Database, now: datetime, who: Here | None = None) -> str | None:
    """Let this database send from here; returns the reason that held it."""
    who = who or await here(db)
    async with db.write() as conn:
        row = (await conn.execute(select(INSTANCE).where(INSTANCE.c.id == 1))).one()
        generation = max(row.generation, _kept(who.state, row.data.get("id", ""))) + 1
        values = {"machine": who.machine, "path": who.path, "generation": generation, "confirmed_at": now}
        await conn.execute(update(INSTANCE).where(INSTANCE.c.id == 1).values(hold_reason=None, **values))
    _keep(who.state, row.data["id"], generation)
    return str(row.hold_reason) if row.hold_reason else None


def _kept(state: Path | None, identity: str) -> int:
    try:
        return int((state / f"{identity}.generation").read_text(encoding="ascii")) if state else 0
    except (OSError, ValueError):
        return 0


def _keep(state: Path | None, identity: str, generation: int) -> None:
    """Written after the database's commit: killed in between, the database is ahead, which means nothing."""
    if state is None:
        return
    target = state / f"{identity}.generation"
    partial = target.with_suffix(f".{os.getpid()}")
    try:
        partial.write_text(str(max(generation, _kept(state, identity))), encoding="ascii")
        partial.replace(target)
    except OSError:
        return
