"""The short way to a summary says what the long way says."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.inbox_parse import report
from outreach.inbox.archive.cutting import SMALLEST
from outreach.inbox.brief import summarise_report
from outreach.inbox.fast import look
from outreach.inbox.parse import parse
from outreach.inbox.summary import summarise_mail
from tests.inbox.corpora import own_cases, raw, shared_cases


def test_the_short_way_says_what_the_long_way_says() -> None:
    mails = [raw(case) for case in (*shared_cases(), *own_cases())]
    mails += [report(number, 1) for number in range(20)] + [report(1, 1).replace(b"\n", b"\r\n")]
    short = 0
    for mail in mails:
        found = look(mail)
        brief = summarise_report(found) if found else None
        if brief is not None:
            short += 1
            long = summarise_mail(parse(mail))
            assert brief == replace(long, tokens=(), bulk=brief.bulk), mail[:400]
    assert short > 60


def test_what_carries_files_goes_the_long_way() -> None:
    mail = report(1, 1).replace(b"Content-Type: message/rfc822", b'Content-Type: message/rfc822; name="a.eml"')
    found = look(mail)
    assert found is None or summarise_report(found) is None


def test_a_name_within_a_short_letter_that_came_back_is_no_file() -> None:
    mail = report(1, 1).replace(b"<p>A line", b'<a name="top"></a><p>A line', 1)
    assert len(mail) < SMALLEST
    found = look(mail)
    assert found is not None
    brief = summarise_report(found)
    assert brief is not None
    assert brief == replace(summarise_mail(parse(mail)), tokens=())


def test_of_several_headers_of_one_name_all_addresses_count() -> None:
    mail = report(1, 1).replace(b"To: li.na", b"To: Wang.Fang@seller.example, a@seller.example\nTo: li.na", 1)
    found = look(mail)
    assert found is not None
    brief = summarise_report(found)
    assert brief is not None
    assert brief.to == ("wang.fang@seller.example", "a@seller.example", "li.na@seller.example")
    assert brief.to == summarise_mail(parse(mail)).to
