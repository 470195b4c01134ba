"""All failure policy of sending, by scope: session, mailbox, message, recipient (reliability.md, "SMTP faults").

Pure: what happened goes in, what follows comes out. Unknown failures are temporary; attempts are bounded by retry.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from outreach.sending.link import Stage
from outreach.sending.phase import Broken, Fault, Phase
from outreach.sending.reply_code import Reply
from outreach.sending.slower import Ask, Rule, match


class Step(StrEnum):
    """What the mailbox does after a failure."""

    GO_ON = "go_on"
    REST = "rest"
    SLOW = "slow"
    QUOTA = "quota"
    FEWER = "fewer"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True)
class MailboxStep:
    """`seconds`: how long it rests (None: by the count of failures). `reason`: a code of texts.toml."""

    step: Step = Step.GO_ON
    reason: str = ""
    seconds: float | None = None


GO_ON = MailboxStep()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows for one message.

    action: an action of outbox/state.py (accept, defer, fail, doubt, release). counts: an attempt of the message, so
    that it is bounded. wait: seconds to wait at least; None: retry.py alone decides. suppress: the address is dead.
    policy: counts towards the mailbox's breaker. close: this session is of no more use. hold: why the campaign is held.
    """

    action: str
    reason: str | None = None
    counts: bool = True
    wait: float | None = None
    suppress: bool = False
    policy: bool = False
    close: bool = False
    hold: str | None = None
    mailbox: MailboxStep = GO_ON


ACCEPTED = Verdict("accept")

#: Enhanced codes of an address that does not exist: RFC 3463 3.2; RFC 7505 (null MX: 5.1.10, 5.7.27 is the sender's).
DEAD = {(5, 1, 1): "userunknown", (5, 1, 2): "hostunknown", (5, 1, 6): "hasmoved", (5, 1, 10): "hostunknown"}
SOFT = {(5, 2, 2): "mailboxfull", (5, 2, 1): "suspend", (5, 1, 3): "syntaxerror", (5, 6, 7): "contenterror"}
TOO_BIG = {(5, 3, 4), (5, 2, 3)}

NOBODY = re.compile(
    r"(user|recipient|address|mailbox|account)[^.]{0,40}(unknown|not found|not exist|doesn't exist|invalid)"
    r"|(unknown|no such|invalid|non-?existent) (user|recipient|address|mailbox|account|local)"
    r"|no mailbox here|user not (known|local)|null mx",
    re.IGNORECASE,
)
POLICY = re.compile(
    r"spam|polic(y|ies)|block(ed|list)|black ?list|reputation|dmarc|\bspf\b|dkim|unauthenticated|denied"
    r"|unsolicited|bulk|abuse|virus|relay|content rejected|rate|limit|too many|try again|temporar",
    re.IGNORECASE,
)
SPAM = re.compile(r"spam|unsolicited|bulk|junk", re.IGNORECASE)
AUTHENTICATION = re.compile(r"\bspf\b|dkim|dmarc|unauthenticated", re.IGNORECASE)
RELAY = re.compile(r"relay", re.IGNORECASE)


# -- session ----------------------------------------------------------------------------------------------------------


def judge_session(broken: Broken, reply: Reply | None, rules: Sequence[Rule]) -> MailboxStep:
    """Return what the mailbox does when no session came about; the messages stay queued, no attempt is counted."""
    if reply is not None:
        rule = match(reply, rules)
        if rule is not None and rule.ask is not Ask.POLICY:
            return _asked(rule)
        return _session_refused(broken.phase, reply)
    if broken.fault is Fault.TLS or (broken.phase is Phase.STARTTLS and broken.fault is Fault.UNSUPPORTED):
        return MailboxStep(Step.PAUSE, "tls-failed")
    if broken.fault is Fault.UNSUPPORTED:
        return MailboxStep(Step.PAUSE, "auth-unsupported")
    if broken.phase is Phase.AUTH and broken.fault is Fault.REFUSED:
        return MailboxStep(Step.PAUSE, "token-failed")
    return MailboxStep(Step.REST, "connect-failed")


def _session_refused(phase: Phase, reply: Reply) -> MailboxStep:
    if reply.code == 421:
        return MailboxStep(Step.REST, "connect-failed")
    if phase is Phase.STARTTLS:
        return MailboxStep(Step.PAUSE, "tls-failed")
    if reply.code < 500 and reply.code != 334:
        return MailboxStep(Step.REST, "auth-deferred" if phase is Phase.AUTH else "connect-failed")
    if phase is Phase.AUTH:
        return MailboxStep(Step.PAUSE, "auth-failed")
    return MailboxStep(Step.PAUSE, "greeting-refused")


#: Working sessions break one after the other: the server has a problem, or the path to it.
SESSIONS_BREAK = MailboxStep(Step.REST, "link-lost")


# -- message: the link broke ------------------------------------------------------------------------------------------


def judge_broken(stage: Stage, broken: Broken, *, head: bool) -> Verdict:
    """Return what follows for an envelope that was unfinished when the link broke.

    head: the server was answering this one. The next envelope, sent ahead, bears no blame: no attempt is counted.
    """
    if stage is Stage.DOT_GONE:
        return Verdict("doubt", f"{broken.fault.value} after the final dot", close=True)
    if not head:
        return Verdict("release", counts=False, wait=0, close=True)
    reason = f"{broken.fault.value} at {broken.phase.value}"
    if broken.fault is Fault.GARBAGE:
        return Verdict("defer", reason, close=True)
    return Verdict("release", reason, close=True)


# -- message: the server answered -------------------------------------------------------------------------------------


def judge_reply(phase: Phase, reply: Reply, rules: Sequence[Rule] = ()) -> Verdict:
    """Return what follows from the reply that ended an envelope, in `phase` MAIL, RCPT, DATA, BODY or DOT."""
    if reply.code < 300:
        return ACCEPTED
    rule = match(reply, rules)
    if rule is not None:
        return _throttled(phase, rule)
    if reply.code == 421:
        return _closing(phase)
    if reply.code in (530, 534, 535):
        return Verdict("release", "authfailure", counts=False, close=True, mailbox=_pause("auth-failed"))
    if _too_big(reply):
        return Verdict("fail", "mesgtoobig", hold="message-too-big")
    if phase is Phase.MAIL:
        return _sender_refused(reply)
    return _deferred(phase, reply) if reply.code < 500 else _failed(phase, reply)


def _asked(rule: Rule) -> MailboxStep:
    steps = {Ask.SLOW: Step.SLOW, Ask.QUOTA: Step.QUOTA, Ask.CONNECTION: Step.FEWER, Ask.POLICY: Step.GO_ON}
    reasons = {Ask.SLOW: "throttled", Ask.QUOTA: "quota", Ask.CONNECTION: "throttled", Ask.POLICY: ""}
    return MailboxStep(steps[rule.ask], reasons[rule.ask], rule.pause_seconds)


def _throttled(phase: Phase, rule: Rule) -> Verdict:
    if rule.ask is Ask.POLICY:
        return Verdict("fail", "spamdetected", policy=True)
    # the contact is untouched: the message waits with the mailbox, and it was no attempt of its own
    action = "defer" if phase in (Phase.DOT, Phase.BODY) else "release"
    reason = "exceedlimit" if rule.ask is Ask.QUOTA else "speeding"
    return Verdict(action, reason, counts=False, wait=rule.pause_seconds, close=True, mailbox=_asked(rule))


def _closing(phase: Phase) -> Verdict:
    slow = MailboxStep(Step.SLOW, "throttled", 60)
    if phase in (Phase.DOT, Phase.BODY):
        return Verdict("defer", "systemerror", close=True, mailbox=slow)
    return Verdict("release", "systemerror", counts=False, wait=60, close=True, mailbox=slow)


def _too_big(reply: Reply) -> bool:
    return reply.code == 552 and reply.enhanced not in ((5, 2, 2), (5, 7, 0)) and not _full(reply.text)


def _full(text: str) -> bool:
    return re.search(r"mailbox (is )?full|over ?quota|quota exceeded", text, re.IGNORECASE) is not None


def _sender_refused(reply: Reply) -> Verdict:
    if reply.code < 500:
        return Verdict("defer", "rejected", counts=False, mailbox=MailboxStep(Step.SLOW, "sender-deferred", 60))
    return Verdict("release", "rejected", counts=False, close=True, mailbox=_pause("sender-refused"))


def _pause(reason: str) -> MailboxStep:
    return MailboxStep(Step.PAUSE, reason)


def _deferred(phase: Phase, reply: Reply) -> Verdict:
    if reply.enhanced == (4, 5, 3) or (reply.code == 452 and "too many recipients" in reply.text.lower()):
        return Verdict("release", "toomanyconn", counts=False, wait=0, close=True)
    if reply.enhanced == (4, 2, 2) or _full(reply.text):
        return Verdict("defer", "mailboxfull")
    if phase is Phase.RCPT and reply.code in (450, 451):
        grey = reply.enhanced == (4, 7, 1) or "grey" in reply.text.lower() or "gray" in reply.text.lower()
        return Verdict("defer", "greylisted" if grey else "rejected", wait=300)
    return Verdict("defer", "systemerror")


def _failed(phase: Phase, reply: Reply) -> Verdict:
    code, text = reply.enhanced, reply.text
    if reply.code in (500, 502, 503, 504) and not (code and code[1] == 7):
        # our dialogue went wrong, which says nothing about the person
        return Verdict("defer", "syntaxerror", close=True)
    if code is not None and code[0] == 5:
        return _failed_by_code(phase, reply, code)
    if _agrees(reply) and phase is Phase.RCPT and code is None:
        return Verdict("fail", "userunknown", suppress=True)
    return _failed_by_text(text)


def _failed_by_code(phase: Phase, reply: Reply, code: tuple[int, int, int]) -> Verdict:
    if code in DEAD:
        agreed = POLICY.search(reply.text) is None or NOBODY.search(reply.text) is not None
        verdict = Verdict("fail", DEAD[code], suppress=agreed)
        return verdict if agreed else replace(verdict, reason="rejected")
    if code in TOO_BIG:
        return Verdict("fail", "mesgtoobig", hold="message-too-big")
    if code[1] == 7:
        return _failed_by_policy(reply.text)
    if code in SOFT:
        return Verdict("fail", SOFT[code])
    return _failed_by_text(reply.text)


def _failed_by_text(text: str) -> Verdict:
    if _full(text):
        return Verdict("fail", "mailboxfull")
    if POLICY.search(text):
        return _failed_by_policy(text)
    return Verdict("fail", "rejected")


def _failed_by_policy(text: str) -> Verdict:
    for pattern, reason in ((AUTHENTICATION, "authfailure"), (SPAM, "spamdetected"), (RELAY, "norelaying")):
        if pattern.search(text):
            return Verdict("fail", reason, policy=True)
    return Verdict("fail", "policyviolation", policy=True)


def _agrees(reply: Reply) -> bool:
    return (
        reply.code in (550, 551, 553, 556) and NOBODY.search(reply.text) is not None and not POLICY.search(reply.text)
    )


# -- before connecting ------------------------------------------------------------------------------------------------


def judge_size(octets: int, limit: int) -> Verdict | None:
    """Return the verdict on a message that the server's SIZE (0: none named) forbids, None if it fits."""
    if limit and octets > limit:
        return Verdict("fail", "mesgtoobig", counts=False, hold="message-too-big")
    return None
