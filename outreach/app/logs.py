"""The log carries ids only: what a traceback or a server's words would carry beside them is taken out here."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

#: An address, wherever it stands: in a server's reply, in a row that a database refuses.
ADDRESS = re.compile(r"[^\s<>()\[\]'\",;:=]+@[^\s<>()\[\]'\",;:=]+\.[^\s<>()\[\]'\",;:=]+")
#: What PostgreSQL and its driver say of the values of a statement (SQLAlchemy's own are hidden by the engine).
VALUES = re.compile(
    r"(DETAIL:|invalid input for query argument \$\d+:|invalid input syntax for [\w ]+:|out of range for type [\w ]+:)"
    r".*?(?=\n\[SQL|\n\[param|\n\(Background|\n\n|\nTraceback|\Z)",
    re.DOTALL,
)


def without_people(text: str) -> str:
    """Return a text without addresses and without the values that a database refused."""
    return ADDRESS.sub("<address>", VALUES.sub(r"\1 <hidden>", text))


def _hide(logger: Any, method: str, told: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in told.items():
        if isinstance(value, str):
            told[key] = without_people(value)
    return told


def _written(out: TextIO, exc_info: Any) -> None:
    """A plain traceback: structlog's own shows local variables, which hold whole mails and passwords."""
    out.write("\n" + told(exc_info))


def told(exc_info: ExcInfo) -> str:
    """Return a traceback as the log may carry it."""
    return without_people("".join(traceback.format_exception(*exc_info)).rstrip("\n"))


class _Stderr:
    """Writes to what stderr is at that moment."""

    def msg(self, message: str) -> None:
        print(message, file=sys.stderr, flush=True)

    debug = info = warning = warn = error = critical = exception = fatal = msg


def configure() -> None:
    """Set up the log of this process: to stderr, for stdout is the document's that a command prints."""
    console = structlog.dev.ConsoleRenderer(exception_formatter=_written, colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.StackInfoRenderer(),
            structlog.dev.set_exc_info,
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
            _hide,
            console,
        ],
        logger_factory=lambda *_: _Stderr(),
    )
    before = logging.getLogRecordFactory()

    def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        """The libraries' records (uvicorn tells of a failed request): formatters keep a traceback that is there."""
        made = before(*args, **kwargs)
        if made.exc_info and made.exc_info[1] is not None:
            made.exc_text = told(made.exc_info)
        made.msg, made.args = without_people(made.getMessage()), None
        return made

    logging.setLogRecordFactory(record)
