"""Debian's Chromium, driven by Playwright; and any ASGI app served over real HTTP."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from tests.fakes.process import HOST, find, free_port, wait_for

# Without these a headless Chromium asks servers of its maker for updates and experiments at every start.
OPTIONS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_path() -> str | None:
    return find("chromium") or find("chromium-browser") or find("google-chrome")


@contextmanager
def running_chromium() -> Iterator[Any]:
    """A Browser of Playwright's sync API."""
    from playwright.sync_api import sync_playwright

    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses its sandbox to root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=OPTIONS + sandbox)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(browser: Any) -> Iterator[Any]:
    """A page in a fresh profile. Errors on its console fail the test, unless `page.expect_errors = True`."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.expect_errors = False
    try:
        yield page
    finally:
        context.close()
    assert page.expect_errors or not errors, f"the page complained: {errors}"


@contextmanager
def running_app(app: Any, close: Callable[[], Awaitable[None]] | None = None) -> Iterator[str]:
    """Serve the app with uvicorn in a thread → its base URL.

    `close` ends what the app has opened, in the loop that opened it: once that loop has gone, only the collector would
    end it, in the middle of another test.
    """
    port = free_port()
    config = uvicorn.Config(app, host=HOST, port=port, log_level="warning", lifespan="auto")
    server = uvicorn.Server(config)

    async def work() -> None:
        try:
            await server.serve()
        finally:
            if close is not None:
                await close()

    def run() -> None:
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(work())

    thread = threading.Thread(target=run, name="served-app", daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.started, "the served app")
        yield f"http://{HOST}:{port}"
    finally:
        server.should_exit = True
        thread.join(60)
    assert not thread.is_alive(), "the served app did not end"
