"""What the archive keeps of a mail."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from outreach.inbox.parse import parse
from outreach.inbox.summary import LONGEST_TEXT, summarise_mail
from tests.inbox.test_parse import NESTED


def test_whole():
    head = (
        b"Message-ID: <m1@b.example>\nIn-Reply-To: <m0@b.example>\nReferences: <r1@b.example> <m0@b.example>\n"
        b'From: "Berg, Anna" <Anna@B.example>\nTo: li.na@seller.example, Bo <bo@seller.example>\nCc: boss@b.example\n'
        b"Date: Tue, 3 Nov 2026 09:12:40 +0800\nAuto-Submitted: Auto-Replied\nX-Outreach-Message: k1\nSubject: hi\n\nbody"
    )
    found = summarise_mail(parse(head))
    assert found.message_id == "m1@b.example"
    assert (found.in_reply_to, found.references) == (("m0@b.example",), ("r1@b.example", "m0@b.example"))
    assert (found.from_address, found.from_name) == ("anna@b.example", "Berg, Anna")
    assert (found.to, found.cc) == (("li.na@seller.example", "bo@seller.example"), ("boss@b.example",))
    assert found.date == datetime(2026, 11, 3, 1, 12, 40, tzinfo=UTC)
    assert (found.auto_submitted, found.own_uid, found.subject, found.text) == ("auto-replied", "k1", "hi", "body")


def test_attachments_are_named_and_hashed_not_unpacked():
    (file,) = summarise_mail(parse(NESTED)).attachments
    assert (file.name, file.content_type, file.size) == ("价.pdf", "application/pdf", 4)
    assert file.sha256 == hashlib.sha256(b"%PDF").hexdigest()


def test_an_empty_mail_has_a_summary():
    found = summarise_mail(parse(b""))
    assert (found.message_id, found.from_address, found.to, found.date, found.text) == ("", "", (), None, "")


def test_text_is_bounded():
    assert len(summarise_mail(parse(b"\n" + b"x" * (LONGEST_TEXT + 10))).text) == LONGEST_TEXT
