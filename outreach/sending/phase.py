"""Where in a hand-over something happened: what decides between "try again" and "nobody knows"."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """The phase in which a reply came or the link broke. From DOT on the server may have the message."""

    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    READY = "ready"
    BODY = "body"
    DOT = "dot"
    RSET = "rset"
    QUIT = "quit"
    IDLE = "idle"


#: In these phases the server has seen the envelope or more: it may count it.
REACHED_SERVER = frozenset({Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.BODY, Phase.DOT})


class Fault(StrEnum):
    """What went wrong when there is no reply to judge."""

    DROP = "drop"
    TIMEOUT = "timeout"
    GARBAGE = "garbage"
    TLS = "tls"
    DNS = "dns"
    REFUSED = "refused"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. RFC 5321 4.5.3.2: greeting 5 min, MAIL 5, RCPT 5, DATA 2, a block of the body 3, the dot 10.

    Each is a deadline for the whole reply: bytes that drip in do not prolong it. quit: nothing depends on the answer.
    """

    greeting: float = 300
    mail: float = 300
    rcpt: float = 300
    data: float = 120
    block: float = 180
    dot: float = 600
    quit: float = 5

    def table(self) -> dict[Phase, float]:
        """Return how long the server may take in each phase."""
        return {
            Phase.MAIL: self.mail,
            Phase.RSET: self.mail,
            Phase.RCPT: self.rcpt,
            Phase.DATA: self.data,
            Phase.BODY: self.block,
            Phase.DOT: self.dot,
            Phase.QUIT: self.quit,
        }

    @property
    def shortest(self) -> float:
        """The shortest of all."""
        return min(self.greeting, *self.table().values())


@dataclass(frozen=True, slots=True)
class Broken:
    """A link that ended without a reply: in which phase, how, and the words for people."""

    phase: Phase
    fault: Fault
    detail: str = ""
