from __future__ import annotations

from datetime import date

import pytest

from outreach.inbox.auto_words import is_acknowledgement, is_note, subject_says, successor
from outreach.inbox.classify import classify
from outreach.inbox.verdict import Kind
from tests.inbox.human_sets import HEADERS, mail


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "X-Autoreply: yes",
        "X-Autorespond: x",
        "Precedence: auto_reply",
        "X-Vacation: yes",
    ],
)
def test_a_header_is_proof(header: str) -> None:
    assert classify(mail("We will see.", headers=header + "\n")).kind is Kind.AUTOREPLY


def test_wishing_no_automatic_answer_is_no_proof() -> None:
    """Every Exchange server adds X-Auto-Response-Suppress to letters of people."""
    raw = mail("Please quote 200 pcs.", headers="X-Auto-Response-Suppress: OOF, AutoReply\n" + HEADERS["R"])
    assert classify(raw).kind is Kind.REPLY


def test_notifications_and_newsletters_are_no_answers() -> None:
    report = mail("Your weekly report is ready.", "Weekly report", "Auto-Submitted: auto-generated\n")
    letter = mail(
        "This is an automated message. Our office is closed.", "News", "List-Unsubscribe: <https://x.example>\n"
    )
    assert classify(report).kind is Kind.OTHER
    assert classify(letter).kind is Kind.OTHER


def test_a_quoted_note_does_not_make_an_answer_automatic() -> None:
    quoted = "\n\nOn 19 Nov 2026 at 10:02, Ann wrote:\n> This is an automatic reply. I am out of the office until 5 December."
    assert classify(mail("Fine, I will wait." + quoted, headers=HEADERS["R"])).kind is Kind.REPLY


@pytest.mark.parametrize("subject", ["Automatic reply: x", "自动回复: x", "Abwesenheitsnotiz", "Re: Automatic reply"])
def test_subjects(subject: str) -> None:
    assert subject_says(subject)


@pytest.mark.parametrize("subject", ["Re: automation", "Office lamps", "Question about automatic doors", ""])
def test_subjects_of_people(subject: str) -> None:
    assert not subject_says(subject)


def test_words() -> None:
    assert is_note("I am out of the office until 5 December. For urgent matters call Bob.", date(2026, 11, 20))
    assert not is_note("I am out of the office today, can we talk tomorrow?", date(2026, 11, 20))
    assert is_acknowledgement("This is an automated response. We have received your request.")
    assert not is_acknowledgement("We have received your samples, thank you.")


def test_the_successor_is_never_the_sender() -> None:
    assert successor("Not ann@buyer.example but bob@buyer.example", "Ann@buyer.example") == "bob@buyer.example"
    assert successor("I left.", "ann@buyer.example") is None


def test_read_receipts_are_other() -> None:
    raw = mail("x", "Read: Offer").replace(
        b"text/plain; charset=utf-8", b'multipart/report; report-type=disposition-notification; boundary="b"'
    )
    assert classify(raw).kind is Kind.OTHER
    assert classify(mail("Your message\n To: A\n was read on Friday.", "Read: Offer")).kind is Kind.OTHER
    assert classify(mail("I read it. What does it cost?", "Read: Offer", HEADERS["R"])).kind is Kind.REPLY


def test_challenges_are_automatic() -> None:
    verdict = classify(mail("Please verify that you are a real person: https://x.example", "Confirm"))
    assert (verdict.kind, verdict.reason) == (Kind.AUTOREPLY, "challenge")
