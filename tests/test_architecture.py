"""The house's rules, checked on the source itself (docs/architecture.md says why each is there)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "outreach"

#: Folders that touch the world as a whole.
WORLD_FOLDERS = {"app", "config", "db", "demo", "jobs", "web", "cli"}
#: Files that touch the world in any stage.
WORLD_FILES = {"store.py", "client.py", "worker.py", "views.py"}
#: And those that stand right of the bar in the house's plan, by stage.
RIGHT_OF_BAR = {
    "outbox": {"reconcile.py"},
    "reports": {"weekly.py", "charts.py"},
    "access": {"login.py"},
    "inbox": {"sandbox.py"},
}
#: Modules whose import alone means: clock, chance, network, database driver, log.
WORLDLY = {
    "aiosmtplib",
    "aiosqlite",
    "asyncio",
    "asyncpg",
    "dbos",
    "dns",
    "httpx",
    "keyring",
    "logging",
    "multiprocessing",
    "random",
    "secrets",
    "smtplib",
    "socket",
    "sqlalchemy.ext.asyncio",
    "sqlite3",
    "ssl",
    "structlog",
    "subprocess",
    "threading",
    "time",
    "urllib.request",
}
#: Calls that read the clock or throw dice, by the last two parts of their name.
WORLDLY_CALLS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "uuid.uuid1",
    "uuid.uuid4",
    "os.urandom",
    "os.getenv",
}
LONGEST_FILE, LONGEST_FUNCTION = 400, 60  # lines; the aim is 150 and 10 (docs/architecture.md)


def is_pure(path: Path) -> bool:
    """By name alone: everything in a stage but the files that are allowed the world."""
    inside = path.relative_to(PACKAGE).parts
    if len(inside) == 1 or inside[0] in WORLD_FOLDERS:
        return False
    return not (
        {f"{part.removesuffix('.py')}.py" for part in inside[1:]} & (WORLD_FILES | RIGHT_OF_BAR.get(inside[0], set()))
    )


#: All our own source; migrations are written by Alembic from the models.
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if not {"assets", "versions"} & set(path.parts))
PURE = [path for path in SOURCES if is_pure(path)]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a chain of attributes, "" of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and dotted(node.test).endswith("TYPE_CHECKING")


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Like ast.walk, without what only the type checker reads."""
    for child in ast.iter_child_nodes(node):
        if not is_for_types_only(child):
            yield child
            yield from walk(child)


def impurity(node: ast.AST) -> str | None:
    """What about this node needs the world, if anything."""
    if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
        return "is async"
    for name in imported(node):
        if any(name == worldly or name.startswith(worldly + ".") for worldly in WORLDLY):
            return f"imports {name}"
    if isinstance(node, ast.Call) and ".".join(dotted(node.func).split(".")[-2:]) in WORLDLY_CALLS:
        return f"calls {dotted(node.func)}"
    return None


def impurities(source: str) -> list[tuple[int, str]]:
    found = ((getattr(node, "lineno", 0), impurity(node)) for node in walk(ast.parse(source)))
    return [(line, what) for line, what in found if what]


@pytest.mark.parametrize("path", PURE, ids=name_of)
def test_pure_files_do_not_touch_the_world(path: Path):
    found = [f"{name_of(path)}:{line} {what}" for line, what in impurities(path.read_text())]
    assert not found, "pure by file name: move this to store.py, client.py, worker.py or views.py, or pass `now` in"


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from asyncio import sleep",
        "from datetime import datetime\nx = datetime.now()",
        "async def f(): ...",
        "import uuid\nx = uuid.uuid4()",
        "from sqlalchemy.ext.asyncio import AsyncConnection",
        "import datetime\nx = datetime.datetime.now(datetime.UTC)",
    ],
)
def test_the_purity_check_finds(source: str):
    assert impurities(source)


def test_the_purity_check_lets_types_and_arguments_through():
    assert not impurities("from datetime import datetime\ndef f(now: datetime): return now.isoformat()")
    assert not impurities("if TYPE_CHECKING:\n    import asyncio")


def test_imports_go_one_way():
    """import-linter's layers contract, in pyproject.toml."""
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_folder_has_a_caption_of_one_line():
    for path in PACKAGE.rglob("__init__.py"):
        caption = ast.get_docstring(ast.parse(path.read_text()))
        assert caption, f"{name_of(path)} says nothing about its folder"
        assert "\n" not in caption.split("\n\n")[0], f"{name_of(path)}: the caption is one line"


def lengths(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1, node.name


def lines_of_tables(tree: ast.Module) -> int:
    """Lines of constants at the top level: a long table of words is data and reads well at any length."""
    tables = (node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign))
    return sum((node.end_lineno or node.lineno) - node.lineno for node in tables)


def test_files_and_functions_stay_short():
    too_long = []
    for path in SOURCES:
        source = path.read_text()
        tree = ast.parse(source)
        if (lines := source.count("\n") - lines_of_tables(tree)) > LONGEST_FILE:
            too_long.append(f"{name_of(path)}: {lines} lines")
        too_long += [f"{name_of(path)}: {name}() has {n} lines" for n, name in lengths(tree) if n > LONGEST_FUNCTION]
    assert not too_long


def is_built_from_input(node: ast.AST) -> bool:
    """An f-string with a value in it, a % or a + of strings, a .format(): SQL must have bound parameters instead."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        return True
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"


def sql_by_formatting(source: str) -> list[int]:
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args:
            called = dotted(node.func).split(".")[-1] or getattr(node.func, "attr", "")
            takes_sql = called in {
                "text",
                "exec_driver_sql",
                "execute",
                "executemany",
                "executescript",
                "literal_column",
            }
            if takes_sql and is_built_from_input(node.args[0]):
                lines.append(node.lineno)
    return lines


@pytest.mark.parametrize("path", [p for p in SOURCES if "db" not in p.parts], ids=name_of)
def test_no_sql_is_put_together_from_strings(path: Path):
    """db/ is left out: it sets PRAGMAs and makes triggers, whose names come from the models."""
    assert not sql_by_formatting(path.read_text())


def test_the_sql_check_finds():
    assert sql_by_formatting('conn.execute(text(f"SELECT * FROM t WHERE a = {a}"))')
    assert sql_by_formatting('conn.exec_driver_sql("DELETE FROM " + table)')
    assert not sql_by_formatting('conn.execute(text("SELECT 1"), {"a": a})')
