"""Delivery status notifications (RFC 3464): reports with fields made for programs, standard or nearly so."""

from __future__ import annotations

import re
from collections.abc import Callable

from outreach.inbox import address, notice, original
from outreach.inbox.entity import Part
from outreach.inbox.outcome import Outcome, summarise
from outreach.inbox.parse import Mail
from outreach.inbox.report import Fields, groups
from outreach.inbox.returned import cut
from outreach.inbox.verdict import Kind, Verdict

# RFC 3464 2.3.3, and Postfix's word for an address it was asked to probe; what else stands there ("deleted",
# "transient-failure") counts as failed.
GOOD_NEWS = frozenset({"delivered", "relayed", "expanded", "delivered/expanded", "deliverable"})
_FIELDS_IN_TEXT = re.compile(r"^(?:Final|Original)-Recipient[ \t]*:", re.M | re.I)
_WORD = re.compile(r"[a-z-]+")


def detect(mail: Mail) -> Verdict | None:
    found = report_in(mail)
    return decide(found, mail) if found else None


def report_in(mail: Mail) -> str | None:
    """The text of the report's fields: of the mail's own report part, or of fields within its plain text."""
    parts = [part for part in mail.leaves if _is_report(part)]
    own = [part for part in parts if part.inside == 0]
    if not own and parts and notice.from_machine(mail):
        own = parts
    if own:
        return "\n\n".join(part.text for part in own)
    return _in_text(mail)


def _is_report(part: Part) -> bool:
    if part.content_type in ("message/delivery-status", "message/global-delivery-status"):
        return True
    name = part.filename.lower()
    return name in ("details.txt", "deliverystatus.txt") and bool(_FIELDS_IN_TEXT.search(part.text))


def _in_text(mail: Mail) -> str | None:
    for part in mail.leaves:
        if part.inside == 0 and part.content_type in ("text/plain", "message/report", "text/x-dsn"):
            text = cut(part.text)
            if _FIELDS_IN_TEXT.search(text) and "\naction" in text.lower() and notice.from_machine(mail):
                return text
    return None


def decide(report: str, mail: Mail) -> Verdict | None:
    """The verdict on a report; good news alone is kind other. None when it names no recipient at all."""
    _, recipients = groups(report)
    bad = [fields for fields in recipients if not good_news(fields)]
    if recipients and not bad:
        return Verdict(Kind.OTHER, detector="dsn")
    outcomes = [_outcome(fields, mail) for fields in bad]
    outcomes = [found for found in outcomes if found.recipient] or outcomes
    if not outcomes:
        return None
    return summarise(outcomes, "dsn")


def good_news(fields: Fields) -> bool:
    """Delivered, relayed or expanded: nothing failed for this recipient."""
    action = _action(fields)
    return action in GOOD_NEWS or ("action" not in fields and fields.get("status", "").startswith("2."))


def _action(fields: Fields) -> str:
    found = _WORD.search(fields.get("action", "").lower())
    return found[0] if found else "failed"


def outcome(fields: Fields, who: str, prose: Callable[[], str]) -> Outcome:
    """One recipient's group of fields; `prose` gives the notice around it when it is needed."""
    return Outcome(
        recipient=who,
        text=_words(fields.get("diagnostic-code", "")),
        status=fields.get("status"),
        delayed=_action(fields) in ("delayed", "delay"),
        notice=prose,
        host=fields.get("remote-mta", ""),
        looked_up="mailbox" in fields.get("x-powermta-bouncecategory", ""),
    )


def _outcome(fields: Fields, mail: Mail) -> Outcome:
    who = recipient(fields, mail)
    return outcome(fields, who, lambda: notice.about(mail, who))


_CODE_TYPE = re.compile(r"^\s*(?:smtp|x-postfix|x-unix|x-[a-z-]+|dns|unknown)\s*;\s*", re.I)


def _words(diagnostic: str) -> str:
    """The server's words without the type in front; x-unix is kept, its number is an exit status."""
    if diagnostic[:6] in ("smtp; ", "SMTP; "):
        return diagnostic[6:].lstrip()
    return diagnostic if diagnostic[:6].lower() == "x-unix" else _CODE_TYPE.sub("", diagnostic)


def named_recipient(fields: Fields) -> str:
    """The address as originally mailed: Original-Recipient where it holds one, else Final-Recipient, or a bare name."""
    bare = ""
    for name in ("original-recipient", "final-recipient", "x-actual-recipient"):
        found = address.of_field(fields[name]) if fields.get(name) else None
        if found and found.find("@") > 0:
            return found
        bare = bare or found or ""
    return bare


def recipient(fields: Fields, mail: Mail) -> str:
    who = named_recipient(fields)
    return who if who.find("@") > 0 else _complete(who, mail)


def _complete(local: str, mail: Mail) -> str:
    """A full address for a bare user name, a file or a pipe: from the notice or the returned message."""
    returned = original.recipients(mail)
    if "/" in local or "|" in local or not local:
        return next((entry.recipient for entry in notice.entries(mail)), "") or next(iter(returned), local)
    for found in [*address.find_all(mail.text[:5000]), *returned]:
        if found.lower().startswith(local.lower() + "@"):
            return found
    return next(iter(returned), local)
