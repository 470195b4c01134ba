"""Reading bounces against the library's parser, in the same run (docs/performance.md).

    .venv/bin/python -m benchmarks.inbox_parse [ROUNDS] [--json]

The baseline only parses (`email.policy.default`); ours parses, finds the recipients, judges them and collects the ids.
Standard reports go the fast way; the slow way is shown beside it on the same mails. Rounds alternate A B A B; the
figure is the median of the rounds' ratios. What the judgement remembers of sentences is forgotten before each round.
Cost at 1×, 4× and 16× the returned message shows that it grows linearly.
"""

from __future__ import annotations

import email
import email.policy
import json
import statistics
import sys
from collections.abc import Callable
from time import process_time
from typing import Any

from outreach.inbox import outcome, reasons
from outreach.inbox.classify import classify_mail
from outreach.inbox.fast import classify_fast
from outreach.inbox.parse import parse

GOAL = 15
REPLIES = (
    ("5.1.1", "550 5.1.1 <{who}>: Recipient address rejected: User unknown in virtual mailbox table"),
    ("5.2.2", "552 5.2.2 <{who}>: mailbox full"),
    ("5.7.1", "554 5.7.1 Service unavailable; Client host [192.0.2.10] blocked using zen.spamhaus.org"),
    ("5.1.2", "550 5.1.2 <{who}>... Host unknown (Name server: {host}: host not found)"),
    ("5.7.26", "550-5.7.26 This mail has been blocked because the sender is unauthenticated. DMARC policy of {host}"),
)
REPORT = """\
Return-Path: <>
Received: by relay.seller.example (Postfix) id F{n:08}; Tue, 3 Nov 2026 09:13:02 +0800 (CST)
Date: Tue, 3 Nov 2026 09:13:02 +0800 (CST)
From: MAILER-DAEMON@relay.seller.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: li.na@seller.example
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="B{n:08}.1793668382/relay.seller.example"
Message-Id: <20261103011302.F{n:08}@relay.seller.example>

This is a MIME-encapsulated message.

--B{n:08}.1793668382/relay.seller.example
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host relay.seller.example.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

<{who}>: host mx.{host}[192.0.2.44] said: {said} (in reply to RCPT TO command)

--B{n:08}.1793668382/relay.seller.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.seller.example
X-Postfix-Queue-ID: F{n:08}
X-Postfix-Sender: rfc822; li.na@seller.example
Arrival-Date: Tue, 3 Nov 2026 09:12:44 +0800 (CST)

Final-Recipient: rfc822; {who}
Original-Recipient: rfc822;{who}
Action: failed
Status: {status}
Remote-MTA: dns; mx.{host}
Diagnostic-Code: smtp; {said}

--B{n:08}.1793668382/relay.seller.example
Content-Description: Undelivered Message
Content-Type: message/rfc822

Received: from app.seller.example (app.seller.example [192.0.2.9])
\tby relay.seller.example (Postfix) with ESMTP id F{n:08}; Tue, 3 Nov 2026 09:12:44 +0800 (CST)
Message-ID: <20261103.{n:08}@seller.example>
X-Outreach-Message: m{n:08}
From: Li Na <li.na@seller.example>
To: {who}
Subject: LED panels for 2027
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8

{body}

--B{n:08}.1793668382/relay.seller.example--
"""


def report(number: int, factor: int) -> bytes:
    """A Postfix report; the returned message is 4 kB times `factor`."""
    host = f"buyer{number % 400}.example"
    who = f"anna{number}@{host}"
    status, said = REPLIES[number % len(REPLIES)]
    body = "<p>A line of the letter that came back, as long as such lines are.</p>\n" * (58 * factor)
    return REPORT.format(
        n=number, who=who, host=host, status=status, said=said.format(who=who, host=host), body=body
    ).encode()


def seconds(work: Callable[[bytes], object], mails: list[bytes]) -> float:
    """For one mail, over all."""
    for memory in (reasons._explain, outcome._by_words, outcome._names_looker):
        memory.cache_clear()
    start = process_time()
    for mail in mails:
        work(mail)
    return (process_time() - start) / len(mails)


def library(raw: bytes) -> object:
    return email.message_from_bytes(raw, policy=email.policy.default)


def slow(raw: bytes) -> object:
    return classify_mail(parse(raw))


def compare(factor: int, rounds: int) -> dict[str, float]:
    """Median costs and the median of the rounds' ratios."""
    mails = [report(number, factor) for number in range(1000)]
    for mail in mails[:20]:
        assert classify_fast(mail) == slow(mail)
    fast_costs, slow_costs, library_costs = [], [], []
    for _ in range(rounds):
        fast_costs.append(seconds(classify_fast, mails))
        slow_costs.append(seconds(slow, mails[:300]))
        library_costs.append(seconds(library, mails[:60]))
    ratios = [theirs / ours for theirs, ours in zip(library_costs, fast_costs, strict=True)]
    return {
        "bytes": len(mails[0]),
        "microseconds": round(statistics.median(fast_costs) * 1e6, 1),
        "slow_microseconds": round(statistics.median(slow_costs) * 1e6, 1),
        "baseline_microseconds": round(statistics.median(library_costs) * 1e6, 1),
        "ratio": round(statistics.median(ratios), 1),
        "ratio_least": round(min(ratios), 1),
    }


def run(rounds: int = 7) -> dict[str, Any]:
    """All figures; `ok` says whether the goal is met."""
    sizes = {f"{factor}x": compare(factor, rounds if factor == 1 else 3) for factor in (1, 4, 16)}
    ratio = sizes["1x"]["ratio"]
    return {"name": "inbox_parse", "goal": GOAL, "ratio": ratio, "ok": ratio >= GOAL, "sizes": sizes}


def main() -> None:
    """Print a table, or JSON."""
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    result = run(*numbers[:1])
    if "--json" in sys.argv:
        print(json.dumps(result))
        return
    for name, row in result["sizes"].items():
        print(
            f"{name:>4}  {row['bytes']:>8} B  fast {row['microseconds']:>7} µs  slow {row['slow_microseconds']:>7} µs  "
            f"policy.default {row['baseline_microseconds']:>8} µs  {row['ratio']}× (least {row['ratio_least']}×)"
        )
    met = "met" if result["ok"] else "MISSED"
    print(f"reading bounces: {result['ratio']}× policy.default (parse alone), goal {GOAL}×: {met}")


if __name__ == "__main__":
    main()
