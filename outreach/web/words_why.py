"""Why a mail came back, was refused, waits or was left out, in people's words.

The codes are those of inbox/reasons.py, sending/trouble.py, outbox/handover and campaigns/plan.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from outreach.web.i18n import N_

Words = Mapping[str, tuple[str, str]]

#: Why a contact is left out of a campaign; what stands behind a colon is the rule or list that says so.
SKIP: Words = {
    "suppressed": (N_("On the suppression list"), ""),
    "unsubscribed": (N_("Unsubscribed"), ""),
    "no_address": (N_("No address"), ""),
    "no_mx": (N_("Domain takes no mail"), ""),
    "frequency": (N_("Too many mails lately"), ""),
    "contact_cap": (N_("Too many mails lately"), ""),
    "company_cap": (N_("Company has had enough mails"), ""),
    "no_basis": (N_("No legal basis"), ""),
    "country": (N_("Refused by the country's rules"), ""),
    "gate": (N_("Refused by the country's rules"), ""),
    "policy": (N_("Refused by the company's lists"), ""),
    "paused": (N_("Contact is paused"), ""),
    "left": (N_("Has left the company"), ""),
    "left_company": (N_("Has left the company"), ""),
    "erased": (N_("Erased on request"), ""),
    "not_in_audience": (N_("Not in the audience that was approved last"), ""),
    "wish": (N_("Asked for fewer mails a month"), ""),
    "role_address": (N_("Role address"), ""),
    "disposable": (N_("Disposable address"), ""),
    "duplicate": (N_("Duplicate"), ""),
    "owner_away": (N_("No mailbox for its owner"), ""),
    "no_mailbox": (N_("No mailbox"), ""),
    "in_other_campaign": (N_("In another campaign now"), ""),
    "replied": (N_("Has replied"), ""),
    "in_sequence": (N_("Is or was in a sequence"), ""),
    "colleague_cap": (N_("Hears from a colleague now"), ""),
    "before_start": (N_("Matched before it began"), ""),
    "condition": (N_("Condition of the step does not hold"), ""),
    "unknown": (N_("No contact of ours"), ""),
    "missing_value": (N_("A value of the template is missing"), ""),
    "topic_off": (N_("Does not want this topic"), ""),
    "bounced": (N_("Bounced"), ""),
    "no_mail_server": (N_("Domain takes no mail"), ""),
    "merged": (N_("The person's other contact has it"), ""),
    "country_basis": (N_("Refused by the country's rules"), ""),
}

#: Why nobody knows whether the server has a mail (sending/trouble.py, outbox/claims).
DOUBT: Words = {
    "drop after the final dot": (N_("The connection broke before the answer"), ""),
    "timeout after the final dot": (N_("The server did not answer in time"), ""),
    "garbage after the final dot": (N_("The server's answer made no sense"), ""),
    "worker stopped during the hand-over": (N_("The program was stopped in the middle of it"), ""),
}

#: What a server's refusal or a bounce comes to, and what a mail says that is neither.
BOUNCE: Words = {
    "userunknown": (N_("There is no such person"), ""),
    "hostunknown": (N_("Domain takes no mail"), ""),
    "hasmoved": (N_("The address has changed"), ""),
    "mailboxfull": (N_("Their mailbox is full"), ""),
    "suspend": (N_("Their mailbox is suspended"), ""),
    "expired": (N_("Could not be handed on for days"), ""),
    "filtered": (N_("Held back by a filter"), ""),
    "rejected": (N_("Refused by their server"), ""),
    "notaccept": (N_("Their server takes no mail"), ""),
    "blocked": (N_("Our server is blocked there"), ""),
    "badreputation": (N_("Sender has a bad name there"), ""),
    "spamdetected": (N_("Taken for spam"), ""),
    "virusdetected": (N_("Taken for a virus"), ""),
    "contenterror": (N_("Content refused"), ""),
    "mesgtoobig": (N_("The mail is too big"), ""),
    "exceedlimit": (N_("A limit is used up"), ""),
    "speeding": (N_("Too many mails at once"), ""),
    "toomanyconn": (N_("Too many connections"), ""),
    "greylisted": (N_("Asked to come again later"), ""),
    "authfailure": (N_("Sender could not be proved"), ""),
    "securityerror": (N_("Refused for security"), ""),
    "policyviolation": (N_("Against their rules"), ""),
    "norelaying": (N_("The server passes nothing on"), ""),
    "requireptr": (N_("Our server's name cannot be looked up"), ""),
    "failedstarttls": (N_("No encrypted connection"), ""),
    "networkerror": (N_("Trouble in the network"), ""),
    "systemerror": (N_("Trouble at their server"), ""),
    "systemfull": (N_("Their server is full"), ""),
    "mailererror": (N_("Trouble in their mail program"), ""),
    "syntaxerror": (N_("The server did not understand"), ""),
    "calendar_reply": (N_("Answer to an invitation"), ""),
    "read_receipt": (N_("Read receipt"), ""),
    "challenge": (N_("Asks for a confirmation"), ""),
    "abuse": (N_("Reported as spam"), ""),
    "fraud": (N_("Reported as fraud"), ""),
    "virus": (N_("Reported as a virus"), ""),
    "not-spam": (N_("Reported as no spam"), ""),
    "opt-out": (N_("Unsubscribed"), ""),
    "auth-failure": (N_("Sender could not be proved"), ""),
    "other": (N_("Other"), ""),
}

#: Why a mail that was about to leave waits again or was stopped (outbox/handover), or could not be offered at all.
WAITS: Words = {
    "approval void": (N_("The approval is void"), ""),
    "campaign cancelled": (N_("The campaign was cancelled"), ""),
    "campaign stopped": (N_("The campaign is paused"), ""),
    "contact paused": (N_("Contact is paused"), ""),
    "domain pace": (N_("Pace of the recipient's domain"), ""),
    "gone": (N_("Another process has it"), ""),
    "mailbox": (N_("Its mailbox does not send now"), ""),
    "quota": (N_("The mailbox has had its quota"), ""),
    "unsupported-address": (N_("The server cannot take such an address"), ""),
    "colleague_replied": (N_("A colleague replied"), ""),
    **{
        f"{fault} at {phase}": (words, "")
        for fault, words in (
            ("drop", N_("The connection broke")),
            ("timeout", N_("The server did not answer in time")),
            ("garbage", N_("The server's answer made no sense")),
            ("tls", N_("No encrypted connection")),
            ("dns", N_("The server's name is not known")),
            ("refused", N_("The server cannot be reached")),
            ("unsupported", N_("The server lacks what is needed")),
        )
        for phase in (
            "connect", "greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "ready", "body", "dot", "rset",
            "quit", "idle",
        )
    },
}  # fmt: skip

#: Who put an address on the suppression list: what stands before a colon, the rest being a key or a way.
ORIGIN: Words = {
    "unsubscribe": (N_("their own wish"), ""),
    "complaint": (N_("a complaint"), ""),
    "bounce": (N_("a bounce"), ""),
    "staff": (N_("by hand"), ""),
    "cli": (N_("the command line"), ""),
    "api": (N_("another program"), ""),
    "erasure": (N_("an erasure"), ""),
}

#: Any of them: a message's reason says why it failed as well as why it was left out.
REASON: Words = {**BOUNCE, **WAITS, **DOUBT, **SKIP}

WHY_LISTS: Mapping[str, Words] = {"skip": SKIP, "doubt": DOUBT, "reason": REASON, "origin": ORIGIN}
