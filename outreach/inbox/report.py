"""Field groups of machine-written parts: message/delivery-status, feedback-report, disposition-notification."""

from __future__ import annotations

import re

from outreach.inbox.charset import decode_header

Fields = dict[str, str]  # lower-case name → unfolded value; the first of a repeated field wins

_FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9-]{1,60})[ \t]*:[ \t]*(.*(?:\n[ \t]+.*)*)", re.M)
_FOLD = re.compile(r"\s*\n\s*")
_NEXT = re.compile(r"\n[ \t]*\n")
# RFC 3464 2.3: a recipient's group holds one of these; a group that repeats one is two groups without a blank line.
RECIPIENT = ("final-recipient", "original-recipient")
MAX_GROUPS = 2000  # a report on a list of thousands is read as far as this


def fields(text: str) -> Fields:
    out: Fields = {}
    for found in _FIELD.finditer(text):
        value = found[2]
        if "\n" in value:
            value = _FOLD.sub(" ", value)
        if "=?" in value:
            value = decode_header(value.encode("utf-8", "replace"))
        out.setdefault(found[1].lower(), value.strip())
    return out


def groups(text: str) -> tuple[Fields, list[Fields]]:
    """The per-message fields and one Fields per recipient.

    RFC 3464 wants blank lines between groups; reports without them, or with blank lines inside a group, are read too.
    """
    message: Fields = {}
    recipients: list[Fields] = []
    for block in _NEXT.split(text)[:MAX_GROUPS]:
        for found in _split_repeats(block):
            if any(name in found for name in RECIPIENT):
                recipients.append(found)
            elif recipients:
                recipients[-1] = {**found, **recipients[-1]}
            else:
                message = {**found, **message}
    return message, recipients


def _split_repeats(block: str) -> list[Fields]:
    whole = fields(block)
    if block.lower().count("final-recipient:") < 2 and not _mixed(whole):
        return [whole] if whole else []
    out: list[Fields] = [{}]
    for found in _FIELD.finditer(block):
        if len(out) > MAX_GROUPS:
            break
        name = found[1].lower()
        fresh = name in RECIPIENT and (name in out[-1] or not any(r in out[-1] for r in RECIPIENT))
        if fresh and out[-1]:
            out.append({})
        out[-1].setdefault(name, _FOLD.sub(" ", found[2]).strip())
    return out


def _mixed(found: Fields) -> bool:
    """Per-message and per-recipient fields in one block, as several Japanese carriers write them."""
    return "reporting-mta" in found and "final-recipient" in found


#: What a report is read for; its other fields may say what they like.
READ = frozenset({
    "original-recipient", "final-recipient", "x-actual-recipient", "action", "status", "diagnostic-code", "remote-mta",
    "x-powermta-bouncecategory", "reporting-mta",
})  # fmt: skip
_UNCLEAR = re.compile(r"\n[ \t]+\n|\n\n[ \t]")  # does it continue a field or part two groups?
_SOFT = re.compile(r"[^\S\n]*\n[ \t]+[^\S\n]*")


def plain_recipients(text: str) -> list[Fields] | None:
    """The recipients of a report that keeps to RFC 3464, with the fields in READ alone; None where it does not.

    The same as `groups` gives for them, line by line and several times faster.
    """
    if "=?" in text or " :" in text or "\t:" in text:
        return None
    if "\n " in text or "\n\t" in text:
        if _UNCLEAR.search(text):
            return None
        text = _SOFT.sub(" ", text)
    low = text.lower()
    if low.count("ecipient:") != text.count("ecipient:"):
        return None
    blocks = text.split("\n\n", MAX_GROUPS)
    recipients: list[Fields] = []
    for block in blocks:
        if not recipients and "ecipient:" not in block:  # the fields about the message, which say nothing of anybody
            continue
        found = _lines(block)
        if "final-recipient" in found and "reporting-mta" not in found:
            recipients.append(found)
        elif "final-recipient" in found or "original-recipient" in found or (found and recipients):
            return None
    return recipients if low.count("final-recipient:") == len(recipients) and len(blocks) <= MAX_GROUPS else None


def _lines(block: str) -> Fields:
    found: Fields = {}
    for line in block.split("\n"):
        name, colon, value = line.partition(":")
        name = name.lower()
        if name in READ and colon and name not in found:
            found[name] = value.strip()
    return found
