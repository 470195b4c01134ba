"""Serve the pages with uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import Iterator
from typing import Any

import uvicorn

#: Young objects before the collector looks at them: a page makes some thousands, few of them to stay; a look at so many
#: takes a few milliseconds (at 50,000 it took 70).
SELDOM = (5_000, 20, 20)


def settle_heap() -> None:
    """Take what was loaded at start (modules, tables, routes: half a million objects) out of the collector's sight.

    A full collection walks through all that it sees, with every request held up: 0.1 to 0.2 s each, on whichever page
    it happens to fall.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SELDOM)


class Server(uvicorn.Server):
    """Ends at SIGTERM and SIGINT and returns to its caller.

    uvicorn's own raises the signal once more when it has ended, which kills the process before the mailbox runs beside
    it have finished what is on the wire: every restart would leave messages in doubt.
    """

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let the signals end the server while the block runs."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)


def server(asgi: Any, host: str = "127.0.0.1", port: int = 8000) -> Server:
    """Return a server that is not started. Headers name no software; proxies are believed only where configured."""
    config = uvicorn.Config(
        asgi,
        host=host,
        port=port,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=65_536,
    )
    return Server(config)


async def serve(asgi: Any, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve until SIGTERM or SIGINT."""
    settle_heap()
    await server(asgi, host, port).serve()
