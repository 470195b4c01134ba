"""`outreach inbox classify FILE…`: what received mails are. Needs no configuration and no database."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from outreach.inbox.classify import classify
from outreach.inbox.verdict import Kind, Verdict


def read_verdict(path: Path) -> Verdict:
    """The verdict on one file; what goes wrong becomes its `error`, never an exception."""
    try:
        return classify(path.read_bytes())
    except OSError as trouble:
        return Verdict(Kind.OTHER, error=f"cannot be read: {trouble.strerror or trouble}")
    except Exception as trouble:  # a bug of ours must not hide the other files
        return Verdict(Kind.OTHER, error=f"{type(trouble).__name__}: {trouble}")


def as_line(path: Path, verdict: Verdict, as_json: bool) -> str:
    if as_json:
        return json.dumps(verdict.as_json(str(path)), ensure_ascii=False)
    parts = [str(verdict.kind), ", ".join(verdict.recipients), verdict.status or "", verdict.reason or ""]
    hard = {True: "hard", False: "soft", None: ""}[verdict.hard if verdict.kind is Kind.BOUNCE else None]
    return f"{path}: " + " · ".join(part for part in [*parts, hard, verdict.error or ""] if part)


def classify_files(paths: Iterable[Path], as_json: bool) -> int:
    """Print one line a file; 1 if any file could not be read or classified, else 0."""
    failed = 0
    for path in paths:
        verdict = read_verdict(path)
        failed |= verdict.error is not None
        sys.stdout.write(as_line(path, verdict, as_json) + "\n")
    return int(failed)


def command(
    files: Annotated[list[Path], typer.Argument(help="Mails as files (RFC 5322).")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Say what received mails are: bounce, complaint, autoreply, unsubscribe, reply or other."""
    raise typer.Exit(classify_files(files, as_json))


if __name__ == "__main__":
    typer.run(command)
