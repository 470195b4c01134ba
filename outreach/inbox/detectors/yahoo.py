"""Yahoo's failure notices: `<address>:`, then what the other server said, marked with a stage only now and then."""

from __future__ import annotations

from outreach.inbox import notice
from outreach.inbox.codes import status_in
from outreach.inbox.outcome import Outcome, summarise
from outreach.inbox.parse import Mail
from outreach.inbox.phase import phase_in
from outreach.inbox.verdict import Verdict

OPENING = "we were unable to deliver your message to the following address"


def detect(mail: Mail) -> Verdict | None:
    text = mail.notice
    if OPENING not in " ".join(text[:600].split()):
        return None
    outcomes = [
        # Without a mark the server had refused the recipient.
        Outcome(entry.recipient, entry.text, status_in(entry.text), stage=phase_in(entry.text) or "rcpt")
        for entry in notice.entries(mail)
    ]
    return summarise(outcomes, "yahoo") if outcomes else None
