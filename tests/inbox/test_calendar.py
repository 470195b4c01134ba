"""Answers to a meeting request: a click is no letter, words and another proposed time are."""

from __future__ import annotations

import pytest

from outreach.inbox.classify import classify
from outreach.inbox.verdict import Kind, Verdict


def answer(
    text: str = "", *, method: str = "REPLY", stated: bool = True, more: str = "", prodid: str = "Exchange"
) -> Verdict:
    """A calendar's answer as Outlook writes it: a letter (often empty) and the event."""
    event = (
        f"BEGIN:VCALENDAR\r\nMETHOD:{method}\r\nPRODID:-//{prodid}//EN\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n"
        "ATTENDEE;CN=Anna Berg;\r\n PARTSTAT=ACCEPTED:mailto:anna@buyer.example\r\n"
        f"{more}UID:1@seller.example\r\nSUMMARY:Call about LED panels\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    said = f"; method={method}" if stated else ""
    return classify(
        (
            "From: Anna Berg <anna@buyer.example>\r\nTo: li.na@seller.example\r\nSubject: Accepted: Call about LED panels\r\n"
            "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
            f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
            f"--b\r\nContent-Type: text/calendar; charset=utf-8{said}\r\n\r\n{event}\r\n--b--\r\n"
        ).encode()
    )


@pytest.mark.parametrize("stated", [True, False])
def test_a_click_is_no_letter(stated: bool) -> None:
    verdict = answer(stated=stated)
    assert (verdict.kind, verdict.reason, verdict.detector) == (Kind.OTHER, "calendar_reply", "calendar")


def test_what_a_calendar_program_writes_of_the_click_is_nobodys_word() -> None:
    assert answer("Anna Berg has accepted this invitation.", prodid="Google Inc//Google Calendar").kind is Kind.OTHER


def test_words_beside_the_click_are_a_reply() -> None:
    verdict = answer("Fine. Can you bring two samples?")
    assert (verdict.kind, verdict.reply_text, verdict.intent) == (
        Kind.REPLY,
        "Fine. Can you bring two samples?",
        "sample",
    )
    verdict = answer(
        more="COMMENT:Yes\\, and please send\r\n  the price list\r\n", prodid="Google Inc//Google Calendar"
    )
    assert (verdict.kind, verdict.reply_text, verdict.intent) == (
        Kind.REPLY,
        "Yes, and please send the price list",
        "price",
    )


def test_another_time_proposed_asks_for_an_answer() -> None:
    verdict = answer(method="COUNTER")
    assert (verdict.kind, verdict.intent) == (Kind.REPLY, "meeting")


def test_an_invitation_is_no_answer_to_one() -> None:
    assert answer(method="REQUEST").detector != "calendar"
