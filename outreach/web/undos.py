"""What /undo can take back: a page registers how for each kind; the words were signed by the page that did it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from outreach.web.routing import Staff

Undo = Callable[[Staff, dict[str, Any]], Awaitable[None]]
UNDOS: dict[str, Undo] = {}


def undoes(kind: str) -> Callable[[Undo], Undo]:
    """Register how a kind of change is taken back. The function asks for the permission again."""

    def register(function: Undo) -> Undo:
        UNDOS[kind] = function
        return function

    return register
