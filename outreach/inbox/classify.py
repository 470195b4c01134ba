"""What a received mail is. Pure: bytes in, Verdict out; no database, no clock, and no exception for any input."""

from __future__ import annotations

from collections.abc import Callable

from outreach.inbox import original
from outreach.inbox.detectors import (
    aol,
    apple_unsubscribe,
    arf,
    auto_reply,
    calendar,
    challenge,
    daemon_notice,
    dsn,
    ezweb,
    fml,
    google_groups,
    imail,
    notice,
    read_receipt,
    reply,
    ses_event,
    sieve_reject,
    unsubscribe,
    verizon,
    x_failed_recipients,
    yahoo,
)
from outreach.inbox.fast import classify_fast
from outreach.inbox.parse import Mail, parse
from outreach.inbox.verdict import Kind, Verdict

Detector = Callable[[Mail], Verdict | None]


# Order: what is certain by its format, then what is certain by its words, then people.
DETECTORS: tuple[Detector, ...] = (
    arf.detect,
    apple_unsubscribe.detect,
    ses_event.detect,
    sieve_reject.detect,
    read_receipt.detect,
    calendar.detect,
    challenge.detect,
    ezweb.detect,
    aol.detect,
    dsn.detect,
    google_groups.detect,
    fml.detect,
    imail.detect,
    verizon.detect,
    yahoo.detect,
    x_failed_recipients.detect,
    daemon_notice.detect,
    auto_reply.detect,
    notice.detect,
    unsubscribe.detect,
    reply.detect,
)


def classify(raw: bytes) -> Verdict:
    """Classify a whole mail (RFC 5322 bytes)."""
    return classify_fast(raw) or classify_mail(parse(raw))


def classify_mail(mail: Mail) -> Verdict:
    verdict = next((found for detect in DETECTORS if (found := detect(mail))), Verdict(Kind.OTHER))
    messages, uids = original.ids(mail)
    return verdict.but(original_ids=messages, own_uids=uids)
