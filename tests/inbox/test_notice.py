"""Notices in prose: is it one, whom does it name, where does the returned message begin."""

from __future__ import annotations

import pytest

from outreach.inbox import notice
from outreach.inbox.parse import Mail, parse
from outreach.inbox.returned import cut

DAEMON = "From: MAILER-DAEMON@mx.example\nTo: li.na@seller.example\nSubject: failure notice\n\n"


def mail(body: str, head: str = DAEMON) -> Mail:
    return parse((head + body).encode())


@pytest.mark.parametrize(
    "marker",
    [
        "--- Below this line is a copy of the message.",
        "------ This is a copy of the message, including all the headers. ------",
        "   ----- Original message follows -----",
        "-----Original Message-----",
        "Original message headers:",
        "|------------------------- Message text follows: ------------------------|",
        "The original message follows.",
        "Message headers follow.",
        "---- START OF RETURNED MESSAGE ----",
    ],
)
def test_the_returned_message_is_cut_off(marker: str):
    text = f"Your message could not be delivered to anna.\n\n{marker}\n\nSubject: secret\n"
    assert "secret" not in cut(text)
    assert "anna" in cut(text)


@pytest.mark.parametrize(
    ("body", "recipients"),
    [
        ("The following addresses failed:\n\n  a@b.example\n  c@d.example\n", ["a@b.example", "c@d.example"]),
        ("<a@b.example>: host mx said: 550 no\n", ["a@b.example"]),
        ("<x@final.example> (expanded from <a@b.example>): unknown\n", ["a@b.example"]),
        ("<x@final.example> (expanded from\n    <a@b.example>): unknown\n", ["a@b.example"]),
        ("an undisclosed address\n    (generated from a@b.example)\n", ["a@b.example"]),
        ("550 <a@b.example>... User unknown\n550 <c@d.example>... User unknown\n", ["a@b.example", "c@d.example"]),
        ("Your message to <a@b.example> was undeliverable.\n", ["a@b.example"]),
        ("Error: no such user\n\n  MAIL FROM: li.na@seller.example\n  RCPT TO: a@b.example\n", ["a@b.example"]),
        ("收件人：a@b.example\n退信原因：收件人不存在\n", ["a@b.example"]),
        ("Write to support@mx.example for help.\n", []),
    ],
)
def test_who_failed(body: str, recipients: list[str]):
    assert [entry.recipient for entry in notice.entries(mail("Delivery failed.\n\n" + body))] == recipients


def test_the_sender_of_the_mail_is_not_its_recipient():
    found = notice.entries(mail("<li.na@seller.example>\n<a@b.example>: 550 no\n"))
    assert [entry.recipient for entry in found] == ["a@b.example"]


@pytest.mark.parametrize(
    ("head", "failure"),
    [
        (DAEMON, True),
        ("From: Anna <anna@b.example>\nSubject: Re: failure notice\nIn-Reply-To: <1@x>\n\n", False),
        ("From: Anna <anna@b.example>\nSubject: Fwd: failure notice\n\n", False),
        ("From: Anna <anna@b.example>\nSubject: the parcel\n\n", False),
        ("From: Gate <gate@b.example>\nSubject: Undeliverable mail\n\n", True),
        (
            "Return-Path: <>\nFrom: Anna <anna@b.example>\nSubject: Out of office\nX-Auto-Response-Suppress: All\n\n",
            False,
        ),
    ],
)
def test_a_notice_needs_sender_or_subject_and_words(head: str, failure: bool):
    assert notice.is_failure(mail("Your message could not be delivered to a@b.example.\n", head)) is failure


def test_words_alone_make_no_notice():
    assert not notice.is_failure(mail("See you on Monday.\n", "From: postmaster@b.example\nSubject: lunch\n\n"))
