"""Field groups, with and without the blank lines that RFC 3464 asks for."""

from __future__ import annotations

from outreach.inbox.report import MAX_GROUPS, fields, groups


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
