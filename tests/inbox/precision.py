"""docs/inbox.md, written from the detectors and from their score over the corpora (`make docs`)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib import import_module

from outreach.inbox.classify import DETECTORS, classify
from outreach.inbox.outcome import DEAD
from outreach.inbox.verdict import Kind
from tests.inbox.corpora import Case, own_cases, raw, scorer, shared_cases
from tests.inbox.generalise import bounces
from tests.inbox.generalise import table as generalised
from tests.inbox.human_sets import HEADERS, load, mail, mail_of_auto, mail_of_wish
from tests.inbox.replies import replies
from tests.inbox.test_notice_corpus import notices

HALVES = ("look", "test")
MEANING = {
    "userunknown": "there is no such mailbox, said at RCPT, by status X.1.X or by the system that looked",
    "hostunknown": "the domain does not exist",
    "hasmoved": "the mailbox moved away",
    "notaccept": "the host takes no mail at all (null MX); hard when said for good",
    "mailboxfull": "the mailbox is over its quota",
    "suspend": "the account is disabled, frozen or inactive",
    "filtered": 'a filter of the recipient refused, or "user unknown" was said after the address had been accepted',
    "rejected": "the sender is refused, or may not write to this group",
    "blocked": "our address on the internet is on a block list",
    "badreputation": "our domain or address has a bad name",
    "spamdetected": "the content looks like spam",
    "virusdetected": "a virus was found",
    "authfailure": "SPF, DKIM or DMARC failed",
    "requireptr": "our address lacks reverse DNS",
    "policyviolation": "a policy of the recipient's host",
    "securityerror": "authentication or another security rule",
    "norelaying": "the host does not relay for this domain",
    "speeding": "too many mails in a time",
    "toomanyconn": "too many connections or recipients at once",
    "mesgtoobig": "the mail is too large for the host",
    "exceedlimit": "the mail is too large for this mailbox",
    "contenterror": "the mail is malformed or of a kind that is not taken",
    "syntaxerror": "a command or address was not understood",
    "mailererror": "a program behind the mailbox failed",
    "systemerror": "the host had trouble of its own",
    "systemfull": "the host's disk is full",
    "networkerror": "no way to the host: DNS down, loop, connection lost",
    "failedstarttls": "no encrypted connection could be made",
    "expired": "given up after many attempts, or still trying",
}
INTRO = """\
# What comes back

`outreach inbox classify FILE…` needs no database and says of every mail: bounce, complaint, autoreply, unsubscribe, reply
or other; of a bounce also whom it is about (as originally mailed), the status, whether the address is dead (`hard`), and
why. The same code reads the mailboxes.

## How a bounce is read

1. The bytes are cut into parts within limits (25 MB, 500 parts, depth 30, 256 kB of headers), in a child process that may
   be killed. Charset claims are tried and never believed.
2. The detectors below are asked in their order; the first that knows the mail decides.
3. Each failed recipient is judged by the server's own words first (a provider's code, a known sentence, else whom a
   sentence is about and what it says of them), then by its status code, then by the prose around them. "User unknown" alone is not enough to call an address dead: many filters say it after DATA. A second sign is
   needed: refusal at RCPT, a status X.1.X, or the word of the system that looked the address up.
4. A delay is no failure: `hard` is false and the sending host still tries.
5. A report on several recipients is judged for each; `hard` of the whole is null where they differ.
6. Forged bounces change nothing: effects need our Message-ID or token, which is collected from every part.
"""


def page() -> str:
    return "\n".join([INTRO, *_detectors(), *_reasons(), *_scores(), *_sets(), *_limits()]) + "\n"


def _detectors() -> Iterator[str]:
    yield "## Detectors, in the order in which they are asked\n"
    yield "| detector | knows |\n| --- | --- |"
    for detect in DETECTORS:
        module = import_module(detect.__module__)
        first = " ".join((module.__doc__ or "").strip().split("\n\n")[0].split())
        yield f"| `{detect.__module__.rpartition('.')[2]}` | {first} |"
    yield "\nA new one: [adding-a-detector.md](adding-a-detector.md).\n"


def _reasons() -> Iterator[str]:
    yield "## Reasons\n\n| reason | means | address |\n| --- | --- | --- |"
    for reason, meaning in MEANING.items():
        fate = "dead" if reason in DEAD else "dead or alive" if reason == "notaccept" else "alive"
        yield f"| `{reason}` | {meaning} | {fate} |"
    yield ""


def _scores() -> Iterator[str]:
    cases = [case for case in [*shared_cases(), *own_cases()] if case["kind"] == "bounce" or case["must_not_be_bounce"]]
    answers = {case["id"]: classify(raw(case)).as_json(case["file"]) for case in cases}
    yield "## Measured\n"
    yield "Over the shared corpus (real mails, truth from the tests of the projects they come from) and our own samples (`own`,"
    yield "written from the documented shapes). Floors in tests/inbox/test_score.py may only rise.\n"
    yield from _table("source", cases, answers)
    yield from _table("mta", [case for case in cases if case["mta"] and case["source"] == "sisimai"], answers)
    yield "How much of this is knowledge and how much is familiarity with these very mails? `python -m tests.inbox.generalise`"
    yield "takes away first every detector made for one provider, then, for each mail, the sentences that decide for mails of"
    yield "its own group alone. The misses of the last line were read before the rules of November were made, so it flatters, too;"
    yield "what a set says at first sight, further below, does not.\n"
    yield from generalised(bounces())
    yield ""


def _sets() -> Iterator[str]:
    """Our own labelled sets: right of all, and what was taken for it by mistake."""
    yield "Over our own labelled sets (tests/corpus). At first sight, before any rule was made for them, the nine sets of replies"
    yield "had 75%, 48%, 80%, 70%, 69%, 87%, 80%, 80% (in freer words than those before; 77% with the rules as they stood before the seventh) and 94% (the commonest phrases; 91% with those rules) of their reasons right, four sets of wishes 71%, 84%, 82% and 90% found (the last with 1 of 29 other letters taken for a wish), a third set of automatic answers 91%, a third set of notices in prose 38% in every field (86% in the recipients), and the third set of intents 80% right (85% of those answered): expect such figures for wordings that"
    yield "nobody has seen.\n"
    yield "| set | right | mistaken for it |\n| --- | ---: | ---: |"
    for name in (
        "replies_providers",
        "replies_more",
        "replies_third",
        "replies_systems",
        "replies_fifth",
        "replies_sixth",
        "replies_seventh",
        "replies_eighth",
        "replies_ninth",
    ):
        right, _, total = replies(name)
        yield f"| reasons, {name} | {right}/{total} | – |"
    told = [(notice.kind == "bounce", classify(notice.raw).kind is Kind.BOUNCE) for notice in notices()]
    yield _row("notices in prose, 25 languages", told)
    automatic = [
        (case["type"] != "human" and case["type"] != "mdn", classify(mail_of_auto(case)).kind is Kind.AUTOREPLY)
        for half in (*HALVES, "third")
        for case in load(f"auto_reply_{half}")
    ]
    hard = [
        (case["kind"], classify(mail(case["body"], case["subject"], HEADERS[case["headers"]])).kind)
        for case in load("hard")
    ]
    yield _row("automatic answers", automatic + [(kind == "autoreply", got is Kind.AUTOREPLY) for kind, got in hard])
    wishes = [
        (case["unsubscribe"], classify(mail_of_wish(case)).kind is Kind.UNSUBSCRIBE)
        for half in HALVES
        for case in load(f"unsubscribe_{half}")
    ]
    second = [
        (case["unsubscribe"], classify(mail(case["body"], headers=HEADERS["R"])).kind is Kind.UNSUBSCRIBE)
        for name in ("second", "third")
        for case in load(f"unsubscribe_{name}")
    ]
    yield _row(
        "wishes to get no more mail",
        wishes + second + [(kind == "unsubscribe", got is Kind.UNSUBSCRIBE) for kind, got in hard],
    )
    intents = [
        (case["intent"], classify(mail(case["body"], headers=HEADERS["R"])).intent)
        for half in HALVES
        for case in load(f"intent_{half}")
    ]
    third = [
        (case["intent"], classify(mail(case["body"], headers=HEADERS["R"])).intent) for case in load("intent_third")
    ]
    intents += third
    answered = [(want, got) for want, got in intents if got]
    right = sum(want == (got and got.value) for want, got in intents)
    wrong = sum(want != got for want, got in answered)
    yield f"| intent (unsure included) | {right}/{len(intents)} | {wrong} |\n"


def _row(name: str, told: list[tuple[bool, bool]]) -> str:
    """A line for (is one, was called one)."""
    wanted = sum(want for want, _ in told)
    return f"| {name} | {sum(want and got for want, got in told)}/{wanted} | {sum(got and not want for want, got in told)} |"


def _table(by: str, cases: list[Case], answers: dict[str, dict[str, object]]) -> Iterator[str]:
    yield f"| {by} | mails | right recipient | hard or soft | reason | false bounces |\n| --- | ---: | ---: | ---: | ---: | ---: |"
    rows: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        rows[str(case[by])].append(case)
    for name, group in [*sorted(rows.items()), ("all", cases)]:
        counted: Counter[str] = scorer().score(group, answers)[0]
        shares = [
            _share(counted, right, total) for right, total in (("br_ok", "br_n"), ("h_ok", "h_n"), ("r_ok", "r_n"))
        ]
        yield f"| {name} | {len(group)} | {' | '.join(shares)} | {counted['nb_false']} |"
    yield ""


def _share(counted: Counter[str], right: str, total: str) -> str:
    return f"{counted[right]}/{counted[total]}" if counted[total] else "–"


def _limits() -> Iterator[str]:
    yield "## Known limits\n"
    yield "- A notice that names nobody and returns nothing is filed as a bounce without recipients: it changes nothing."
    yield "- A user name without a domain is completed from the notice or the returned message, else kept as it is."
    yield "- Where the same words mean different things at different hosts, the softer meaning is taken."
    yield "- DMARC failure reports (RFC 6591) count as complaints with the reason `auth-failure`; no person complained."
