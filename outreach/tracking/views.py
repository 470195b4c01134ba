"""The public endpoints as raw ASGI, in front of the staff app: /o /c /u /p, /healthz and /readyz.

Opens and clicks cost a token's check and a place in a list; the Flusher writes them in batches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import parse_qs

import structlog

from outreach.db.session import Database
from outreach.events.store import EventStore
from outreach.tracking.destination import safe_destination, with_parameter
from outreach.tracking.forms import MAX_BODY, Fields, is_one_click, read_choice, read_form
from outreach.tracking.machine import HONEYPOT, Hit
from outreach.tracking.pages import Pages, Sender, Topic, choose_language, content_policy
from outreach.tracking.pictures.views import Pictures
from outreach.tracking.store import Recipient, TrackingStore
from outreach.tracking.tokens import TEST_IDS, Signer, Token
from outreach.tracking.worker import Flusher

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

#: A transparent GIF of one pixel, 43 bytes: the smallest picture that every mail client shows as nothing.
PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
NO_STORE: Headers = [
    (b"cache-control", b"no-store, private, max-age=0"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-robots-tag", b"noindex, nofollow"),
]
PIXEL_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"image/gif"), (b"content-length", b"%d" % len(PIXEL)), *NO_STORE],
}
PIXEL_BODY = {"type": "http.response.body", "body": PIXEL}
EMPTY_BODY = {"type": "http.response.body", "body": b""}

#: A form of 8 kB that takes longer than this to arrive is held back on purpose.
BODY_SECONDS = 10
READY_SECONDS = 5
PREFETCH_HEADERS = (b"sec-purpose", b"purpose", b"x-purpose", b"x-moz")


def utc_now() -> datetime:
    """The clock of the service."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class PublicServices:
    """What the endpoints need. `trusted_proxies`: addresses or networks whose X-Forwarded-For is believed.

    `click_parameter`: the name of a query parameter that hands the click's token to the destination, for conversions;
    None leaves the stored address as it is.
    """

    db: Database
    events: EventStore
    signer: Signer
    sender: Sender
    topics: Sequence[Topic] = ()
    trusted_proxies: Iterable[str] = ()
    click_parameter: str | None = None
    clock: Callable[[], datetime] = utc_now


class PublicApp:
    """Answers the public paths and hands everything else to `inner`."""

    def __init__(self, inner: App | None, services: PublicServices) -> None:
        self.inner = inner
        self.signer = services.signer
        self.clock = services.clock
        self.db = services.db
        self.store = TrackingStore(services.db, services.events)
        self.flusher = Flusher(self.store, services.clock)
        self.pages = Pages(services.sender, services.topics)
        self.topics = [topic.key for topic in self.pages.topics]
        self.click_parameter = services.click_parameter
        self.proxies = [ip_network(text, strict=False) for text in services.trusted_proxies]
        self.pictures = Pictures(services.db)
        self._routes = {"/o/": self._open, "/c/": self._click, "/u/": self._unsubscribe, "/p/": self._preferences}
        self._routes["/m/"] = self._picture

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            route = self._routes.get(scope["path"][:3])
            if route is not None:
                await route(scope, receive, send)
                return
            if scope["path"] in ("/healthz", "/readyz"):
                await self._health(scope, send)
                return
        elif scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        await self._inner(scope, receive, send)

    def offer(self, topics: Sequence[Topic]) -> None:
        """The company asks about other topics now."""
        self.pages.offer(topics)
        self.topics = [topic.key for topic in topics]

    async def stop(self) -> None:
        """Write every event that was seen. Called by the lifespan; call it where there is none."""
        await self.flusher.stop()

    # -- opens and clicks ---------------------------------------------------------------------------------------------

    async def _open(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The picture, for every token alike."""
        method, path = scope["method"], scope["path"]
        if method not in ("GET", "HEAD"):
            await _not_allowed(method, b"GET, HEAD", send)
            return
        token = self.signer.verify(path[3:-4]) if path.endswith(".gif") else None
        if token is not None and token.kind == "o":
            self._seen("open", token, scope)
            if self.flusher.is_late:
                await self.flusher.caught_up()
        await send(PIXEL_START)
        await send(PIXEL_BODY)

    async def _click(self, scope: Scope, receive: Receive, send: Send) -> None:
        """On to the stored destination, and to nothing else."""
        if scope["method"] not in ("GET", "HEAD"):
            await _not_allowed(scope["method"], b"GET, HEAD", send)
            return
        text = scope["path"][3:]
        token = self.signer.verify(text)
        if token is None or token.kind != "c":
            await self._gone(scope, send)
            return
        self._seen("click", token, scope)
        if self.flusher.is_late:
            await self.flusher.caught_up()
        try:
            stored = None if token.number == HONEYPOT else await self.store.destination(token.message_id, token.number)
        except Exception:  # the database is away: say so, and ask to come back
            log.exception("tracking.click_failed")
            await _send_html(send, 503, self.pages.gone(self._language(scope, None)), [(b"retry-after", b"60")])
            return
        location = safe_destination(stored) if stored else None
        if location is None:
            await self._gone(scope, send)
            return
        if self.click_parameter:
            location = with_parameter(location, self.click_parameter, text)
        headers: Headers = [(b"location", location.encode("ascii")), (b"content-length", b"0"), *NO_STORE]
        await send({"type": "http.response.start", "status": 302, "headers": headers})
        await send(EMPTY_BODY)

    def _seen(self, kind: str, token: Token, scope: Scope) -> None:
        if token.message_id >= TEST_IDS:  # a colleague looks at the pilot: that counts nowhere
            return
        agent, forwarded, prefetch = "", "", False
        for name, value in scope["headers"]:
            if name == b"user-agent":
                agent = value.decode("latin-1")
            elif name == b"x-forwarded-for" and self.proxies:
                forwarded += "," + value.decode("latin-1")
            elif name in PREFETCH_HEADERS and (b"prefetch" in value or b"preview" in value):
                prefetch = True
        client = scope.get("client")
        ip = client[0] if client else ""
        if forwarded:
            ip = behind(ip, forwarded, self.proxies)
        key = f"{kind}:{self.flusher.next_key()}"
        hit = Hit(kind, token.message_id, self.clock(), token.number, scope["method"], agent[:512], ip, prefetch, key)
        self.flusher.add(hit)

    # -- the recipient's pages ----------------------------------------------------------------------------------------

    async def _unsubscribe(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._page(scope, receive, send, self._post_unsubscribe)

    async def _preferences(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._page(scope, receive, send, self._post_preferences)

    async def _page(self, scope: Scope, receive: Receive, send: Send, post: Any) -> None:
        """GET and HEAD show, POST acts. Every token gets the same answer."""
        method = scope["method"]
        if method not in ("GET", "HEAD", "POST"):
            await _not_allowed(method, b"GET, HEAD, POST", send)
            return
        text = scope["path"][3:]
        token = self.signer.verify(text)
        genuine = token is not None and token.kind in ("u", "p") and token.message_id < TEST_IDS
        message_id = token.message_id if token is not None and genuine else 0
        try:
            # a guessed token is looked up too, so that it takes as long
            recipient = await self.store.recipient(message_id)
            language = self._language(scope, recipient)
            if method == "POST":
                form = await _form(scope, receive)
                if form is None:
                    await _send_html(send, 413, self.pages.gone(language))
                    return
                html = await post(form, language, _shown(text), message_id)
            else:
                html = self._show(scope["path"][:3], language, _shown(text), recipient)
        except Exception:  # the client tries again on 503; on 200 it would believe that it is done
            log.exception("tracking.page_failed")
            await _send_html(send, 503, self.pages.gone("en"), [(b"retry-after", b"60")])
            return
        await _send_html(send, 200, html)

    def _show(self, path: str, language: str, text: str, recipient: Recipient | None) -> str:
        off = recipient.topics_off if recipient else frozenset()
        wanted = frozenset(self.topics) - off
        often = recipient.mails_per_month if recipient else None
        until = recipient.paused_until if recipient else None
        paused = until if until and until > self.clock() else None
        if path == "/u/":
            return self.pages.stop(language, text, wanted, often, paused)
        counted = recipient.counted if recipient else True
        return self.pages.preferences(language, text, wanted, often, paused, counted)

    async def _post_unsubscribe(self, form: Fields, language: str, text: str, message_id: int) -> str:
        now = self.clock()
        if is_one_click(form):
            await self.store.unsubscribe(message_id, "one-click", now)
            return self.pages.done(language, text, now)
        if read_choice(form, frozenset()).undo:
            await self.store.resubscribe(message_id, now)
            return self.pages.told(language, text, "back")
        return self.pages.stop(language, text, frozenset(self.topics), None)

    async def _post_preferences(self, form: Fields, language: str, text: str, message_id: int) -> str:
        choice, now = read_choice(form, frozenset(self.topics)), self.clock()
        if choice.unsubscribe:
            await self.store.unsubscribe(message_id, "preferences", now)
            return self.pages.done(language, text, now)
        if choice.resume:
            await self.store.resume(message_id, now)
            return self.pages.told(language, text, "resumed")
        await self.store.choose(message_id, choice, self.topics, now)
        if choice.request:
            return self.pages.told(language, text, "asked")
        if choice.saved:
            return self.pages.told(language, text, "saved")
        return self.pages.preferences(language, text, frozenset(self.topics), None)

    def _language(self, scope: Scope, recipient: Recipient | None) -> str:
        asked = parse_qs(scope.get("query_string", b"")[:200].decode("latin-1")).get("lang", [""])[0]
        accepted = next((v.decode("latin-1") for n, v in scope["headers"] if n == b"accept-language"), "")
        return choose_language(asked, recipient.language if recipient else None, accepted)

    async def _picture(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A picture of a mail, by the hash of its content."""
        if scope["method"] not in ("GET", "HEAD"):
            await _not_allowed(scope["method"], b"GET, HEAD", send)
        elif not await self.pictures.answer(scope, send):
            await self._gone(scope, send)

    async def _gone(self, scope: Scope, send: Send) -> None:
        await _send_html(send, 404, self.pages.gone(self._language(scope, None)))

    # -- the service itself -------------------------------------------------------------------------------------------

    async def _health(self, scope: Scope, send: Send) -> None:
        """/healthz: the process answers. /readyz: the database does, too."""
        status, body = 200, b'{"ok":true}'
        if scope["path"] == "/readyz":
            try:
                await asyncio.wait_for(self.db.ping(), READY_SECONDS)
            except Exception:  # any reason is one not to send us traffic
                status, body = 503, b'{"ok":false}'
        headers: Headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *NO_STORE]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write the last events before the inner app is told to close its database."""

        async def listen() -> MutableMapping[str, Any]:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self.stop()
            return message

        await self._inner(scope, listen, send)

    async def _inner(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.inner is not None:
            await self.inner(scope, receive, send)
        elif scope["type"] == "lifespan":
            while (message := await receive())["type"] != "lifespan.shutdown":
                await send({"type": message["type"] + ".complete"})
            await send({"type": "lifespan.shutdown.complete"})
        elif scope["type"] == "http":
            await _send_html(send, 404, self.pages.gone("en"))


def _shown(text: str) -> str:
    """The token as it may stand in a form's action: ours have no other letters, a guess is cut down to them."""
    return "".join(letter for letter in text if letter.isascii() and (letter.isalnum() or letter in "-_"))[:26]


Networks = Sequence[IPv4Network | IPv6Network]


def behind(ip: str, forwarded: str, proxies: Networks) -> str:
    """The last address that none of our own proxies has; what stands further left, anybody may have written."""
    for text in (ip, *reversed([part.strip() for part in forwarded.split(",") if part.strip()])):
        try:
            address = ip_address(text)
        except ValueError:
            return ip
        if not any(address in network for network in proxies):
            return text
        ip = text
    return ip


def client_address(scope: Scope, proxies: Networks) -> str:
    """Whose request it is; X-Forwarded-For is believed from our own proxies alone."""
    client = scope.get("client")
    forwarded = ",".join(v.decode("latin-1") for n, v in scope["headers"] if n == b"x-forwarded-for")
    ip = str(client[0]) if client else ""
    return behind(ip, forwarded, proxies) if forwarded and proxies else ip


async def _form(scope: Scope, receive: Receive) -> Fields | None:
    """Read the posted form, None if it is too large. A body that does not arrive in time is an empty form."""
    body, content_type = bytearray(), ""
    for name, value in scope["headers"]:
        if name == b"content-type":
            content_type = value.decode("latin-1")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                body += message.get("body", b"")
                if len(body) > MAX_BODY:
                    return None
                if message["type"] != "http.request" or not message.get("more_body"):
                    return read_form(content_type, bytes(body))
    except TimeoutError:
        return {}


async def _send_html(send: Send, status: int, html: str, extra: Headers | None = None) -> None:
    body = html.encode()
    headers: Headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
        (b"content-security-policy", content_policy().encode("ascii")),
        *NO_STORE,
        *(extra or []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _not_allowed(method: str, allowed: bytes, send: Send) -> None:
    status = 204 if method == "OPTIONS" else 405
    headers: Headers = [(b"allow", allowed + b", OPTIONS"), *NO_STORE]
    if status == 405:
        headers.append((b"content-length", b"0"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send(EMPTY_BODY)
