"""The link, byte by byte, without a network."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from outreach.sending.link import HOLD_DOT_ABOVE, Envelope, Link, Stage
from outreach.sending.phase import Broken, Fault, Phase, Timeouts
from outreach.sending.reply_code import Reply

PIPELINING = frozenset({"pipelining"})


@dataclass
class Wire:
    """Remembers what was written. full: the kernel takes nothing more for now."""

    written: bytes = b""
    ended: str = ""
    full: bool = False
    link: Link | None = None

    def write(self, data: bytes) -> None:
        self.written += data
        if self.full and self.link:
            self.link.pause_writing()

    def abort(self) -> None:
        self.ended = "abort"

    def close(self) -> None:
        self.ended = "close"

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def taken(self) -> bytes:
        data, self.written = self.written, b""
        return data


@dataclass
class Owner:
    """Hands over at once, with the next envelope if there is one."""

    following: list[Envelope] = field(default_factory=list)
    happened: list[tuple[str, object, object]] = field(default_factory=list)
    unfinished: list[tuple[str, Stage]] = field(default_factory=list)
    broken: Broken | None = None
    wait: bool = False

    def ready(self, link: Link, envelope: Envelope) -> None:
        self.happened.append(("ready", envelope.recipient, None))
        if not self.wait:
            follows = self.following.pop(0) if self.following and link.can_follow(envelope) else None
            link.hand_over(envelope, follows)

    def answered(self, link: Link, envelope: Envelope, phase: Phase, reply: Reply) -> None:
        self.happened.append((phase.value, envelope.recipient, reply.code))

    def free(self, link: Link) -> None:
        self.happened.append(("free", None, None))

    def lost(self, link: Link, broken: Broken, unfinished: list[Envelope]) -> None:
        self.broken = broken
        self.unfinished = [(e.recipient, e.stage) for e in unfinished]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def letter(recipient: str, size: int = 10) -> Envelope:
    return Envelope("me@a.example", recipient, b"x" * size + b"\r\n")


def start(features: frozenset[str] = PIPELINING, *following: Envelope) -> tuple[Link, Owner, Wire, Clock]:
    owner, wire, clock = Owner(list(following)), Wire(), Clock()
    link = Link(owner, wire, clock, features=features, timeouts=Timeouts(dot=600, block=180, mail=300))
    wire.link = link
    return link, owner, wire, clock


ENVELOPE = b"MAIL FROM:<me@a.example>\r\nRCPT TO:<%b>\r\nDATA\r\n"


def test_the_envelope_leaves_in_one_write_and_the_next_with_the_body() -> None:
    link, owner, wire, _ = start(PIPELINING, letter("b"))
    link.offer(letter("a"))
    assert wire.taken() == ENVELOPE % b"a"
    link.data_received(b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert wire.taken() == b"xxxxxxxxxx\r\n.\r\n" + ENVELOPE % b"b"
    link.data_received(b"250 taken\r\n250 ok\r\n250 ok\r\n354 go\r\n")
    assert owner.happened == [("ready", "a", None), ("dot", "a", 250), ("ready", "b", None)]
    link.data_received(b"250 taken\r\n")
    assert owner.happened[-2:] == [("dot", "b", 250), ("free", None, None)]
    assert link.idle


def test_a_body_is_let_go_when_its_fate_is_known() -> None:
    """A sender's memory stays flat: owners and envelopes point at each other, and bodies are the most of it."""
    first, second = letter("a"), letter("b")
    link, owner, _, _ = start(PIPELINING, second)
    link.offer(first)
    link.data_received(b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert first.data
    link.data_received(b"250 taken\r\n")
    assert (first.data, second.data) == (b"", b"xxxxxxxxxx\r\n")
    link.connection_lost(None)
    assert owner.unfinished == [("b", Stage.OFFERED)]
    assert second.data == b""


def test_without_pipelining_each_command_waits() -> None:
    link, owner, wire, _ = start(frozenset())
    link.offer(letter("a"))
    assert wire.taken() == b"MAIL FROM:<me@a.example>\r\n"
    link.data_received(b"250 ok\r\n")
    assert wire.taken() == b"RCPT TO:<a>\r\n"
    link.data_received(b"250 ok\r\n")
    assert wire.taken() == b"DATA\r\n"
    link.data_received(b"354 go\r\n")
    assert wire.taken() == b"xxxxxxxxxx\r\n.\r\n"
    link.data_received(b"250 ok\r\n")
    assert owner.happened[-1][0] == "free"
    link.offer(letter("b"))
    wire.taken()
    link.data_received(b"250 ok\r\n")
    wire.taken()
    link.data_received(b"550 no\r\n")
    assert owner.happened[-2:] == [("rcpt", "b", 550), ("free", None, None)]
    link.offer(letter("c"))
    assert wire.taken() == b"RSET\r\nMAIL FROM:<me@a.example>\r\n"


@pytest.mark.parametrize("answer", [b"554 no valid recipients\r\n", b"250 fine, nobody got it\r\n"])
def test_354_after_a_refused_recipient_is_answered_with_a_lone_dot(answer: bytes) -> None:
    link, owner, wire, _ = start()
    link.offer(letter("a"))
    wire.taken()
    link.data_received(b"250 ok\r\n550 5.1.1 unknown\r\n354 go on\r\n")
    assert wire.taken() == b".\r\n"
    assert owner.happened == []
    link.data_received(answer)
    assert owner.happened == [("rcpt", "a", 550), ("free", None, None)]
    link.offer(letter("b"))
    assert wire.taken() == ENVELOPE % b"b"


def test_a_refused_recipient_is_followed_by_rset() -> None:
    link, owner, wire, _ = start()
    link.offer(letter("a"))
    wire.taken()
    link.data_received(b"250 ok\r\n550 5.1.1 unknown\r\n503 no recipients\r\n")
    assert owner.happened == [("rcpt", "a", 550), ("free", None, None)]
    link.offer(letter("b"))
    assert wire.taken() == b"RSET\r\n" + ENVELOPE % b"b"
    link.data_received(b"250 reset\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n")
    assert ("dot", "b", 250) in owner.happened


def test_a_refused_sender_needs_no_rset() -> None:
    link, owner, wire, _ = start()
    link.offer(letter("a"))
    wire.taken()
    link.data_received(b"550 no\r\n503 no sender\r\n503 no sender\r\n")
    assert owner.happened == [("mail", "a", 550), ("free", None, None)]
    link.offer(letter("b"))
    assert wire.taken() == ENVELOPE % b"b"


def test_a_long_body_keeps_its_dot_until_the_rest_has_left() -> None:
    link, _, wire, _ = start()
    long = letter("a", HOLD_DOT_ABOVE)
    assert not link.can_follow(long)
    link.offer(long)
    wire.taken()
    wire.full = True
    link.data_received(b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert not wire.taken().endswith(b".\r\n")
    assert (long.stage, link.phase) == (Stage.BODY, Phase.BODY)
    assert link.deadline == 180
    wire.full = False
    link.resume_writing()
    assert wire.taken() == b".\r\n"
    assert (long.stage, link.phase, link.deadline) == (Stage.DOT_GONE, Phase.DOT, 600)


def test_a_drop_in_mid_body_is_before_the_dot() -> None:
    link, owner, wire, _ = start()
    link.offer(letter("a", HOLD_DOT_ABOVE))
    wire.full = True
    link.data_received(b"250 ok\r\n250 ok\r\n354 go\r\n")
    link.connection_lost(None)
    assert owner.unfinished == [("a", Stage.BODY)]
    assert owner.broken is not None
    assert (owner.broken.phase, owner.broken.fault) == (Phase.BODY, Fault.DROP)


def test_a_refusal_in_mid_body_is_definite() -> None:
    link, owner, wire, _ = start()
    link.offer(letter("a", HOLD_DOT_ABOVE))
    wire.full = True
    link.data_received(b"250 ok\r\n250 ok\r\n354 go\r\n452 4.3.1 disk full\r\n")
    assert ("body", "a", 452) in owner.happened
    assert (owner.unfinished, wire.ended) == ([], "abort")


def test_a_drop_after_the_dot_tells_what_was_ahead_and_what_was_not() -> None:
    link, owner, _, _ = start(PIPELINING, letter("b"))
    link.offer(letter("a"))
    link.data_received(b"250 ok\r\n250 ok\r\n354 go\r\n")
    link.connection_lost(ConnectionResetError("gone"))
    assert owner.unfinished == [("a", Stage.DOT_GONE), ("b", Stage.OFFERED)]
    assert owner.broken == Broken(Phase.DOT, Fault.DROP, "gone")


def test_421_ends_the_link() -> None:
    link, owner, wire, _ = start(PIPELINING, letter("b"))
    link.offer(letter("a"))
    link.data_received(b"250 ok\r\n250 ok\r\n354 go\r\n421 closing\r\n")
    assert ("dot", "a", 421) in owner.happened
    assert (owner.unfinished, wire.ended) == ([("b", Stage.OFFERED)], "abort")


@pytest.mark.parametrize("words", [b"421 idle for too long\r\n", b"250 what?\r\n"])
def test_an_unasked_reply_ends_the_link(words: bytes) -> None:
    link, owner, wire, _ = start()
    link.data_received(words)
    assert wire.ended == "abort"
    assert owner.broken is not None
    assert owner.broken.phase is Phase.IDLE


def test_an_unasked_reply_while_the_mark_is_made_is_before_the_body() -> None:
    link, owner, _, _ = start()
    owner.wait = True
    link.offer(letter("a"))
    link.data_received(b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert link.deadline is None
    link.data_received(b"421 too slow\r\n")
    assert owner.unfinished == [("a", Stage.READY)]


def test_each_reply_has_its_own_deadline_and_drips_do_not_prolong_it() -> None:
    link, owner, _, clock = start()
    link.offer(letter("a"))
    assert link.deadline == 300
    clock.now = 100
    link.data_received(b"250 ok\r\n")
    assert link.deadline == 400
    clock.now = 399
    link.data_received(b"25")
    link.check(399)
    assert link.open
    link.check(400)
    assert owner.broken == Broken(Phase.RCPT, Fault.TIMEOUT, "no answer to rcpt in time")


def test_the_dot_of_a_short_body_has_ten_minutes() -> None:
    link, _, _, _ = start()
    link.offer(letter("a"))
    link.data_received(b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert (link.phase, link.deadline) == (Phase.DOT, 600)


def test_quit_closes_with_the_answer() -> None:
    link, owner, wire, _ = start()
    link.quit()
    assert wire.taken() == b"QUIT\r\n"
    link.data_received(b"221 bye\r\n")
    assert (wire.ended, owner.unfinished) == ("close", [])
