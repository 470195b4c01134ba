"""Secrets that are typed, made or configured are found nowhere they could be read: database, log, tracebacks, exports,
backup. Each is looked for as it is, in base64 and in percent encoding.
"""

from __future__ import annotations

import base64
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyotp
import pytest
import structlog

from outreach.access.login import Login
from outreach.access.roles import OPERATOR, Permission
from outreach.app.backup import make_backup
from outreach.config.mailbox import SecretRef
from outreach.config.settings import DatabaseSettings
from tests.app.test_logs import configured as configured
from tests.web.house import House
from tests.web.seed import PASSWORD

MAILBOX_PASSWORD = "canary mailbox/password+1"
DOORS = (
    "/account", "/settings/mailboxes", "/settings/mailboxes/doctor", "/settings/audit", "/settings/users",
    "/reports/2026-W48/file.json", "/reports/2026-W48/file.html", "/campaigns/1/ledger.csv", "/settings/audit/head.txt",
)  # fmt: skip


@pytest.fixture
def boxed(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A mailbox with a password of the environment, to a server that is not there; files beside the database."""
    monkeypatch.setenv("CANARY_PASSWORD", MAILBOX_PASSWORD)
    settings = house.outreach.settings
    given = {"user": "sales", "password": SecretRef(env="CANARY_PASSWORD")}
    boxes = [settings.mailbox[0].model_copy(update=given), *settings.mailbox[1:]]
    database = DatabaseSettings(url=f"sqlite:///{tmp_path / 'house.db'}")
    house.outreach.settings = settings.model_copy(update={"mailbox": boxes, "database": database, "folder": tmp_path})
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "secret.key").write_bytes(b"s" * 32)
    return house


async def secrets_of(house: House, visitor: Any) -> dict[str, str]:
    """Make every kind that the program makes; return them by what they are."""
    login: Login = house.web.state.login
    row = await house.outreach.access.user("sun.qian")
    assert row is not None
    key, _ = login.propose_totp("sun.qian", "x")
    codes = await login.enable_totp(row.id, key, pyotp.TOTP(key).at(house.now), actor=OPERATOR, now=house.now)
    api = await login.add_token(row.id, "erp", list(Permission), actor=OPERATOR, now=house.now)
    assert codes is not None
    session = visitor.client.cookies["outreach_session"]
    made = {"password": PASSWORD, "session": session, "form token": visitor.token, "TOTP key": key, "API token": api}
    return made | {f"code {n}": code for n, code in enumerate(codes)} | {"mailbox": MAILBOX_PASSWORD}


def spellings(secret: str) -> Iterator[bytes]:
    yield secret.encode()
    yield quote(secret).encode()
    for before in range(3):  # wherever it begins among the three bytes of a group
        coded = base64.b64encode(b"x" * before + secret.encode())
        yield coded[4 if before else 0 : -4]


@pytest.mark.usefixtures("configured")
async def test_a_secret_is_in_no_database_log_traceback_export_or_backup(
    boxed: House, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    places: dict[str, bytes] = {}
    async with boxed.visitor("admin") as visitor:
        await visitor.get("/")
        canaries = await secrets_of(boxed, visitor)
        for path in DOORS:
            answer = await visitor.get(path)
            assert answer.status_code in (200, 403), path
            places[f"page {path}"] = answer.content.replace(visitor.token.encode(), b"")
        exported = await visitor.post("/contacts/5/export")
        places["export"] = exported.content
        await fails_with_them_at_hand(boxed, canaries, monkeypatch)
    told = capsys.readouterr()
    assert "Traceback" in told.err
    places["log and tracebacks"] = (told.out + told.err).encode()
    async with boxed.db.engine.connect() as conn:
        await conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    backup = await make_backup(boxed.outreach, tmp_path / "backup.tar", boxed.now)
    with tarfile.open(backup) as archive:
        for member in archive.getmembers():
            packed = archive.extractfile(member)
            assert packed is not None
            places[f"backup {member.name}"] = packed.read()
    places["database"] = (tmp_path / "house.db").read_bytes()
    assert len(places["database"]) > 100_000
    found = [
        f"{name} in {place}"
        for name, secret in canaries.items()
        for place, content in places.items()
        if any(spelling in content for spelling in spellings(secret))
    ]
    assert found == []


async def fails_with_them_at_hand(house: House, canaries: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours while a password is being checked, told by the program and by the server's library."""

    async def broken(*given: Any, **named: Any) -> Any:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(Login, "_fits", broken)
    held = dict(canaries)
    async with house.client() as client:
        try:
            await client.post("/login", data={"name": "admin", "password": held["password"]})
        except RuntimeError:
            structlog.get_logger("test").exception("a request failed", path="/login")
    try:
        await house.web.state.login.log_in("admin", held["password"], None, now=house.now)
    except RuntimeError:
        structlog.get_logger("test").exception("a login failed")
