"""`outreach templates …`: check and look at templates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from outreach.app.build import App
from outreach.app.preview import render_for
from outreach.cli.common import AsJson, emit, out, with_app
from outreach.content.lint import check
from outreach.content.problem import ContentProblem, Problem

app = typer.Typer(no_args_is_help=True, help="Templates: list, check, render.")


@app.command("list")
def list_templates(as_json: AsJson = False) -> None:
    """List the templates that campaigns can use."""

    async def work(service: App) -> list[dict[str, Any]]:
        found = [service.template(name) for name in service.template_names()]
        return [{"name": t.name, "languages": list(t.languages), "title": t.title(t.fallback_language)} for t in found]

    rows = with_app(work)
    if as_json:
        emit(rows, True)
    for row in [] if as_json else rows:
        out.print(f"{row['name']:<24} {', '.join(row['languages']):<12} {row['title']}", highlight=False, markup=False)


@app.command("check")
def check_template(
    name: Annotated[str, typer.Argument(help="The template's name.")],
    language: Annotated[str, typer.Option("--lang", help="Language of the findings: en or zh.")] = "en",
    as_json: AsJson = False,
) -> None:
    """Lint a template; exit code 1 when it has errors."""

    async def work(service: App) -> list[Problem]:
        try:
            return check(service.template(name), lang=language)
        except ContentProblem as problem:
            return [Problem.of(problem, language)]

    problems = with_app(work)
    emit(
        {"problems": [problem.as_dict() for problem in problems]},
        as_json,
        words="" if problems else f"{name}: nothing to mend",
    )
    for problem in [] if as_json else problems:
        where = f"{problem.file}:{problem.line}:{problem.column}"
        out.print(f"{problem.severity:<8} {where}  {problem.message} → {problem.fix}", highlight=False, markup=False)
    if any(problem.severity == "error" for problem in problems):
        raise typer.Exit(1)


@app.command()
def render(
    name: Annotated[str, typer.Argument(help="The template's name.")],
    contact: Annotated[str | None, typer.Option("--contact", help="A contact's address; else the sample.")] = None,
    folder: Annotated[Path, typer.Option("--out", help="Where to write it.")] = Path(),
    language: Annotated[str | None, typer.Option("--lang", help="Which language; else the contact's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the HTML, the text and the whole .eml as this contact would get them."""

    async def work(service: App) -> list[Path]:
        files = await render_for(service, name, contact, language)
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for suffix, content in files.items():
            path = folder / f"{name}.{suffix}"
            path.write_bytes(content)
            paths.append(path)
        return paths

    paths = with_app(work)
    emit({"files": [str(path) for path in paths]}, as_json, "\n".join(str(path) for path in paths))
