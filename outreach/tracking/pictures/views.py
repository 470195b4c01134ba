"""GET /m/HASH.png: a picture of a template that serves its pictures. The name is the content's, so it never changes."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from outreach.content.picture.store import PictureStore
from outreach.db.session import Database

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_NAME = re.compile(r"/m/([0-9a-f]{32}\.(png|jpg|jpeg|gif))")
_TYPES = {"png": b"image/png", "jpg": b"image/jpeg", "jpeg": b"image/jpeg", "gif": b"image/gif"}
#: Pictures in hand; each is at most a megabyte.
KEPT = 32


class Pictures:
    """Answers GET and HEAD; mail clients of any site may show what it answers."""

    def __init__(self, db: Database) -> None:
        self.store = PictureStore(db)
        self._kept: dict[str, bytes] = {}

    async def answer(self, scope: Scope, send: Send) -> bool:
        """Answer with the picture; False where there is none."""
        found = _NAME.fullmatch(scope["path"])
        data = await self._data(found[1]) if found else None
        if found is None or data is None:
            return False
        headers = [
            (b"content-type", _TYPES[found[2]]),
            (b"content-length", str(len(data)).encode()),
            (b"cache-control", b"public, max-age=31536000, immutable"),
            (b"content-security-policy", b"default-src 'none'; sandbox"),
            (b"cross-origin-resource-policy", b"cross-origin"),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else data})
        return True

    async def _data(self, name: str) -> bytes | None:
        data = self._kept.get(name) or await self.store.read(name)
        if data is not None:
            self._kept[name] = data
            while len(self._kept) > KEPT:
                self._kept.pop(next(iter(self._kept)))
        return data
