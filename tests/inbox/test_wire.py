"""Verdict and summary survive the way through JSON."""

from __future__ import annotations

import json
from datetime import date

import pytest

from outreach.inbox import wire
from outreach.inbox.classify import classify
from outreach.inbox.parse import parse
from outreach.inbox.summary import summarise_mail
from outreach.inbox.verdict import Intent, Kind, Verdict
from tests.inbox.corpora import own_cases, raw


def test_there_and_back():
    for case in own_cases():
        data = raw(case)
        found = wire.reading(json.loads(json.dumps(wire.answer(data, summary=True))))
        assert found.verdict == classify(data)
        assert found.summary == summarise_mail(parse(data))


def test_every_kind_of_value():
    verdict = Verdict(
        Kind.AUTOREPLY,
        intent=Intent.NOT_NOW,
        return_date=date(2026, 12, 1),
        successor="bo@b.example",
        left=True,
        hard=None,
    )
    assert wire.reading({"verdict": json.loads(json.dumps(wire._verdict_out(verdict)))}).verdict == verdict


@pytest.mark.parametrize("answer", [{}, {"verdict": {}}, {"verdict": {"kind": "martian", "findings": []}}])
def test_what_no_child_of_ours_says_is_an_error(answer: dict[str, object]):
    with pytest.raises((KeyError, ValueError, TypeError)):
        wire.reading(answer)
