"""Google Groups: "the group you tried to contact may not exist, or you may not have permission", in any language."""

from __future__ import annotations

from outreach.inbox import address
from outreach.inbox.parse import Mail
from outreach.inbox.verdict import Finding, Kind, Verdict

# The sentences are translated, the help pages' addresses are not.
PAGES = (
    "groups.google.com/support",
    "support.google.com/a/answer/168383",
    "support.google.com/groups",
    "//groups.google.com",
)


def detect(mail: Mail) -> Verdict | None:
    named = address.find_all(mail.get("X-Failed-Recipients"))
    if not named:
        return None
    text = mail.notice
    if not any(page in text for page in PAGES) and "Google Groups" not in text:
        return None
    # Google does not say which of the two it is, so the address is not called dead.
    findings = tuple(Finding(who, None, "rejected", False, False, text[:500]) for who in named)
    return Verdict(
        Kind.BOUNCE, tuple(named), hard=False, reason="rejected", findings=findings, detector="google_groups"
    )
