"""At which command a server refused."""

from __future__ import annotations

import pytest

from outreach.inbox.phase import phase_in


@pytest.mark.parametrize(
    ("text", "phase"),
    [
        ("said: 550 no (in reply to RCPT TO\n    command)", "rcpt"),
        ("said: 550 no (in reply to end of DATA command)", "end"),
        ("SMTP error from remote mail server after MAIL FROM:<a@b.example> SIZE=1:", "mail"),
        ("after initial connection: 554 no", "connect"),
        ("refused to talk to me: 421 busy", "connect"),
        (">>> DATA\n<<< 550 User unknown", "data"),
        (">>> RCPT To:<a@b.example>\n<<< 550 User unknown", "rcpt"),
        ("192.0.2.1 does not like recipient.", "rcpt"),
        ("192.0.2.1 failed after I sent the message.", "end"),
        ("Connected to 192.0.2.1 but my name was rejected.", "ehlo"),
        ("did not like our final DATA:", "end"),
        ("-------SMTP command\nDATA", "data"),
        ("SMTP error, RCPT TO: 550 User not found", "rcpt"),
        ("the mailbox is full", ""),
    ],
)
def test_phase_in(text: str, phase: str):
    assert phase_in(text) == phase
