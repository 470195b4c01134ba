"""The `outreach` command: the command line with `serve`, which stands above both cli and web."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from outreach.app.build import App
from outreach.app.logs import configure
from outreach.cli.common import AsJson, emit, err, opened, run, warn_hold
from outreach.cli.main import app


@app.command()
def serve(
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port to listen on.")] = None,
    workers: Annotated[int, typer.Option("--workers", help="Worker processes beside the web.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Serve the pages and the public endpoints, and run the jobs. --json: where, at the start."""
    # Only this command needs the web framework and the job engine; the others start in half the time without.
    from outreach.app.service import serve_forever
    from outreach.tracking.views import PublicApp
    from outreach.web import create_app
    from outreach.web.server import serve as serve_http

    async def work() -> None:
        async with opened() as service:
            warn_hold(service)
            asgi = PublicApp(with_sign_up(create_app(service), service), service.public_services())
            service.on_change.append(lambda changed: asgi.pages.signed_by(changed.public_sender()))
            service.on_change.append(lambda changed: asgi.offer(changed.topics))
            at = await _greet(service, host or service.settings.web.host, port or service.settings.web.port)
            if as_json:
                emit(at, as_json)
            await serve_forever(service, host=host, port=port, workers=workers, asgi=asgi, serve=serve_http)

    run(work)


def with_sign_up(inner: Any, service: Any) -> Any:
    """Put the sign-up form in front of the pages where config.toml asks for it."""
    from outreach.tracking.signup.views import SignUpApp

    if service.signups is None:
        return inner
    proxies = service.settings.tracking.trusted_proxies
    return SignUpApp(inner, service.signups, service.signup_pages(), trusted_proxies=proxies)


async def _greet(service: App, host: str, port: int) -> dict[str, Any]:
    """Say where the pages are; while nobody may log in, with the code that makes the first administrator."""
    from outreach.web.pages.setup import has_users, setup_code

    pages = f"http://{host}:{port}"
    if await has_users(service):
        err.print(f"pages: {pages}", highlight=False)
        return {"pid": os.getpid(), "pages": pages, "setup": None}
    begin = f"{pages}/setup?code={setup_code(service.secret)}"
    err.print(f"begin here: {begin}", highlight=False)
    return {"pid": os.getpid(), "pages": pages, "setup": begin}


@app.command()
def demo(
    leave: Annotated[bool, typer.Option("--exit", help="Leave after the summary; its last line is JSON.")] = False,
    folder: Annotated[Path, typer.Option("--folder", help="Where the demo keeps its files.")] = Path(".demo"),
) -> None:
    """A whole campaign on sample data, against a mail server on this machine; then the pages."""
    from outreach.demo.story import run_demo

    with contextlib.suppress(KeyboardInterrupt):
        run(lambda: run_demo(folder, leave=leave))


def main() -> None:
    """Run the command line."""
    configure()
    app()


if __name__ == "__main__":
    main()
