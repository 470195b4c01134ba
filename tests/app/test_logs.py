"""The log carries ids only, whatever fails: what it would say of people is looked for in what the process writes."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import structlog
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError

from outreach.app.logs import configure, without_people
from outreach.db.session import Database
from outreach.model import EmailAddress
from outreach.model.base import table
from tests.fakes.schema import make_tables

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
CANARIES = ("canary@buyer.example", "canary-text", "canary-password")


class ToStderr(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr)


@pytest.fixture
def configured(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """As the command line sets it up; the libraries' records are written out, as uvicorn does with its own."""
    before, handler = logging.getLogRecordFactory(), ToStderr()
    configure()
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)
    structlog.reset_defaults()
    logging.setLogRecordFactory(before)


#: Rows that the database or its driver refuses, each for another reason.
REFUSED: list[tuple[str, dict[str, object]]] = [
    (
        "unique",
        {"contact_id": 1, "address": CANARIES[0], "normal": CANARIES[0], "key": "k", "domain": "d", "created_at": NOW},
    ),
    (
        "null",
        {
            "contact_id": 1,
            "address": CANARIES[0],
            "normal": None,
            "key": "canary-text",
            "domain": "d",
            "created_at": NOW,
        },
    ),
    (
        "type",
        {
            "contact_id": "canary-text",
            "address": CANARIES[0],
            "normal": "n",
            "key": "k2",
            "domain": "d",
            "created_at": NOW,
        },
    ),
]


@pytest.mark.usefixtures("configured")
async def test_a_row_that_the_database_refuses_is_not_told(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    database, log = Database(database_url), structlog.get_logger("test")
    await make_tables(database)
    address = table(EmailAddress)
    first = {
        "contact_id": 1,
        "address": CANARIES[0],
        "normal": CANARIES[0],
        "key": "k",
        "domain": "d",
        "created_at": NOW,
    }
    for what, row in REFUSED:
        password = "canary-password"
        try:
            async with database.write() as conn:
                await conn.execute(insert(address).values(**first))
                await conn.execute(insert(address).values(**row))
        except DBAPIError:
            log.exception("refused", what=what, length=len(password))
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
        else:
            pytest.fail(f"{what} was taken")
    await database.close()
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("Traceback") >= 6
    assert not [canary for canary in CANARIES if canary in told.err]


@pytest.mark.usefixtures("configured")
def test_local_variables_and_replies_are_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    log = structlog.get_logger("test")

    def fails(password: str) -> None:
        mail = f"From: {CANARIES[0]}\n\n{CANARIES[1]} {password}"
        raise ValueError(f"{len(mail)} bytes from {CANARIES[0]}")

    try:
        fails(CANARIES[2])
    except ValueError:
        log.exception("mail cannot be filed", uid=7)
        logging.getLogger("library").exception("%s failed", CANARIES[0])
    log.warning("refused", reply=f"550 5.1.1 <{CANARIES[0]}>: no such user")
    told = capsys.readouterr().err
    assert "uid=7" in told
    assert "550 5.1.1 <<address>>: no such user" in told
    assert not [canary for canary in CANARIES if canary in told]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("DETAIL:  Key (normal)=(a@b.example) already exists.\n[SQL: INSERT]", "DETAIL: <hidden>\n[SQL: INSERT]"),
        ("DETAIL:  Failing row contains (1, two\nlines).\n[SQL: X]", "DETAIL: <hidden>\n[SQL: X]"),
        ("invalid input for query argument $2: 'text' (expected int)", "invalid input for query argument $2: <hidden>"),
        ("mailbox sales, uid 7", "mailbox sales, uid 7"),
        ("to 李娜@例子.公司。", "to <address>"),
        ("https://user:pass@host.example/x", "https://user:<address>"),
    ],
)
def test_what_is_hidden(said: str, kept: str) -> None:
    assert without_people(said) == kept


def test_the_command_line_sets_its_log_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from outreach import main

    called: list[str] = []
    monkeypatch.setattr(main, "configure", lambda: called.append("log"))
    monkeypatch.setattr(main, "app", lambda: called.append("command"))
    main.main()
    assert called == ["log", "command"]
