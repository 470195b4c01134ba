"""Notices in prose, in many languages, and mails that only look like notices."""

from __future__ import annotations

from email.header import Header
from pathlib import Path
from typing import NamedTuple

import pytest

from outreach.inbox.classify import classify
from outreach.inbox.verdict import Kind

FILES = [
    Path(__file__).parent.parent / "corpus" / name
    for name in ("notices.txt", "notices_second.txt", "notices_third.txt")
]
DEAD = {"yes": True, "no": False}


class Notice(NamedTuple):
    kind: str
    recipients: list[str]
    dead: str  # yes, no, or - where either is right
    reasons: list[str]
    late: bool
    raw: bytes
    subject: str


def notices() -> list[Notice]:
    return [read(block) for file in FILES for block in file.read_text(encoding="utf-8").split("=====\n")[1:]]


def read(block: str) -> Notice:
    wanted, sender, subject, _, body = block.split("\n", 4)
    kind, recipients, dead, reasons, late = wanted.split("|")
    name, mark, address = sender.removeprefix("From: ").rpartition("<")
    name = name if name.isascii() else Header(name.strip(), "utf-8").encode() + " "
    raw = (
        f"From: {name}{mark}{address}\nTo: li.na@seller.example\n"
        f"Subject: {Header(subject.removeprefix('Subject: '), 'utf-8').encode()}\n"
        "Date: Tue, 3 Nov 2026 09:13:02 +0800\nMIME-Version: 1.0\n"
        f"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{body}"
    ).encode()
    named = [each.strip() for each in recipients.split(",") if each.strip()]
    return Notice(kind, named, dead, reasons.split(" or "), late == "late", raw, subject)


@pytest.mark.parametrize("notice", notices(), ids=lambda notice: notice.subject[9:50])
def test_a_notice_is_read(notice: Notice):
    verdict = classify(notice.raw)
    assert (verdict.kind is Kind.BOUNCE) == (notice.kind == "bounce")
    if verdict.kind is not Kind.BOUNCE:
        return
    assert sorted(verdict.recipients) == sorted(notice.recipients)
    assert verdict.reason in notice.reasons
    assert verdict.delayed == notice.late
    assert notice.dead == "-" or verdict.hard is DEAD[notice.dead]


def test_a_notice_that_names_nobody_still_says_why():
    raw = (
        b"From: MAILER-DAEMON@mx.example\nTo: li.na@seller.example\nSubject: Returned mail: delivery failed\n\n"
        b"Your message could not be delivered: the mailbox is full.\n"
    )
    verdict = classify(raw)
    assert (verdict.kind, verdict.recipients, verdict.findings) == (Kind.BOUNCE, (), ())
    assert (verdict.reason, verdict.hard) == ("mailboxfull", False)
