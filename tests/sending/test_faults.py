"""Every verb and every fault: what becomes of the message, the mailbox, the contact, and when it is tried again.

A scripted server on loopback; a fake clock for what is stored, tiny timeouts for what is waited for.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.outbox.message import Claimed
from outreach.outbox.tables import contact
from outreach.sending.client import Server
from outreach.sending.phase import Timeouts
from outreach.sending.reply_code import Reply
from outreach.sending.setup import MailboxSetup, Notice, RunResult
from outreach.sending.worker import Hooks, MailboxRun
from tests.fakes.clock import FakeClock
from tests.fakes.smtp import GARBAGE, HALF, Action, ScriptedSMTP, close, drip, drop, raw, reply, stall
from tests.sending.world import PlainComposer, World, make_world

ANNA = "anna@buyer.example"
PATIENT = Timeouts(greeting=20, mail=20, rcpt=20, data=20, block=20, dot=20, quit=20)
SLOW_DRIP = drip(b"250 2.0.0 this comes slowly\r\n", every=0.2)


@dataclass
class Heard(Hooks):
    """What the hooks were told."""

    dead: list[tuple[str, str]] = field(default_factory=list)
    held: list[tuple[int, str]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    async def address_dead(
        self, conn: AsyncConnection, message: Claimed, reason: str, reply: Reply, at: datetime
    ) -> None:
        self.dead.append((message.address, reason))

    async def hold_campaign(
        self, conn: AsyncConnection, campaign_id: int, reason: str, detail: str, at: datetime
    ) -> None:
        self.held.append((campaign_id, reason))

    async def notify(self, conn: AsyncConnection, notice: Notice) -> None:
        self.notices.append(notice)


@dataclass(frozen=True)
class Want:
    """What must follow. due: minutes from now at which the next attempt lies, between; None: unchanged or over.

    rest: seconds that the mailbox rests; 0: none. box: why it rests or is paused.
    """

    state: str
    reason: str | None = None
    due: tuple[float, float] | None = None
    attempts: int = 0
    paused: bool = False
    box: str | None = None
    rest: float = 0
    dead: str | None = None
    held: str | None = None


QUEUED = Want("queued")
FIVE = (5.0, 6.0)
AT_ONCE_RESTS = Want("queued", box="connect-failed", rest=60)


def paused(reason: str, state: str = "queued", why: str | None = None) -> Want:
    return Want(state, why, paused=True, box=reason)


def again(reason: str, state: str = "queued") -> Want:
    return Want(state, reason, FIVE, attempts=1)


def doubt(what: str) -> Want:
    return Want("in_doubt", f"{what} after the final dot", attempts=1)


CLOSING = reply("421 4.3.0 closing", close=True)
BROKEN: dict[str, Action] = {
    "drop": drop(),
    "close": close(),
    "stall": stall(),
    "garbage": raw(GARBAGE),
    "half": raw(HALF, close=True),
    "drip": SLOW_DRIP,
    "bare-lf": raw(b"250 2.0.0 ok\n"),
    "nul": raw(b"250 2.0.0 o\0k\r\n"),
    "long-line": raw(b"250 " + b"x" * 600 + b"\r\n"),
    "endless": raw(b"250-more\r\n" * 200),
}
#: What a fault is called in a reason.
KIND = {"drop": "drop", "close": "drop", "stall": "timeout", "half": "drop", "drip": "timeout"}

CASES: list[tuple[str, str, Action, Want]] = []


def case(verb: str, name: str, action: Action, want: Want) -> None:
    CASES.append((verb, name, action, want))


for _verb in ("CONNECT", "EHLO"):
    case(_verb, "4xx", reply("451 4.3.0 later"), AT_ONCE_RESTS)
    case(_verb, "5xx", reply("554 5.3.2 no service"), paused("greeting-refused"))
    case(_verb, "421", CLOSING, AT_ONCE_RESTS)
    for _name in ("drop", "close", "stall", "garbage", "half", "drip"):
        case(_verb, _name, BROKEN[_name], AT_ONCE_RESTS)
case("STARTTLS", "4xx", reply("454 4.7.0 TLS not available"), paused("tls-failed"))
case("STARTTLS", "5xx", reply("554 5.7.3 no TLS"), paused("tls-failed"))
case("STARTTLS", "421", CLOSING, AT_ONCE_RESTS)
case("STARTTLS", "injected", raw(b"220 2.0.0 ready\r\n250 2.0.0 injected\r\n"), paused("tls-failed"))
for _name in ("drop", "close", "stall", "half", "drip"):
    case("STARTTLS", _name, BROKEN[_name], AT_ONCE_RESTS)
case("AUTH", "4xx", reply("454 4.7.0 Temporary authentication failure"), Want("queued", box="auth-deferred", rest=60))
case("AUTH", "535", reply("535 5.7.8 bad credentials"), paused("auth-failed"))
case("AUTH", "534", reply("534 5.7.9 application password needed"), paused("auth-failed"))
case("AUTH", "5.7.30", reply("550 5.7.30 basic authentication is off"), paused("auth-failed"))
case("AUTH", "421", CLOSING, AT_ONCE_RESTS)
for _name in ("drop", "close", "stall", "garbage", "half", "drip"):
    case("AUTH", _name, BROKEN[_name], AT_ONCE_RESTS)

LATER = (1.0, 1.0)
THROTTLED = Want("queued", "systemerror", LATER, box="throttled", rest=60)
case("MAIL", "4xx", reply("451 4.3.0 later"), Want("deferred", "rejected", LATER, box="sender-deferred", rest=60))
case("MAIL", "5xx", reply("553 5.1.8 sender refused"), paused("sender-refused", why="rejected"))
case("MAIL", "530", reply("530 5.7.0 authentication required"), paused("auth-failed", why="authfailure"))
case("RCPT", "4xx", reply("451 4.3.0 later"), again("rejected", "deferred"))
case("RCPT", "5xx", reply("554 5.0.0 no"), Want("failed", "rejected", attempts=1))
case("DATA", "4xx", reply("451 4.3.0 later"), again("systemerror", "deferred"))
case("DATA", "5xx", reply("554 5.0.0 no"), Want("failed", "rejected", attempts=1))
case("DATA", "250", reply("250 2.0.0 what?"), again("garbage at data", "deferred"))
for _verb in ("MAIL", "RCPT", "DATA"):
    case(_verb, "421", CLOSING, THROTTLED)
    for _name, _action in BROKEN.items():
        _kind = KIND.get(_name, "garbage")
        _state = "deferred" if _kind == "garbage" else "queued"
        case(_verb, _name, _action, again(f"{_kind} at {_verb.lower()}", _state))

case("DOT", "4xx", reply("451 4.3.0 later"), again("systemerror", "deferred"))
case("DOT", "5xx", reply("554 5.0.0 no"), Want("failed", "rejected", attempts=1))
case("DOT", "421", CLOSING, Want("deferred", "systemerror", FIVE, attempts=1, box="throttled", rest=60))
case("DOT", "354", reply("354 go on"), doubt("garbage"))
for _name, _action in BROKEN.items():
    case("DOT", _name, _action, doubt(KIND.get(_name, "garbage")))
case("DOT", "accepted-drop", drop(accept=True), doubt("drop"))
case("DOT", "accepted-stall", stall(accept=True), doubt("timeout"))
SENT = Want("sent", attempts=1)
for _name, _action in BROKEN.items():
    case("QUIT", _name, _action, SENT)
case("QUIT", "4xx", reply("451 4.3.0 later"), SENT)
case("QUIT", "5xx", reply("554 5.0.0 no"), SENT)
case("QUIT", "421", CLOSING, SENT)
case("DOT", "250-then-close", reply("250 2.0.0 ok", close=True, accept=True), SENT)


def _dead(reason: str) -> Want:
    return Want("failed", reason, attempts=1, dead=reason)


def _failed(reason: str) -> Want:
    return Want("failed", reason, attempts=1)


DAY = (1440.0, 1440.0)
TABLE: list[tuple[str, str, Want]] = [
    ("RCPT", "450 4.7.1 Greylisted, come back", again("greylisted", "deferred")),
    ("RCPT", "451 4.7.1 Greylisting in action", again("greylisted", "deferred")),
    ("RCPT", "451 4.2.1 busy", again("rejected", "deferred")),
    ("RCPT", "452 4.2.2 mailbox full", again("mailboxfull", "deferred")),
    ("RCPT", "450 4.2.2 over quota", again("mailboxfull", "deferred")),
    ("RCPT", "550 5.1.1 no such user", _dead("userunknown")),
    ("RCPT", "550 5.1.2 no such host", _dead("hostunknown")),
    ("RCPT", "550 5.1.6 has moved", _dead("hasmoved")),
    ("RCPT", "556 5.1.10 domain has a null MX", _dead("hostunknown")),
    ("RCPT", "550 No such user here", _dead("userunknown")),
    ("RCPT", "550 Recipient address rejected: user unknown", _dead("userunknown")),
    ("RCPT", "551 user not local", _dead("userunknown")),
    ("RCPT", "550 mailbox unavailable", _failed("rejected")),
    ("RCPT", "554 user unknown", _failed("rejected")),
    ("RCPT", "550 4.1.1 user unknown", _failed("rejected")),
    ("RCPT", "450 5.1.1 user unknown", again("rejected", "deferred")),
    ("RCPT", "550 5.1.1 blocked by spam policy", _failed("rejected")),
    ("RCPT", "550 5.2.2 mailbox full", _failed("mailboxfull")),
    ("RCPT", "552 5.2.2 mailbox full", _failed("mailboxfull")),
    ("RCPT", "550 5.2.1 mailbox disabled", _failed("suspend")),
    ("RCPT", "550 5.7.1 relaying denied", _failed("norelaying")),
    ("RCPT", "550 5.7.1 message refused", _failed("policyviolation")),
    ("RCPT", "550 5.7.26 unauthenticated mail: SPF and DKIM failed", _failed("authfailure")),
    ("DOT", "550 5.7.1 looks like spam", _failed("spamdetected")),
    ("DOT", "554 rejected as spam", _failed("spamdetected")),
    ("DOT", "550 5.1.1 no such user", _dead("userunknown")),
    ("DOT", "550 no such user", _failed("rejected")),
    ("DOT", "552 5.3.4 message too big", Want("failed", "mesgtoobig", attempts=1, held="message-too-big")),
    ("MAIL", "552 5.3.4 message size exceeds", Want("failed", "mesgtoobig", attempts=1, held="message-too-big")),
    ("RCPT", "503 5.5.1 bad sequence", again("syntaxerror", "deferred")),
    ("DATA", "503 5.5.1 bad sequence", again("syntaxerror", "deferred")),
    ("RCPT", "452 4.5.3 too many recipients", Want("queued", "speeding", box=None)),
    ("MAIL", "550 5.4.5 daily sending quota exceeded", Want("queued", "exceedlimit", DAY, box="quota", rest=86400)),
    ("DOT", "550 5.4.5 daily sending quota exceeded", Want("deferred", "exceedlimit", DAY, box="quota", rest=86400)),
    ("MAIL", "432 4.3.2 concurrent connections", Want("queued", "speeding", LATER, box="throttled", rest=60)),
]
PROVIDERS: list[tuple[str, str, str, Want]] = [
    ("netease-163", "DOT", "451 MI:SFQ later", Want("deferred", "speeding", (15, 15), box="throttled", rest=900)),
    ("netease-163", "MAIL", "554 MI:STC too much today", Want("queued", "exceedlimit", DAY, box="quota", rest=86400)),
    ("netease-163", "MAIL", "451 MI:DMC too many here", Want("queued", "speeding")),
    ("netease-163", "DOT", "554 DT:SPM refused", _failed("spamdetected")),
    (
        "tencent-exmail",
        "MAIL",
        "550 Connection frequency limited",
        Want("queued", "speeding", (30, 30), box="throttled", rest=1800),
    ),
    (
        "microsoft-365",
        "MAIL",
        "432 4.3.2 STOREDRV; too many",
        Want("queued", "speeding", LATER, box="throttled", rest=60),
    ),
    (
        "aliyun",
        "DOT",
        "554 too frequently sending",
        Want("deferred", "speeding", (30, 30), box="throttled", rest=1800),
    ),
    (
        "amazon-ses",
        "DOT",
        "454 Throttling failure: Maximum sending rate exceeded",
        Want("deferred", "speeding", (5 / 60, 5 / 60), box="throttled", rest=5),
    ),
    (
        "google-workspace",
        "RCPT",
        "421 4.7.28 rate limited",
        Want("queued", "speeding", (15, 15), box="throttled", rest=900),
    ),
    (
        "zoho",
        "DOT",
        "550 5.4.6 Unusual sending activity",
        Want("deferred", "exceedlimit", DAY, box="quota", rest=86400),
    ),
]


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    made = await make_world(sqlite_url, [ANNA])
    yield made
    await made.db.close()


async def send(world: World, server: Server, clock: FakeClock, heard: Hooks | None = None, **setup: Any) -> RunResult:
    setup.setdefault("provider", None)
    box = MailboxSetup(world.mailbox_id, "sales", "sales@seller.example", **setup)
    run = MailboxRun(world.store, box, server, PlainComposer(), clock=clock, hooks=heard)
    return await run.run()


def timeouts_for(verb: str, name: str) -> Timeouts:
    """Short only where the server is silent or drips: a busy machine must not look like a slow server."""
    if name not in ("stall", "drip", "accepted-stall"):
        return PATIENT
    phase = verb.lower() if verb in ("MAIL", "RCPT", "DATA", "DOT", "QUIT") else "greeting"
    return replace(PATIENT, **{phase: 0.3})


def at(fake: ScriptedSMTP, timeouts: Timeouts = PATIENT, **more: Any) -> Server:
    trust = ssl.create_default_context(cafile=str(fake.ca_file)) if fake.ca_file else None
    more.setdefault("tls", "starttls" if fake.ca_file else "none")
    return Server("localhost" if trust else fake.host, fake.port, trust=trust, timeouts=timeouts, **more)


async def check(world: World, clock: FakeClock, heard: Heard, want: Want, before: datetime) -> None:
    row, box = await world.message(), await world.mailbox()
    assert (row.state, row.reason) == (want.state, want.reason)
    assert row.attempts == want.attempts
    if want.due is None:
        assert row.due_at <= clock() or row.state in ("failed", "in_doubt", "sent")
    else:
        assert want.due[0] <= (row.due_at - clock()).total_seconds() / 60 <= want.due[1]
    assert (box.state == "paused") == want.paused
    assert box.paused_reason == want.box
    assert ((box.paused_until - clock()).total_seconds() if box.paused_until else 0) == want.rest
    assert heard.dead == ([(ANNA, want.dead)] if want.dead else [])
    person = await world.one(select(contact).where(contact.c.id == row.contact_id))
    assert (person.left_at, person.paused_until, person.erased_at) == (None, None, None)
    tried = await world.attempts()
    assert [a.next_at for a in tried] == ([row.due_at] if want.due and tried else [None] * len(tried))
    assert heard.held == ([(world.campaign_id, want.held)] if want.held else [])
    assert [n.reason for n in heard.notices] == ([want.box] if want.paused else [])


@pytest.mark.parametrize(("verb", "name", "action", "want"), CASES, ids=[f"{v}-{n}" for v, n, _, _ in CASES])
async def test_every_verb_and_fault(
    world: World,
    scripted_smtp_factory: Callable[..., ScriptedSMTP],
    clock: FakeClock,
    verb: str,
    name: str,
    action: Action,
    want: Want,
) -> None:
    fake = scripted_smtp_factory(starttls=verb == "STARTTLS", users={"u": "p"} if verb == "AUTH" else {})
    fake.on(verb, action)
    heard = Heard()
    login = {"user": "u", "password": "p"} if verb == "AUTH" else {}
    await send(world, at(fake, timeouts_for(verb, name), **login), clock, heard)
    await check(world, clock, heard, want, clock())
    kept = verb == "QUIT" or action.accept
    assert len(fake.messages) == (1 if kept else 0)


@pytest.mark.parametrize(("verb", "words", "want"), TABLE, ids=[f"{v}-{w}" for v, w, _ in TABLE])
async def test_the_table(
    world: World, scripted_smtp: ScriptedSMTP, clock: FakeClock, verb: str, words: str, want: Want
) -> None:
    scripted_smtp.on(verb, reply(words), times=1)
    heard = Heard()
    await send(world, at(scripted_smtp), clock, heard)
    await check(world, clock, heard, want, clock())


@pytest.mark.parametrize(("provider", "verb", "words", "want"), PROVIDERS, ids=[f"{p}-{w}" for p, _, w, _ in PROVIDERS])
async def test_providers_throttle_words(
    world: World, scripted_smtp: ScriptedSMTP, clock: FakeClock, provider: str, verb: str, words: str, want: Want
) -> None:
    scripted_smtp.on(verb, reply(words), times=1)
    heard = Heard()
    await send(world, at(scripted_smtp), clock, heard, provider=provider, connections=4)
    await check(world, clock, heard, want, clock())
