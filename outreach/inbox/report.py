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
