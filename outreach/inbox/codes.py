"""SMTP reply codes and enhanced status codes in text, and what a status alone says."""

from __future__ import annotations

import re

_AFTER_REPLY = re.compile(r"(?<![\d.])[245]\d\d[ -]{1,3}['\"(]?#?([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_MARKED = re.compile(r"(?:#|\bDSN[:= ]|status[:= ]+|code[:= ]+|\()\s*([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)", re.I)
_ANYWHERE = re.compile(r"(?<![\d.\[/-])([245]\.\d{1,3}\.\d{1,3})(?!\.?\d|[\]/-]\d)")
_REPLY = re.compile(r"(?:^|[\s:;<>\[(\"'=])([245][0-5]\d)(?=[\s\-#:,>\])\"']|$)")
STATUS = re.compile(r"^\s*([245]\.\d{1,3}\.\d{1,3})\b")

# RFC 3463, RFC 7372, RFC 7505, IANA's registry, and Microsoft's list of Exchange Online codes.
REASONS = {
    "1.0": "userunknown", "1.1": "userunknown", "1.2": "hostunknown", "1.3": "userunknown", "1.4": "filtered",
    "1.6": "hasmoved", "1.7": "rejected", "1.8": "rejected", "1.10": "userunknown", "1.90": "speeding",
    "1.351": "userunknown",
    "2.0": "filtered", "2.1": "filtered", "2.2": "mailboxfull", "2.3": "exceedlimit", "2.4": "filtered",
    "2.121": "speeding", "2.122": "speeding",
    "3.0": "systemerror", "3.1": "systemfull", "3.2": "notaccept", "3.3": "systemerror", "3.4": "mesgtoobig",
    "3.5": "systemerror",
    "4.0": "networkerror", "4.1": "expired", "4.2": "networkerror", "4.3": "systemerror", "4.4": "hostunknown",
    "4.5": "speeding", "4.6": "networkerror", "4.7": "expired", "4.8": "networkerror", "4.11": "networkerror", "4.14": "networkerror",
    "4.300": "expired", "4.301": "expired", "4.310": "hostunknown", "4.312": "hostunknown", "4.316": "expired",
    "5.0": "mailererror", "5.1": "syntaxerror", "5.2": "syntaxerror", "5.3": "toomanyconn", "5.4": "syntaxerror",
    "5.5": "systemerror", "5.6": "systemerror",
    "6.0": "contenterror", "6.1": "contenterror", "6.2": "contenterror", "6.3": "contenterror", "6.4": "contenterror",
    "6.5": "contenterror", "6.6": "contenterror", "6.7": "contenterror", "6.9": "contenterror",
    "7.0": "securityerror", "7.1": "securityerror", "7.2": "securityerror", "7.3": "securityerror",
    "7.4": "securityerror", "7.5": "securityerror", "7.6": "securityerror", "7.7": "securityerror",
    "7.8": "securityerror", "7.9": "securityerror", "7.10": "securityerror", "7.11": "securityerror",
    "7.12": "securityerror", "7.13": "suspend", "7.14": "securityerror", "7.17": "filtered", "7.18": "filtered",
    "7.20": "authfailure", "7.21": "authfailure", "7.22": "authfailure", "7.23": "authfailure", "7.24": "authfailure",
    "7.25": "requireptr", "7.26": "authfailure", "7.27": "notaccept", "7.28": "speeding", "7.29": "failedstarttls",
    "7.30": "authfailure", "7.32": "authfailure", "7.40": "authfailure", "7.54": "norelaying", "7.57": "securityerror", "7.60": "securityerror",
    "7.64": "norelaying", "7.124": "rejected", "7.129": "rejected", "7.133": "rejected", "7.134": "rejected",
    "7.135": "rejected", "7.136": "rejected", "7.501": "spamdetected", "7.502": "spamdetected",
    "7.503": "spamdetected", "7.504": "filtered", "7.505": "filtered", "7.506": "blocked", "7.507": "rejected",
    "7.508": "speeding", "7.509": "authfailure", "7.510": "notaccept", "7.511": "blocked", "7.512": "contenterror",
    "7.513": "rejected", "7.515": "authfailure", "7.520": "policyviolation", "7.606": "blocked", "7.607": "blocked", "7.700": "speeding",
    # Exchange Online (learn.microsoft.com, "Email non-delivery reports"), RFC 3885, RFC 6710 and RFC 8689.
    "1.9": "systemerror", "1.20": "contenterror", "1.350": "rejected", "2.5": "suspend", "2.14": "systemerror",
    "2.107": "systemerror", "3.6": "systemerror", "3.190": "systemerror", "4.20": "networkerror", "4.311": "networkerror",
    "4.313": "networkerror", "4.315": "networkerror", "4.317": "failedstarttls", "4.318": "networkerror",
    "6.8": "contenterror", "6.10": "contenterror", "6.11": "contenterror", "6.211": "contenterror", "7.15": "policyviolation", "7.16": "mesgtoobig",
    "7.19": "policyviolation", "7.31": "authfailure", "7.193": "rejected", "7.194": "rejected", "7.320": "failedstarttls",
    "7.321": "failedstarttls", "7.322": "failedstarttls", "7.323": "failedstarttls", "7.324": "failedstarttls",
    "7.325": "failedstarttls", "7.500": "speeding", "7.650": "speeding", "7.651": "speeding", "7.652": "speeding",
    "7.703": "rejected", "7.705": "speeding", "7.708": "blocked", "7.750": "rejected",
}  # fmt: skip


# RFC 5321 4.2.3 and 7.1, RFC 4954 and RFC 7504: codes that mean one thing only.
REPLIES = dict.fromkeys(("500", "501", "502", "503", "504", "555"), "syntaxerror") | dict.fromkeys(
    ("530", "534", "535", "538"), "securityerror"
) | {"521": "notaccept", "556": "notaccept", "552": "mailboxfull"}  # fmt: skip


def reason_of_reply(reply: str | None, phase: str) -> str | None:
    """What an SMTP reply code says by itself, where neither words nor an enhanced status do."""
    if reply == "552" and phase not in ("rcpt", ""):
        return "mesgtoobig" if phase == "mail" else None  # after DATA it may be the mail's size or the mailbox
    return REPLIES.get(reply or "")


def status_in(text: str) -> str | None:
    """The enhanced status code a server gave, e.g. "5.1.1": behind a reply code, else marked, else anywhere."""
    if "." not in text:
        return None
    for pattern in (_AFTER_REPLY, _MARKED, _ANYWHERE):
        found = pattern.search(text)
        if found:
            return found[1]
    return None


def reply_in(text: str) -> str | None:
    """The SMTP reply code in `text`, e.g. "550"."""
    found = _REPLY.search(text)
    return found[1] if found else None


def is_vague(status: str | None) -> bool:
    """No status, or one that says only success, temporary or permanent (X.0.0)."""
    return status is None or status.endswith(".0.0")


def best_status(field: str | None, text: str) -> str | None:
    """The more telling of a report's Status field and the code within the server's own words.

    The server that refused knows better than the one that reports, whose field is often 5.0.0 or a default.
    """
    given = STATUS.match(field or "")
    reported = given[1] if given else None
    said = status_in(text)
    if is_vague(said):
        return reported or said
    return said


def reason_of_status(status: str | None) -> str | None:
    """What an enhanced status code says by itself; None when it says nothing about why."""
    if status is None or status[0] == "2":
        return None
    detail = status[2:]
    found = REASONS.get(detail)
    if (
        found is None and len(detail) == 5 and detail.startswith("7.6")
    ):  # Exchange Online 5.7.606 to 5.7.649: banned sending address
        return "blocked"
    if status[0] == "4" and detail == "1.0":
        return None
    if status[0] == "4" and found == "hostunknown":
        return "networkerror"  # the DNS did not answer, which is not its answer "no such domain"
    if status[0] == "4" and detail == "3.2":
        return "systemerror"  # not now, for it is busy or shutting down; RFC 3463 3.4 has "not at all" in mind
    return found
