"""One SMTP connection after the greeting, TLS and login: envelopes and bodies, without a task per command.

MAIL, RCPT and DATA leave in one write where PIPELINING is advertised (RFC 2920), the next envelope together with the
body before it. A body leaves only when the owner says so (`hand_over`), after 354: that is where the durable mark is
made. Whatever happens, the owner learns for every envelope whether the final dot can have left.

No I/O here: bytes go out through a `Wire` (an asyncio transport is one) and come in through `data_received`, so a test
can play any server byte by byte. The method names are asyncio.Protocol's; client.py joins the two.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Protocol

from outreach.sending.phase import Broken, Fault, Phase, Timeouts
from outreach.sending.reply_code import Reply, ReplyLimits, ReplyReader

#: A body longer than this is written without its final dot, which follows when the kernel has taken the rest: then a
#: drop in mid-body is known to be before the dot. Shorter ones fit the socket's buffer whole (Linux: 87 kB at least).
HOLD_DOT_ABOVE = 49_152


class Stage(IntEnum):
    """How far an envelope has come; from DOT_GONE on the server may have the message."""

    OFFERED = 0
    READY = 1
    BODY = 2
    DOT_GONE = 3
    OVER = 4


class Envelope:
    """One message on its way over one connection. `data` is complete: CRLF, dot-stuffed, ends with CRLF."""

    __slots__ = ("data", "params", "recipient", "refusal", "sender", "stage", "tag")

    def __init__(self, sender: str, recipient: str, data: bytes, *, params: str = "", tag: Any = None) -> None:
        self.sender = sender
        self.recipient = recipient
        self.data = data
        self.params = params
        self.tag = tag
        self.stage = Stage.OFFERED
        self.refusal: tuple[Phase, Reply] | None = None

    def drop_body(self) -> None:
        """Let go of the bytes, whoever still holds the envelope."""
        self.data = b""


class Owner(Protocol):
    """Who works a link. The calls come from the event loop's callbacks and must not block."""

    def ready(self, link: Link, envelope: Envelope) -> None:
        """354 has come: make the mark, then call `link.hand_over` (or `link.abort`)."""

    def answered(self, link: Link, envelope: Envelope, phase: Phase, reply: Reply) -> None:
        """The envelope is over: accepted (phase DOT, 2xx) or refused in `phase` with 4xx or 5xx."""

    def free(self, link: Link) -> None:
        """Nothing is on its way: offer the next envelope, or quit."""

    def lost(self, link: Link, broken: Broken, unfinished: list[Envelope]) -> None:
        """The link is gone; each unfinished envelope's `stage` tells how far it was."""


class Wire(Protocol):
    """What of an asyncio transport is used."""

    def write(self, data: bytes) -> None: ...
    def abort(self) -> None: ...
    def close(self) -> None: ...
    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...


class Link:
    """The connection. All methods are called from one thread. `time` gives seconds of a clock that only advances."""

    def __init__(
        self,
        owner: Owner,
        wire: Wire,
        time: Callable[[], float],
        *,
        features: frozenset[str] = frozenset(),
        timeouts: Timeouts | None = None,
        limits: ReplyLimits | None = None,
    ) -> None:
        self.owner = owner
        self.features = features
        self._timeouts = (timeouts or Timeouts()).table()
        self.deadline: float | None = None
        self.open = True
        self.served = 0
        self._reader = ReplyReader(limits)
        self._expected: deque[tuple[Phase, Envelope | None]] = deque()
        self._envelopes: deque[Envelope] = deque()
        self._pipelining = "pipelining" in features
        self._needs_rset = False
        self._paused = False
        self._dot_waits: Envelope | None = None
        self._broken: Broken | None = None
        self._time = time
        self._wire = wire

    # -- what the owner does ---------------------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """Whether no envelope is on its way."""
        return self.open and not self._envelopes

    def offer(self, envelope: Envelope) -> None:
        """Send the envelope; the link must be idle."""
        self._write(self._envelope_bytes(envelope))

    def hand_over(self, envelope: Envelope, following: Envelope | None = None) -> None:
        """Send the body of an envelope that is READY, and with it the next envelope where that can be pipelined."""
        long = len(envelope.data) > HOLD_DOT_ABOVE
        # the stage first: it decides which deadline the expectation gets
        envelope.stage = Stage.BODY if long else Stage.DOT_GONE
        self._expect(Phase.DOT, envelope)
        if long:
            self._hand_over_long(envelope)
            return
        parts = [envelope.data, b".\r\n"]
        if following is not None:
            parts.append(self._envelope_bytes(following))
        self._write(b"".join(parts))

    def can_follow(self, envelope: Envelope) -> bool:
        """Whether another envelope may leave together with this one's body."""
        return self._pipelining and len(envelope.data) <= HOLD_DOT_ABOVE

    def quit(self) -> None:
        """Say goodbye; the link closes with the answer or without."""
        if self.open and not self._expected:
            self._expect(Phase.QUIT, None)
            self._write(b"QUIT\r\n")

    def abort(self, broken: Broken) -> None:
        """Cut the connection now; unfinished envelopes are reported through `lost`."""
        if self._broken is None:
            self._broken = broken
        self._wire.abort()
        self._end()

    def check(self, now: float) -> None:
        """Cut the connection if the server has let a deadline pass. `now` is the event loop's time."""
        if self.open and self.deadline is not None and now >= self.deadline:
            phase = self.phase
            self.abort(Broken(phase, Fault.TIMEOUT, f"no answer to {phase.value} in time"))

    @property
    def phase(self) -> Phase:
        """What the server's next bytes would answer."""
        if self._expected:
            phase, envelope = self._expected[0]
            held = phase is Phase.DOT and envelope is not None and envelope.stage is Stage.BODY
            return Phase.BODY if held else phase
        return Phase.READY if self._envelopes else Phase.IDLE

    # -- what the network does -------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Judge the replies in `data`."""
        if not self.open:
            return
        for reply in self._reader.feed(data):
            self._replied(reply)
        if self._reader.error is not None and self.open:
            self.abort(Broken(self.phase, Fault.GARBAGE, str(self._reader.error)))

    def eof_received(self) -> bool:
        """Let the transport close: a server that has nothing more to say is gone."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Report what was unfinished."""
        if self._broken is None:
            self._broken = Broken(self.phase, Fault.DROP, str(exc) if exc else "the server closed the connection")
        self._end()

    def pause_writing(self) -> None:
        """Remember that bytes are still here."""
        self._paused = True

    def resume_writing(self) -> None:
        """Send the dot that waited for the body to leave."""
        self._paused = False
        envelope, self._dot_waits = self._dot_waits, None
        if envelope is not None and self.open:
            self._send_dot(envelope)

    # -- within ----------------------------------------------------------------------------------------------------

    def _envelope_bytes(self, envelope: Envelope) -> bytes:
        self._envelopes.append(envelope)
        head = b""
        if self._needs_rset:
            self._needs_rset = False
            self._expect(Phase.RSET, None)
            head = b"RSET\r\n"
        mail = f"MAIL FROM:<{envelope.sender}>{envelope.params}\r\n".encode()
        self._expect(Phase.MAIL, envelope)
        if not self._pipelining:
            return head + mail
        self._expect(Phase.RCPT, envelope)
        self._expect(Phase.DATA, envelope)
        return b"%bRCPT TO:<%b>\r\nDATA\r\n" % (head + mail, envelope.recipient.encode())

    def _hand_over_long(self, envelope: Envelope) -> None:
        self._wire.set_write_buffer_limits(high=0)
        self._write(envelope.data)
        if not self.open:
            return
        if self._paused:
            self._dot_waits = envelope
        else:
            self._send_dot(envelope)

    def _send_dot(self, envelope: Envelope) -> None:
        envelope.stage = Stage.DOT_GONE
        self._wire.set_write_buffer_limits()
        self._write(b".\r\n")
        self._arm()

    def _expect(self, phase: Phase, envelope: Envelope | None) -> None:
        self._expected.append((phase, envelope))
        if len(self._expected) == 1:
            self._arm()

    def _arm(self) -> None:
        if not self._expected:
            self.deadline = None
            return
        self.deadline = self._time() + self._timeouts[self.phase]

    def _write(self, data: bytes) -> None:
        if self.open:
            self._wire.write(data)

    def _replied(self, reply: Reply) -> None:
        if not self.open:
            return
        if not self._expected:
            phase = Phase.READY if self._envelopes else Phase.IDLE
            fault = Fault.DROP if reply.code == 421 else Fault.GARBAGE
            self.abort(Broken(phase, fault, f"unasked: {reply.code} {reply.text}"))
            return
        phase, envelope = self._expected.popleft()
        if phase is Phase.QUIT:
            self._broken = Broken(Phase.QUIT, Fault.DROP, "")
            self._close()
            return
        if envelope is None:
            self._reset_answered(reply)
        elif phase is Phase.DOT:
            self._dot_answered(envelope, reply)
        else:
            self._envelope_answered(phase, envelope, reply)
        if self.open:
            self._arm()

    def _reset_answered(self, reply: Reply) -> None:
        if reply.code // 100 != 2:
            self.abort(Broken(Phase.RSET, Fault.GARBAGE, f"RSET refused: {reply.code} {reply.text}"))

    def _envelope_answered(self, phase: Phase, envelope: Envelope, reply: Reply) -> None:
        if phase is Phase.DATA:
            self._data_answered(envelope, reply)
        elif reply.code // 100 == 2:
            if not self._pipelining:
                self._next_command(phase, envelope)
        elif reply.code < 400:
            self.abort(Broken(phase, Fault.GARBAGE, f"{reply.code} to {phase.value}"))
        else:
            self._refused(phase, envelope, reply)

    def _next_command(self, phase: Phase, envelope: Envelope) -> None:
        if phase is Phase.MAIL:
            self._expect(Phase.RCPT, envelope)
            self._write(f"RCPT TO:<{envelope.recipient}>\r\n".encode())
        else:
            self._expect(Phase.DATA, envelope)
            self._write(b"DATA\r\n")

    def _refused(self, phase: Phase, envelope: Envelope, reply: Reply) -> None:
        if envelope.refusal is None:
            envelope.refusal = (phase, reply)
        if reply.code == 421 or not self._pipelining:
            self._finish(envelope)

    def _data_answered(self, envelope: Envelope, reply: Reply) -> None:
        if reply.code == 354:
            if envelope.refusal is not None:
                # RFC 2920 3.1: the server wants a message for nobody; a lone dot ends it, and is answered with 554
                self._expect(Phase.DOT, envelope)
                self._write(b".\r\n")
                return
            envelope.stage = Stage.READY
            self.owner.ready(self, envelope)
        elif reply.code >= 400:
            if envelope.refusal is None:
                envelope.refusal = (Phase.DATA, reply)
            self._finish(envelope)
        elif envelope.refusal is not None:
            self._finish(envelope)
        else:
            self.abort(Broken(Phase.DATA, Fault.GARBAGE, f"{reply.code} where 354 or a refusal was due"))

    def _dot_answered(self, envelope: Envelope, reply: Reply) -> None:
        if envelope.refusal is not None:
            self._finish(envelope, reset=False)
        elif envelope.stage is Stage.BODY:
            self._answered_in_mid_body(envelope, reply)
        elif reply.code // 100 == 3:
            self.abort_in_doubt(envelope, reply)
        else:
            self._over(envelope, Phase.DOT, reply)

    def abort_in_doubt(self, envelope: Envelope, reply: Reply) -> None:
        """Give the link up on an answer to the dot that means neither yes nor no."""
        self.abort(Broken(Phase.DOT, Fault.GARBAGE, f"{reply.code} to the final dot"))

    def _answered_in_mid_body(self, envelope: Envelope, reply: Reply) -> None:
        if reply.code >= 400:
            self._over(envelope, Phase.BODY, reply)
        self.abort(Broken(Phase.BODY, Fault.GARBAGE, "answered before the message had ended"))

    def _finish(self, envelope: Envelope, *, reset: bool = True) -> None:
        assert envelope.refusal is not None
        phase, reply = envelope.refusal
        # a refused MAIL leaves no transaction; a refused RCPT or DATA does
        self._needs_rset = self._needs_rset or (reset and phase is not Phase.MAIL)
        self._over(envelope, phase, reply)

    def _over(self, envelope: Envelope, phase: Phase, reply: Reply) -> None:
        envelope.stage = Stage.OVER
        self._envelopes.remove(envelope)
        self.served += 1
        self.owner.answered(self, envelope, phase, reply)
        envelope.drop_body()
        if reply.code == 421 and self.open:
            self.abort(Broken(phase, Fault.DROP, f"421 {reply.text}"))
        elif self.open and not self._envelopes:
            self.owner.free(self)

    def _close(self) -> None:
        self._wire.close()
        self._end()

    def _end(self) -> None:
        if not self.open:
            return
        self.open = False
        self.deadline = None
        unfinished = [e for e in self._envelopes if e.stage is not Stage.OVER]
        self._envelopes.clear()
        self._expected.clear()
        assert self._broken is not None
        self.owner.lost(self, self._broken, unfinished)
        for envelope in unfinished:
            envelope.drop_body()
