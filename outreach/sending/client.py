"""Makes SMTP connections: aiosmtplib connects, secures, greets and logs in; a `Link` takes the transport over.

aiosmtplib knows neither PIPELINING nor the phase in which a link broke, so it hands over before the first MAIL.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import aiosmtplib
from aiosmtplib import SMTPResponseException

from outreach.content.hosts import is_loopback
from outreach.sending.link import Link, Owner
from outreach.sending.phase import Broken, Fault, Phase, Timeouts
from outreach.sending.reply_code import Reply, ReplyLimits
from outreach.sending.setup import Features


@dataclass(frozen=True, slots=True)
class Server:
    """How to reach and enter a mail server.

    tls: implicit, starttls or none (loopback only). token: gives an XOAUTH2 token, a fresh one when called with True.
    trust: a context with the certificates to believe; None: the system's.
    """

    host: str
    port: int
    tls: str = "implicit"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    token: Callable[[bool], Awaitable[str]] | None = field(default=None, repr=False)
    trust: ssl.SSLContext | None = None
    local_hostname: str | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)
    limits: ReplyLimits = field(default_factory=ReplyLimits)


class SessionTrouble(Exception):
    """No session came about. `reply` is the server's word where it spoke."""

    def __init__(self, broken: Broken, reply: Reply | None = None) -> None:
        super().__init__(f"{broken.phase.value}: {broken.detail}")
        self.broken = broken
        self.reply = reply


class TokenTrouble(Exception):
    """No access token is to be had until a person does something (consent withdrawn, refresh token expired)."""


async def connect(server: Server, owner: Owner) -> tuple[Link, Features]:
    """Open a session and return its link, ready for the first envelope. Raises SessionTrouble."""
    smtp = _client(server)
    try:
        await _enter(smtp, server)
        return _take_over(smtp, server, owner)
    except BaseException:
        smtp.close()
        raise


async def probe(server: Server) -> None:
    """Enter the server and leave again: for the connection doctor. Raises SessionTrouble."""
    smtp = _client(server)
    try:
        await _enter(smtp, server)
    finally:
        smtp.close()


def _client(server: Server) -> aiosmtplib.SMTP:
    if server.tls == "none" and not is_loopback(server.host):
        raise SessionTrouble(Broken(Phase.STARTTLS, Fault.TLS, "plain text is for loopback only"))
    return aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        # without a name aiosmtplib asks the resolver in a thread, which can take seconds
        local_hostname=server.local_hostname or socket.gethostname() or "localhost",
        timeout=server.timeouts.greeting,
        use_tls=server.tls == "implicit",
        start_tls=False,
        tls_context=server.trust,
    )


async def _enter(smtp: aiosmtplib.SMTP, server: Server) -> None:
    await _step(Phase.CONNECT, smtp.connect())
    await _greet(smtp)
    if server.tls == "starttls":
        await _secure(smtp)
        await _greet(smtp)
    if server.user is None or (server.password is None and server.token is None):
        return
    if server.tls == "none" and not smtp.supported_auth_methods:
        return  # a relay on loopback that knows no users: the credentials are for the mailbox's IMAP
    await _login(smtp, server, server.user)


async def _greet(smtp: aiosmtplib.SMTP) -> None:
    try:
        await _step(Phase.EHLO, smtp.ehlo())
    except SessionTrouble as trouble:
        # RFC 5321 4.1.4: a server that does not know EHLO is greeted with HELO
        if trouble.reply is None or trouble.reply.code not in (500, 501, 502, 504, 550):
            raise
        await _step(Phase.EHLO, smtp.helo())


async def _secure(smtp: aiosmtplib.SMTP) -> None:
    if not smtp.supports_extension("starttls"):
        raise SessionTrouble(Broken(Phase.STARTTLS, Fault.UNSUPPORTED, "the server does not offer STARTTLS"))
    guard = _PlaintextGuard(smtp.protocol)
    if isinstance(smtp.transport, asyncio.Transport):
        smtp.transport.set_protocol(guard)
    await _step(Phase.STARTTLS, smtp.starttls())
    if guard.injected:
        raise SessionTrouble(Broken(Phase.STARTTLS, Fault.TLS, "plain text after the answer to STARTTLS"))


class _PlaintextGuard(asyncio.Protocol):
    """Notices bytes that follow the answer to STARTTLS in the clear (RFC 3207 4.2); the library only drops them."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._answered = False
        self.injected = False

    def data_received(self, data: bytes) -> None:
        _, end, rest = data.partition(b"\n")
        self.injected = self.injected or self._answered or bool(end and rest)
        self._answered = self._answered or bool(end)
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return cast("bool | None", self._inner.eof_received())

    def connection_lost(self, exc: Exception | None) -> None:
        self._inner.connection_lost(exc)


async def _login(smtp: aiosmtplib.SMTP, server: Server, user: str) -> None:
    # not supported_auth_methods: those are only what the library would try by itself, and XOAUTH2 is not among them
    offered = smtp.server_auth_methods
    if server.token is not None:
        await _login_with_token(smtp, server.token, user, offered)
    elif "plain" in offered:
        await _step(Phase.AUTH, smtp.auth_plain(user, server.password or ""))
    elif "login" in offered:
        await _step(Phase.AUTH, smtp.auth_login(user, server.password or ""))
    elif "cram-md5" in offered:
        await _step(Phase.AUTH, smtp.auth_crammd5(user, server.password or ""))
    else:
        raise SessionTrouble(Broken(Phase.AUTH, Fault.UNSUPPORTED, "the server offers no way to log in that we know"))


async def _login_with_token(
    smtp: aiosmtplib.SMTP, token: Callable[[bool], Awaitable[str]], user: str, offered: list[str]
) -> None:
    if "xoauth2" not in offered:
        raise SessionTrouble(Broken(Phase.AUTH, Fault.UNSUPPORTED, "the server does not offer XOAUTH2"))
    try:
        await _step(Phase.AUTH, smtp.auth_xoauth2(user, await _token(token, anew=False)))
    except SessionTrouble as trouble:
        if trouble.reply is None or trouble.reply.code not in (334, 535, 534, 530):
            raise
        # once: a token that is fresh and still refused will not get better
        await _step(Phase.AUTH, smtp.auth_xoauth2(user, await _token(token, anew=True)))


async def _token(token: Callable[[bool], Awaitable[str]], *, anew: bool) -> str:
    try:
        return await token(anew)
    except TokenTrouble as error:
        raise SessionTrouble(Broken(Phase.AUTH, Fault.REFUSED, str(error))) from error
    except Exception as error:
        # the token server does not answer, or not sensibly: that passes
        raise SessionTrouble(Broken(Phase.AUTH, Fault.DROP, str(error))) from error


def _take_over(smtp: aiosmtplib.SMTP, server: Server, owner: Owner) -> tuple[Link, Features]:
    transport = smtp.transport
    if transport is None or transport.is_closing():
        raise SessionTrouble(Broken(Phase.EHLO, Fault.DROP, "the server closed the connection"))
    names = frozenset(name.lower() for name in smtp.esmtp_extensions)
    wire = cast(asyncio.Transport, transport)
    link = Link(
        owner,
        wire,
        asyncio.get_running_loop().time,
        features=names,
        timeouts=server.timeouts,
        limits=server.limits,
    )
    wire.set_protocol(cast(asyncio.BaseProtocol, link))
    size = smtp.esmtp_extensions.get("size", "")
    return link, Features(names, int(size) if size.isdigit() else 0)


async def _step(phase: Phase, work: Awaitable[Any]) -> None:
    """Await one step of the session. Raises SessionTrouble for whatever goes wrong in it."""
    try:
        await work
    except SMTPResponseException as error:
        if phase is Phase.AUTH and error.code // 100 == 2:
            return  # Postfix's smtp-sink says 250 where RFC 4954 has 235: yes is yes
        reply = Reply.of(error.code, error.message) if error.code >= 200 else None
        at = Phase.GREETING if phase is Phase.CONNECT else phase
        raise SessionTrouble(Broken(at, Fault.REFUSED if reply else Fault.GARBAGE, error.message), reply) from error
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise SessionTrouble(Broken(phase, _fault(error), _words(error))) from error


def _fault(error: BaseException) -> Fault:
    causes: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and len(causes) < 5:
        causes.append(link)
        link = link.__cause__ or link.__context__
    for kinds, fault in (
        (ssl.SSLError, Fault.TLS),
        (socket.gaierror, Fault.DNS),
        (TimeoutError, Fault.TIMEOUT),
        (ConnectionRefusedError, Fault.DROP),
        (aiosmtplib.SMTPNotSupported, Fault.UNSUPPORTED),
    ):
        if any(isinstance(cause, kinds) for cause in causes):
            return fault
    return Fault.DROP


def _words(error: BaseException) -> str:
    cause = error.__cause__
    return f"{error}" if cause is None or str(cause) in str(error) else f"{error} ({cause})"
