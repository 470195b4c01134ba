"""An SMTP server (aiosmtpd in a thread) whose every reply can go wrong, by a script or by a marker in the address."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.fakes.certificate import make_certificate
from tests.fakes.process import HOST, daemon_folder


@dataclass(frozen=True)
class Action:
    """What happens in place of the reply. `text` is written as it is; then `end` says what becomes of the link."""

    text: bytes = b""
    end: str = "stay"  # stay | close (FIN) | drop (RST) | stall (no further word)
    every: float = 0.0  # seconds between two bytes; 0: all at once
    accept: bool = False  # at DOT: keep the message as accepted all the same


def reply(lines: str | list[str], close: bool = False, accept: bool = False) -> Action:
    """A well-formed reply, of several lines if a list is given (each with its code)."""
    rows = [lines] if isinstance(lines, str) else lines
    rows = [row[:3] + "-" + row[4:] for row in rows[:-1]] + rows[-1:]
    return Action("".join(row + "\r\n" for row in rows).encode(), "close" if close else "stay", accept=accept)


def drop(accept: bool = False) -> Action:
    """The connection is reset with nothing answered."""
    return Action(end="drop", accept=accept)


def close(accept: bool = False) -> Action:
    """The connection is closed in order with nothing answered."""
    return Action(end="close", accept=accept)


def stall(accept: bool = False) -> Action:
    """Nothing is ever answered; the connection stays open."""
    return Action(end="stall", accept=accept)


def raw(data: bytes, close: bool = False, accept: bool = False) -> Action:
    """These bytes, whatever they are: garbage, half a reply, two replies at once."""
    return Action(data, "close" if close else "stay", accept=accept)


def drip(data: bytes, every: float = 0.05, accept: bool = False) -> Action:
    """These bytes, one each `every` seconds."""
    return Action(data, every=every, accept=accept)


GARBAGE = b"\x00\xff\xfe not a reply \x80\r\n"
HALF = b"250-2.0.0 this reply has a second line\r\n"
MARKER_ACTIONS: dict[str, Action] = {
    "drop": drop(),
    "acceptdrop": drop(accept=True),
    "stall": stall(),
    "garbage": raw(GARBAGE),
    "half": raw(HALF, close=True),
    "drip": drip(b"250 2.0.0 slowly\r\n", accept=True),
}
MARKER = re.compile(r"--(rcpt|data|dot|quit)-([0-9]{3}(?:_[0-9.]+)?|[a-z]+)(?:-x([0-9]+))?@", re.IGNORECASE)


def marker_rule(address: str) -> Rule | None:
    """The rule that an address asks for: name--VERB-WHAT[-xN]@domain."""
    found = MARKER.search(address)
    if found is None:
        return None
    verb, what, times = found.groups()
    action = MARKER_ACTIONS.get(what.lower()) or reply(f"{what.replace('_', ' ')} as the address asks")
    if what.startswith("421"):
        action = replace(action, end="close")
    return Rule(verb.upper(), action, times=int(times) if times else None, match=address)


@dataclass
class Rule:
    """An action for the replies to a verb whose argument holds `match`: after `skip` times, for `times` times."""

    verb: str
    action: Action
    times: int | None = None
    match: str = ""
    skip: int = 0

    def take(self, verb: str, argument: str) -> Action | None:
        if verb != self.verb or self.match not in argument or self.times == 0:
            return None
        if self.skip:
            self.skip -= 1
            return None
        if self.times is not None:
            self.times -= 1
        return self.action


@dataclass(frozen=True)
class Accepted:
    """A message that the server took responsibility for. `data` has CRLF and no transparency dots."""

    mail_from: str
    rcpt_tos: list[str]
    data: bytes
    session: int
    tls: bool
    login: str | None


@dataclass
class Settings:
    """What the server offers."""

    starttls: bool = False
    implicit_tls: bool = False
    users: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    pipelining: bool = True
    size: int | None = 33_554_432
    eight_bit: bool = True
    smtputf8: bool = False


class ScriptedSMTP:
    """The server as the test sees it. Its lists may be read at any time."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.host, self.port = settings, HOST, 0
        self.rules: list[Rule] = []
        self.messages: list[Accepted] = []
        self.commands: list[tuple[int, str, str]] = []
        self.sessions = self.open = self.peak = self.refused_auth = 0
        self._marked: dict[tuple[str, str], Rule] = {}
        self._links: set[Connection] = set()
        self._tls: ssl.SSLContext | None = None
        self.ca_file: Path | None = None
        if settings.starttls or settings.implicit_tls:
            self.ca_file = make_certificate(folder)
            self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._tls.load_cert_chain(self.ca_file)

    def on(self, verb: str, action: Action, times: int | None = None, match: str = "", after: int = 0) -> None:
        """Answer a verb with the action; the first rule that fits wins."""
        self.rules.append(Rule(verb.upper(), action, times, match, after))

    def calm(self) -> None:
        """Forget every rule of the script."""
        self.rules.clear()

    def recipients(self) -> list[str]:
        return [address for message in self.messages for address in message.rcpt_tos]

    def verbs(self) -> list[str]:
        return [verb for _, verb, _ in self.commands]

    def next_action(self, verb: str, argument: str, addresses: Iterable[str]) -> Action | None:
        """What goes wrong with this reply, if anything: the script first, then the addresses' markers."""
        for rule in self.rules:
            if action := rule.take(verb, argument):
                return action
        for address in addresses:
            rule = marker_rule(address)
            if rule and rule.verb == verb:
                kept = self._marked.setdefault((verb, address), rule)
                if action := kept.take(verb, address):
                    return action
        return None

    async def serve(self, started: Callable[[int], None], ended: asyncio.Event) -> None:
        """Run until `ended`; `started` is told the port."""
        loop = asyncio.get_running_loop()
        implicit = self._tls if self.settings.implicit_tls else None
        server = await loop.create_server(lambda: Connection(self, loop), HOST, 0, ssl=implicit)
        started(server.sockets[0].getsockname()[1])
        await ended.wait()
        server.close()
        await self._hang_up()

    async def _hang_up(self) -> None:
        """Reset what is still open and let every connection's task end."""
        tasks = [link.task for link in self._links if link.task]
        for link in list(self._links):
            link.cut()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Handler:
    """aiosmtpd's hooks: what the server offers and what it keeps."""

    def __init__(self, owner: ScriptedSMTP) -> None:
        self.owner = owner

    async def handle_EHLO(
        self, server: Connection, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        offered = [row for row in responses if self._offered(row)]
        if self.owner.settings.pipelining:
            offered.insert(1, "250-PIPELINING")
        offered.insert(1, "250-ENHANCEDSTATUSCODES")
        return offered

    def _offered(self, row: str) -> bool:
        settings = self.owner.settings
        if row.startswith("250-AUTH"):
            return bool(settings.users or settings.tokens)
        return not (row == "250-8BITMIME" and not settings.eight_bit)

    async def handle_DATA(self, server: Connection, session: Session, envelope: Envelope) -> str:
        """The final dot. A scripted action has been taken by Connection.push before this reply is written."""
        action = self.owner.next_action("DOT", " ".join(envelope.rcpt_tos), envelope.rcpt_tos)
        if action is None or action.accept:
            self.owner.messages.append(self._accepted(server, session, envelope))
        server.planned = action
        return "250 2.0.0 Ok: queued"

    def _accepted(self, server: Connection, session: Session, envelope: Envelope) -> Accepted:
        login = session.auth_data if isinstance(session.auth_data, str) else None
        return Accepted(
            envelope.mail_from or "",
            list(envelope.rcpt_tos),
            bytes(envelope.original_content or b""),
            server.number,
            session.ssl is not None or self.owner.settings.implicit_tls,
            login,
        )

    async def auth_XOAUTH2(self, server: Connection, args: list[str]) -> AuthResult:
        """user=…^Aauth=Bearer TOKEN^A^A, as Google and Microsoft define it."""
        blob = await server.challenge_auth("") if len(args) < 2 else _decoded(args[1])
        blob = blob if isinstance(blob, bytes) else b""
        found = re.fullmatch(rb"user=([^\x01]+)\x01auth=Bearer ([^\x01]+)\x01\x01", blob)
        user, token = (found[1].decode(), found[2].decode()) if found else ("", "")
        if user and self.owner.settings.tokens.get(user) == token:
            return AuthResult(success=True, auth_data=user)
        self.owner.refused_auth += 1
        # The error arrives as a challenge; the client answers with an empty line and is then refused.
        await server.challenge_auth('{"status":"401"}')
        return AuthResult(success=False, handled=False)


def _decoded(argument: str) -> bytes:
    import base64

    return base64.b64decode(argument)


class Connection(SMTP):
    """One client's session: consults the script before each reply."""

    def __init__(self, owner: ScriptedSMTP, loop: asyncio.AbstractEventLoop) -> None:
        settings = owner.settings
        self.owner, self.number, self.planned, self.task = owner, 0, None, None
        self.greeted = self.counted = False
        super().__init__(
            Handler(owner),
            hostname="mx.test.example",
            ident="ESMTP",
            data_size_limit=settings.size,
            enable_SMTPUTF8=settings.smtputf8,
            tls_context=owner._tls if settings.starttls else None,
            auth_require_tls=settings.starttls,
            auth_required=False,
            auth_exclude_mechanism=[] if settings.users else ["PLAIN", "LOGIN"],
            authenticator=self._check,
            timeout=300,
            loop=loop,
        )
        # aiosmtpd calls these by the names that it has looked up in its constructor.
        for verb in ("EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT"):
            method = self._smtp_methods.get(verb) or getattr(self, f"smtp_{verb}")
            self._smtp_methods[verb] = self._scripted(verb, method)

    def _check(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        if isinstance(data, LoginPassword):
            user, password = data.login.decode(), data.password.decode()
            if self.owner.settings.users.get(user) == password:
                return AuthResult(success=True, auth_data=user)
        self.owner.refused_auth += 1
        return AuthResult(success=False, handled=False)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self.counted:
            return  # the same connection, now under TLS
        self.counted = True
        owner = self.owner
        owner.sessions += 1
        owner.open += 1
        owner.peak = max(owner.peak, owner.open)
        owner._links.add(self)
        self.number, self.task = owner.sessions, self._handler_coroutine

    def connection_lost(self, error: Exception | None) -> None:
        if self in self.owner._links:
            self.owner._links.discard(self)
            self.owner.open -= 1
        super().connection_lost(error)

    def cut(self) -> None:
        """Reset the connection (RST: linger 0), under TLS too."""
        transport = self._original_transport or self.transport
        if transport is None:
            return
        # A TLS transport that is closed already has lost its insides (AttributeError).
        with suppress(OSError, AttributeError):
            link = transport.get_extra_info("socket")
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            transport.abort()

    def _scripted(self, verb: str, method: Callable[[str], Any]) -> Callable[[str], Any]:
        async def answer(argument: str) -> None:
            self.owner.commands.append((self.number, verb, argument or ""))
            addresses = [argument or ""] if verb == "RCPT" else self.envelope.rcpt_tos
            addresses = [address.split("<")[-1].split(">")[0] for address in addresses]
            action = self.owner.next_action(verb, argument or "", addresses)
            await (self._perform(action) if action else method(argument))

        return answer

    async def push(self, status: str | bytes) -> None:
        """Every reply leaves here: the greeting and the answer to the final dot may be replaced."""
        action = None
        if not self.greeted:
            self.greeted = True
            action = self.owner.next_action("CONNECT", "", [])
        elif self.planned is not None:
            action, self.planned = self.planned, None
        if action is not None:
            await self._perform(action)
        else:
            await super().push(status)

    async def _perform(self, action: Action) -> None:
        pieces = [action.text] if not action.every else [bytes([byte]) for byte in action.text]
        for piece in pieces:
            self._writer.write(piece)
            await self._writer.drain()
            if action.every:
                await asyncio.sleep(action.every)
        if action.end == "drop":
            self.cut()
        elif action.end == "close" and self.transport is not None:
            self.transport.close()
        if action.end != "stay":
            await asyncio.Event().wait()  # ends with the connection: aiosmtpd cancels this task


@contextmanager
def running_smtp(settings: Settings | None = None) -> Iterator[ScriptedSMTP]:
    """Run a server in a thread with a loop of its own, so that it serves tests with a loop and tests without one."""
    with daemon_folder("smtp") as folder:
        owner = ScriptedSMTP(settings or Settings(), folder)
        ready, box = threading.Event(), []

        def started(port: int) -> None:
            owner.port = port
            ready.set()

        async def work() -> None:
            box.append((asyncio.get_running_loop(), asyncio.Event()))
            await owner.serve(started, box[0][1])

        thread = threading.Thread(target=asyncio.run, args=(work(),), name="scripted-smtp", daemon=True)
        thread.start()
        assert ready.wait(20), "the SMTP server did not start"
        try:
            yield owner
        finally:
            loop, ended = box[0]
            loop.call_soon_threadsafe(ended.set)
            thread.join(20)
