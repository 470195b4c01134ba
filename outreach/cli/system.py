"""`outreach init`, `doctor`, `backup`, `restore`, `confirm-sending`: what a technician needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from outreach.app.backup import make_backup, restore_backup
from outreach.app.build import SHIPPED, App, open_app
from outreach.app.clock import utc_now
from outreach.app.doctor import examine
from outreach.cli.common import CONTEXT, AsJson, emit, err, out, run, settings, with_app
from outreach.config import ConfigError, load
from outreach.db import instance


def init(
    folder: Annotated[Path, typer.Argument(help="Where the configuration shall stand.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Write config.toml if there is none, create or migrate the database."""

    async def work() -> dict[str, str]:
        path = Path(CONTEXT.config) if CONTEXT.config else folder / "config.toml"
        if not path.exists():
            _write_example(path)
            err.print(f"wrote {path}: set your company, mailbox and addresses in it")
        app = await open_app(load(path), migrate_first=True)
        await app.close()
        return {"config": str(path), "database": app.settings.database_url}

    found = run(work)
    emit(found, as_json, f"config    {found['config']}\ndatabase  {found['database']}")


def _write_example(path: Path) -> None:
    example = SHIPPED / "config.example.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(example.read_text(encoding="utf-8"), encoding="utf-8")


def doctor(
    probe: Annotated[
        bool, typer.Option("--probe", help="Send each mailbox one mail, to see whether it files what it sends.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Test database, clock, DNS, every mailbox and the tracking address; exit code 1 when something needs mending."""

    async def work(service: App) -> dict[str, Any]:
        checks = await examine(service, probe_mailboxes=probe)
        return {"ok": all(check["ok"] for check in checks), "checks": checks}

    found = with_app(work)
    if as_json:
        emit(found, True)
    for check in [] if as_json else found["checks"]:
        sign = "✓" if check["ok"] else "✗"
        fix = f"\n    → {check['fix']}" if check["fix"] else ""
        out.print(f"{sign} {check['name']}: {check['detail']}{fix}", highlight=False, markup=False)
    if not found["ok"]:
        raise typer.Exit(1)


def backup(
    target: Annotated[Path | None, typer.Argument(help="The file to write; else data/backups/TIME.")] = None,
    as_json: AsJson = False,
) -> None:
    """Copy database and keys while the service runs (SQLite). PostgreSQL: use pg_dump."""

    async def work(service: App) -> Path:
        return await make_backup(service, target, utc_now())

    path = with_app(work)
    emit({"backup": str(path)}, as_json, f"wrote {path}")


def restore(
    source: Annotated[Path, typer.Argument(help="A file that `outreach backup` wrote.")],
    as_json: AsJson = False,
) -> None:
    """Put a backup in place of the database. Nothing is sent until `outreach confirm-sending`."""

    async def work() -> Path:
        return await restore_backup(settings(), source, utc_now())

    kept = run(work)
    emit({"restored": str(source), "previous": str(kept)}, as_json, f"restored; the database before is kept at {kept}")
    err.print("[bold yellow]![/] nothing is sent until  outreach confirm-sending")


def confirm_sending(as_json: AsJson = False) -> None:
    """Say that this installation, and no copy of it, shall send."""

    async def work(service: App) -> dict[str, Any]:
        if service.hold is None:
            return {"held_by": None, "sending": True}
        held = await instance.confirm(service.db, utc_now())
        return {"held_by": held, "sending": True}

    emit(with_app(work), as_json)


__all__ = ["ConfigError", "backup", "confirm_sending", "doctor", "init", "restore"]
