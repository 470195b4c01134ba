"""Field groups, with and without the blank lines that RFC 3464 asks for."""

from __future__ import annotations

from random import Random

import pytest

from outreach.inbox.report import MAX_GROUPS, READ, fields, groups, plain_recipients
from tests.inbox.corpora import own_cases, raw
from tests.inbox.mutate import mutate

TWO = """\
Reporting-MTA: dns; x.example
Arrival-Date: Tue, 3 Nov 2026 09:12:44 +0800

Final-Recipient: rfc822; a@b.example
Original-Recipient: rfc822;a@alias.example
Action: failed
Status: 5.1.1 (no such address)
Status: 5.0.0
Diagnostic-Code: smtp; 550 5.1.1 <a@b.example>: Recipient
    address rejected:
\tUser unknown

Final-Recipient: rfc822; c@d.example
Action: delayed
X-Note: anything
"""


def test_folded_and_encoded_values():
    found = fields(
        "Diagnostic-Code: smtp; 550\n\tno such\n user\nX-Note: =?utf-8?B?5rua?=\nStatus: 5.1.1\nStatus: 4.0.0\n"
    )
    assert found == {"diagnostic-code": "smtp; 550 no such user", "x-note": "滚", "status": "5.1.1"}


def test_a_group_for_each_recipient():
    message, recipients = groups(
        "Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b.example\nAction: failed\n\nFinal-Recipient: rfc822; c@d.example\nAction: delayed\n"
    )
    assert message == {"reporting-mta": "dns; x"}
    assert [(r["final-recipient"], r["action"]) for r in recipients] == [
        ("rfc822; a@b.example", "failed"),
        ("rfc822; c@d.example", "delayed"),
    ]


def test_no_blank_lines_at_all():
    message, recipients = groups(
        "Reporting-MTA:DNS;x\nFinal-Recipient:rfc822;a@b.example\nAction:failed\nFinal-Recipient:rfc822;c@d.example\nAction:failed\n"
    )
    assert message == {"reporting-mta": "DNS;x"}
    assert [r["final-recipient"] for r in recipients] == ["rfc822;a@b.example", "rfc822;c@d.example"]


def test_blank_lines_inside_a_group():
    _, recipients = groups("Final-Recipient: rfc822; a@b.example\n\nAction: failed\n\nStatus: 5.1.1\n")
    assert recipients == [{"final-recipient": "rfc822; a@b.example", "action": "failed", "status": "5.1.1"}]


def test_groups_are_bounded():
    assert len(groups("Final-Recipient: rfc822; a@b.example\n\n" * (MAX_GROUPS * 2))[1]) <= MAX_GROUPS


def only_read(text: str) -> list[dict[str, str]]:
    return [{name: value for name, value in found.items() if name in READ} for found in groups(text)[1]]


def test_a_plain_report_is_read_as_any_other():
    found = plain_recipients(TWO)
    assert found is not None
    assert found == only_read(TWO)
    assert found[0]["diagnostic-code"] == "smtp; 550 5.1.1 <a@b.example>: Recipient address rejected: User unknown"
    assert plain_recipients("Reporting-MTA: dns; x.example\n") == []


@pytest.mark.parametrize(
    ("change", "to"),
    [
        ("x.example\nArrival", "x.example\nFinal-Recipient: rfc822; e@f.example\nArrival"),  # one block for all
        ("\n\nFinal-Recipient: rfc822; c", "\nFinal-Recipient: rfc822; c"),  # no blank line
        ("Action: failed\n", "Action: failed\n\n"),  # a blank line inside a group
        ("Action: failed\n", "Action: failed\n   \n"),
        ("Action: failed\n", "Action: failed\n\n "),
        ("Action: failed", "Action : failed"),
        ("no such address", "=?utf-8?q?no?="),
        ("Original-Recipient", "ORIGINAL-RECIPIENT"),
        ("Final-Recipient: rfc822; a@b.example\n", ""),  # only the original one is named
    ],
)
def test_what_is_not_plain_is_left_to_others(change: str, to: str):
    assert change in TWO
    assert plain_recipients(TWO.replace(change, to)) is None


def test_both_ways_agree_on_broken_reports():
    texts = [TWO.encode(), *(raw(case)[:5_000] for case in own_cases())]
    taken = 0
    for seed in range(4_000):
        chance = Random(seed)
        broken = mutate(chance.choice(texts), chance).decode("ascii", "ignore").replace("\r", "")
        found = plain_recipients(broken)
        if found:
            taken += 1
            assert found == only_read(broken), seed
    assert taken >= 100
