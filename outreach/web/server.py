"""Serve the pages with uvicorn."""

from __future__ import annotations

from typing import Any

import uvicorn


def server(asgi: Any, host: str = "127.0.0.1", port: int = 8000) -> uvicorn.Server:
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
    return uvicorn.Server(config)


async def serve(asgi: Any, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve until SIGTERM or SIGINT."""
    await server(asgi, host, port).serve()
