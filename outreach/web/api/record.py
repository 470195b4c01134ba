"""What a token reads is on record (H3): a script that takes lists away by the API exports them as surely as a page does.

One entry of the trail a token, route and day: that a list was taken, not each of its hundred pages.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import date
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from outreach.access.roles import Actor
from outreach.access.store import append_audit


class Reads:
    """Which token has read which route today. A restart forgets it: then one more entry is written."""

    def __init__(self) -> None:
        self._day: date | None = None
        self._seen: set[tuple[int | None, str]] = set()

    def is_first(self, actor: Actor, path: str, day: date) -> bool:
        """Whether nothing was written yet of this token, route and day (UTC); remembers that now something is."""
        if day != self._day:
            self._day, self._seen = day, set()
        known = (actor.token_id, path) in self._seen
        self._seen.add((actor.token_id, path))
        return not known

    def forget(self, actor: Actor, path: str) -> None:
        """Take that back: the entry could not be written."""
        self._seen.discard((actor.token_id, path))


class RecordedRoute(APIRoute):
    """A route of the API whose reads are on record. What is refused gives nothing away and leaves no entry."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with the record after it: an answer that cannot be recorded is not given."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            answer = await handle(request)
            if request.method == "GET" and answer.status_code < 400:
                await _record(request, self.path)
            return answer

        return handled


async def _record(request: Request, path: str) -> None:
    script, reads = request.state.script, request.app.state.reads
    if not reads.is_first(script.actor, path, script.now.date()):
        return
    try:
        async with script.app.db.write() as conn:
            token, after = script.actor.token_id, {"path": path}
            await append_audit(conn, script.actor, "api.read", "api_token", token, now=script.now, after=after)
    except BaseException:
        reads.forget(script.actor, path)
        raise
