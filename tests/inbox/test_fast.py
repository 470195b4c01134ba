"""The bytes path gives the slow path's answer or none."""

from __future__ import annotations

from random import Random

import pytest

from outreach.inbox.classify import classify_mail
from outreach.inbox.fast import READ, classify_fast, look
from outreach.inbox.mime import split_head
from outreach.inbox.parse import parse
from tests.inbox.corpora import by_id, own_cases, raw, shared_cases
from tests.inbox.mutate import mutate

STANDARD = b"""From: Mail Delivery System <MAILER-DAEMON@relay.seller.example>
To: li.na@seller.example
Subject: Undelivered Mail Returned to Sender
In-Reply-To: <first@seller.example>
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain

It could not be delivered.

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.seller.example

Final-Recipient: rfc822; anna@buyer.example
Original-Recipient: rfc822;sales@buyer.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <anna@buyer.example>: User unknown

--b1
Content-Type: text/rfc822-headers

Message-ID: <second@seller.example>
X-Outreach-Message: k3Jx-9

--b1--
"""


def test_both_paths_agree_on_every_message_there_is():
    taken = 0
    for case in [*shared_cases(), *own_cases()]:
        data = raw(case)
        fast = classify_fast(data)
        if fast is not None:
            taken += 1
            assert fast == classify_mail(parse(data)), case["id"]
    assert taken >= 95  # of the messages at hand; a floor, so that the fast path does not quietly die


def test_both_paths_agree_on_broken_reports():
    standard = [STANDARD, *(data for case in own_cases() if classify_fast(data := raw(case)))]
    taken = 0
    for seed in range(1_500):
        chance = Random(seed)
        data = mutate(chance.choice(standard), chance)
        fast = classify_fast(data)
        if fast is not None:
            taken += 1
            assert fast == classify_mail(parse(data)), seed
    assert taken >= 100


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_a_standard_report_is_read_whole(ending: bytes):
    verdict = classify_fast(STANDARD.replace(b"\n", ending))
    assert verdict is not None
    assert verdict == classify_mail(parse(STANDARD))
    assert verdict.recipients == ("sales@buyer.example",)
    assert (verdict.status, verdict.hard, verdict.reason) == ("5.1.1", True, "userunknown")
    assert verdict.original_ids == ("first@seller.example", "second@seller.example")
    assert verdict.own_uids == ("k3Jx-9",)


@pytest.mark.parametrize(
    ("change", "to"),
    [
        (b"multipart/report", b"multipart/mixed"),
        (b"report-type=delivery-status; ", b""),
        (b"Final-Recipient: rfc822; anna@buyer.example\nOriginal-Recipient: rfc822;sales@buyer.example", b"Final-Recipient: rfc822; anna"),
        (b"Content-Type: message/delivery-status\n", b"Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n"),
        (b"550 5.1.1 <anna@buyer.example>: User unknown", b"see above"),
        (b"\n--b1--", b"\n--b2--"),
        (b"\n--b1--\n", b"\n--b1--"),
        (b"\n--b1--\n", b"\n--b1--x\n\nA mail system's own word.\n\n--b1\nContent-Type: text/plain\n\nMailbox full\n--b1--\n"),
        (b"\n--b1--\n", b"\n--b1\nContent-Type: text/plain\n\nMailbox full\n--b1--\n"),
        (b"\n--b1--\n", b"\n--b1"),
        (b"It could not be delivered.\n", b"It could not be delivered.\n--b1x\n"),
        (b"\n--b1\nContent-Type: message", b"\n--b1\n--b1\nContent-Type: message"),
        (b"Status: 5.1.1", b"Status: 5.1.1\rX: y"),
        (b"Content-Type: message/delivery-status\n", b"X-Content-Type: message/delivery-status\n"),
        (b"Content-Type: message/delivery-status\n", b"Content-Type: message/delivery-status\n x\n"),
        (b"Content-Type: message/delivery-status\n", b"\nContent-Type: message/delivery-status\n"),
        (b"Content-Type: message/delivery-status\n", b"Content-Type: text/plain\nContent-Type: message/delivery-status\n"),
        (b'boundary="b1"', b'boundary="=?utf-8?q?b1?="'),
        (b"report-type=delivery-status; boundary=\"b1\"", b"boundary=\"b1\"; report-type=\"Delivery-Status\""),
        (b"Content-Type: multipart/report", b"Content-Type-X: text/plain\nContent-Type : multipart/report"),
        (b"In-Reply-To: <first@seller.example>", b"In-Reply-To:\n <first@seller.example>\nReferences: <a@b.example>"),
        (b"MAILER-DAEMON@relay.seller.example", b"=?utf-8?q?MAILER-DAEMON=40aol=2Ecom?="),
    ],
)  # fmt: skip
def test_what_is_not_standard_is_left_to_the_slow_path(change: bytes, to: bytes):
    assert change in STANDARD
    changed = STANDARD.replace(change, to)
    found = classify_fast(changed)
    assert found is None or found == classify_mail(parse(changed))


def test_a_report_that_needs_its_prose_is_declined():
    assert (
        classify_fast(
            STANDARD.replace(b"550 5.1.1 <anna@buyer.example>: User unknown", b"failed").replace(b"5.1.1", b"5.0.0")
        )
        is None
    )


def test_a_notice_is_no_report():
    assert classify_fast(raw(by_id("own:qmail"))) is None


@pytest.mark.parametrize(
    "head",
    [
        b"From nobody Tue Nov  3\nTo: first@b.example\nTO : second@b.example\nto:\n third@b.example",
        b"Date: a\nSubject\n : x\nSubject: y\n\tz\n\n",
        b"To\t:x\nno header: to: y\n To: z\nFrom\x0b: q\nCc:",
        b"Date: a\n \nReferences: <a@b>\n <c@d>\n\t<e@f>\n",
    ],
)
def test_the_headers_are_those_that_the_parser_reads(head: bytes):
    raw = head.rstrip(b"\n") + b"\n" + STANDARD.replace(b"In-Reply-To: ", b"in-REPLY-to :\n ")
    found = look(raw)
    assert found is not None
    expected: dict[bytes, list[bytes]] = {}
    for name, value in split_head(raw, 0, len(raw), len(raw))[0]:
        if name.lower() in READ:
            expected.setdefault(name.lower(), []).append(value)
    assert found.headers == expected
