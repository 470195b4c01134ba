"""The parser against the library on whole mails, and against what the library cannot read."""

from __future__ import annotations

import email
import re
from email.message import Message

import pytest

from outreach.inbox.parse import parse
from tests.inbox.corpora import own_cases, raw, shared_cases

REPORT = re.compile(rb"message/(?:delivery-status|disposition-notification|feedback-report)", re.I)
NESTED = b"""From: Anna <anna@buyer.example>
Subject: =?utf-8?B?5oql5Lu3?= =?utf-8?Q?_LED?=
Content-Type: multipart/mixed; boundary="outer"

preamble
--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=gb2312
Content-Transfer-Encoding: base64

sai827Wl
--inner
Content-Type: text/html

<p>Hello<br>there &amp; you</p>
--inner--
--outer
Content-Type: application/pdf; name*0*=utf-8''%E4%BB%B7; name*1=.pdf
Content-Disposition: attachment
Content-Transfer-Encoding: base64

JVBERg==
--outer
Content-Type: message/rfc822

From: Bo <bo@buyer.example>
Content-Type: text/plain

enclosed
--outer--
epilogue
"""


def test_structure():
    mail = parse(NESTED)
    assert [part.content_type for part in mail.parts] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/pdf", "message/rfc822", "text/plain",
    ]  # fmt: skip
    assert [part.depth for part in mail.parts] == [0, 1, 2, 2, 1, 1, 2]
    assert [part.inside for part in mail.parts] == [0, 0, 0, 0, 0, 0, 1]
    assert [part.parent for part in mail.parts] == [-1, 0, 1, 1, 0, 0, 5]


def test_what_the_sender_wrote():
    mail = parse(NESTED)
    assert mail.subject == "报价 LED"
    assert mail.from_addr == "anna@buyer.example"
    assert mail.plain == "报价单"  # from gb2312
    assert "enclosed" not in mail.text
    assert mail.parts[4].filename == "价.pdf"
    assert mail.parts[4].data == b"%PDF"


def test_html_alone_is_read_as_text():
    mail = parse(b"Content-Type: text/html\n\n<p>Hello<br>there &amp; you</p><script>no()</script>")
    assert mail.text == "Hello\nthere & you"


@pytest.mark.parametrize("ending", [b"\r\n", b"\r"])
def test_any_line_ending(ending: bytes):
    mail, same = parse(NESTED), parse(NESTED.replace(b"\n", ending))
    assert [part.text for part in mail.leaves] == [part.text for part in same.leaves]


def test_an_mbox_line_and_blank_lines_in_front_are_skipped():
    assert parse(b"\n\nFrom x@y Thu Apr 29 16:51:04 2027\nSubject: hi\n\nbody").subject == "hi"


def test_a_mail_without_headers_is_all_body():
    assert parse(b"just text\nmore").text == "just text\nmore"


def test_a_multipart_without_parts_is_read_as_text():
    assert "hello" in parse(b"Content-Type: multipart/mixed; boundary=x\n\nhello").text


def _library_text(message: Message) -> list[bytes]:
    parts = [part for part in message.walk() if not part.is_multipart()]
    return [part.get_payload(decode=True) or b"" for part in parts]  # type: ignore[misc]


#: Where we mean to differ: what is broken is read in the way that loses least.
LENIENT = {
    "sisimai:bsd/lhost-x3-01": "an enclosed message that begins with a blank line still has headers",
    "mimekit:partial/rfc2046.0": "a message/partial that says it is base64 is decoded",
    "mime4j:mimetools-testmsgs/2002_06_12_doublebound": "two boundaries in a row enclose an empty part",
    "enmime:testdata/mail/mime-bad-content-transfer-encoding": "an encoding with rubbish behind it is still that encoding",
    "stalwart:rfc/000": "prose in the place of base64 stays prose",
    "stalwart:malformed/000": "a part after the last boundary of its parent",
}


def test_well_formed_mails_read_as_the_library_reads_them():
    """Where the library finds no defect, both find the same parts with the same bytes."""
    same = 0
    for case in [*own_cases(), *shared_cases()]:
        data = raw(case).replace(b"\r\n", b"\n")
        theirs = email.message_from_bytes(data)
        if any(part.defects for part in theirs.walk()) or REPORT.search(data) or case["id"] in LENIENT:
            continue  # the library takes the groups of a report for messages of their own
        ours = [part.data.rstrip(b"\n") for part in parse(data).leaves]
        assert ours == [payload.rstrip(b"\n") for payload in _library_text(theirs)], case["id"]
        same += 1
    assert same > 600


def test_nothing_in_the_corpora_raises():
    for case in shared_cases():
        mail = parse(raw(case))
        for part in mail.parts:
            assert isinstance(part.text, str)
            assert isinstance(part.filename, str)
        assert isinstance(mail.text, str)
        assert mail.headers.items is not None


def test_parts_whose_boundary_nothing_declares_are_parted_all_the_same():
    """Gateways lose the boundary of a notice that they pass on; the parts are there for anyone to see."""
    body = (
        b"\n--real\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\na=\nb\n"
        b"--real\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; a@b.example\n\n--real--\n"
    )
    lied = parse(b"Content-Type: multipart/report; boundary=lost\n" + body)
    assert [part.content_type for part in lied.leaves] == ["text/plain", "message/delivery-status"]
    assert lied.text.strip() == "ab"
    kept = parse(b"Content-Type: text/plain\n" + body)
    assert [part.content_type for part in kept.leaves] == ["text/plain"]
