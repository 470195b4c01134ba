"""The short way to a summary says what the long way says."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.inbox_parse import report
from outreach.inbox.brief import summarise_report
from outreach.inbox.parse import parse
from outreach.inbox.summary import summarise_mail
from tests.inbox.corpora import own_cases, raw, shared_cases


def test_the_short_way_says_what_the_long_way_says() -> None:
    mails = [raw(case) for case in (*shared_cases(), *own_cases())]
    mails += [report(number, 1) for number in range(20)] + [report(1, 1).replace(b"\n", b"\r\n")]
    short = 0
    for mail in mails:
        brief = summarise_report(mail)
        if brief is not None:
            short += 1
            long = summarise_mail(parse(mail))
            assert brief == replace(long, tokens=(), bulk=brief.bulk), mail[:400]
    assert short > 60


def test_what_carries_files_goes_the_long_way() -> None:
    mail = report(1, 1).replace(b"Content-Type: message/rfc822", b'Content-Type: message/rfc822; name="a.eml"')
    assert summarise_report(mail) is None
