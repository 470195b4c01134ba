"""What every command shares: the configuration, one App a command, output as words or JSON, errors in words."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console

from outreach.access.roles import OPERATOR, AccessDenied, Actor
from outreach.access.store import UserError
from outreach.app.build import App, open_app
from outreach.app.clock import utc_now
from outreach.audience.segment import SegmentError
from outreach.campaigns.approval import ApprovalRefused
from outreach.campaigns.definition import DefinitionError
from outreach.campaigns.state import IllegalTransition
from outreach.campaigns.store import CampaignError
from outreach.config import ConfigError, Settings, find_config, load
from outreach.content.problem import ContentProblem
from outreach.crm.store import TaskError
from outreach.db.instance import HOLD_TEXTS
from outreach.outbox.store import NotInDoubt

T = TypeVar("T")
#: People read here; JSON and JSON Lines alone go to stdout, so that a script can read them.
err = Console(stderr=True)
out = Console()

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, all else on stderr.")]
AsUser = Annotated[str | None, typer.Option("--as", help="Who acts: a user's name. Without it: the operator.")]


@dataclass
class Context:
    """What the global options say."""

    config: str | None = None


CONTEXT = Context()


def settings() -> Settings:
    """Load the configuration named by --config, $OUTREACH_CONFIG or ./config.toml."""
    return load(find_config(CONTEXT.config))


@asynccontextmanager
async def opened(*, migrate_first: bool = False) -> AsyncIterator[App]:
    """Open the App for one command."""
    app = await open_app(settings(), migrate_first=migrate_first)
    try:
        yield app
    finally:
        await app.close()


async def acting(app: App, name: str | None) -> Actor:
    """Return who acts. Raises UserError for a name that is unknown or disabled."""
    return OPERATOR if name is None else await app.access.actor(name, utc_now())


#: What people can mend: shown in words, exit code 1. Anything else is a bug and shows its traceback.
REFUSALS: tuple[type[Exception], ...] = (
    ConfigError,
    CampaignError,
    ApprovalRefused,
    DefinitionError,
    IllegalTransition,
    ContentProblem,
    SegmentError,
    AccessDenied,
    UserError,
    TaskError,
    NotInDoubt,
    LookupError,
    ValueError,
    OSError,
)


def warn_hold(service: App) -> None:
    """Say when nothing can be sent from here, and what to do."""
    if service.hold:
        zh, en = HOLD_TEXTS.get(service.hold, (service.hold, service.hold))
        err.print(
            f"[bold yellow]![/] nothing is sent: {en} ({zh}).\n  If this is the only installation that sends, run  "
            "outreach confirm-sending"
        )


def refuse(text: str) -> NoReturn:
    """End the command with exit code 1, saying why and what to do."""
    err.print(f"[bold red]✗[/] {_escape(text)}", highlight=False)
    raise typer.Exit(1)


def _escape(text: str) -> str:
    return text.replace("[", "\\[")


def run(work: Callable[[], Awaitable[T]], *, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None) -> T:
    """Run a command's coroutine; what people can mend ends it with exit code 1 and a message."""
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(_await(work))
    except SegmentError as error:
        pointer = getattr(error, "pointer", lambda: "")()
        refuse(f"{error}\n{pointer}" if pointer else str(error))
    except ContentProblem as error:
        fix = error.fix("en")
        refuse(f"{error}" + (f"\n  {fix}" if fix else ""))
    except REFUSALS as error:
        refuse(str(error) or type(error).__name__)


async def _await(work: Callable[[], Awaitable[T]]) -> T:
    return await work()


def with_app(work: Callable[[App], Awaitable[T]], *, migrate_first: bool = False) -> T:
    """Open the App, do the work, close it."""

    async def inner() -> T:
        async with opened(migrate_first=migrate_first) as app:
            return await work(app)

    return run(inner)


def emit(value: Any, as_json: bool, words: str | None = None) -> None:
    """Print a result: JSON when asked for, else the words."""
    if as_json:
        sys.stdout.write(to_json(value) + "\n")
        sys.stdout.flush()
    elif words is not None:
        out.print(words, highlight=False, markup=False)
    elif isinstance(value, dict):
        width = max((len(str(key)) for key in value), default=0)
        for key, item in value.items():
            out.print(f"{key:<{width}}  {_shown(item)}", highlight=False, markup=False)
    else:
        out.print(str(value), highlight=False, markup=False)


def _shown(item: Any) -> str:
    if isinstance(item, dict):
        return ", ".join(f"{key} {value}" for key, value in item.items()) or "–"
    return "–" if item is None else str(item)


def to_json(value: Any) -> str:
    """JSON with ISO times; text stays readable."""
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "as_dict"):
        return value.as_dict()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def read_text(path: Path) -> str:
    """Read a file of the user's. Raises ConfigError in words."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
