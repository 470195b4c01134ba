"""Why a server refused, read from its own words.

`NEEDLES` is searched from top to bottom and the first hit wins, so the order is part of the meaning:
1. what names its cause beyond doubt (virus, SPF, a full mailbox) stands before what only hints at it;
2. trouble with the sender stands before trouble with the recipient: "sender ... does not exist" is no dead recipient,
   and calling a living address dead is the worst mistake here;
3. the address itself before the general words for policy, spam and security, which servers add to everything.
A needle is lower-case text; "a…b" means a, and b soon after it. Addresses and URLs are taken out of the text first, so
that `mailboxfull@b.example` says nothing; `IN_URLS` is for what only a URL names (block lists, Google's help codes).
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from outreach.inbox.needles import IN_URLS, NEEDLES, Table
from outreach.inbox.provider_codes import reason_of_code
from outreach.inbox.sentences import reason_of_sentence

_URL = re.compile(r"(?:https?://|www\.)[^\s>)\]]+")
_MAILBOX = re.compile(r"[^\s<>:;,\"'()\[\]{}=]{1,120}@[^\s<>:;,\"'()\[\]{}]{1,120}")
_REPEATED = re.compile(r"(?<=\s)[245]\d\d[-\s](?:#?[245]\.\d{1,3}\.\d{1,3}\s)?")
# Cisco's gateways put a sentence of their own before the reply they quote: "5.1.0 - Unknown address error 550-'...'".
_QUOTED = re.compile(r"^.{0,80}?\b\d\.\d\.\d - [a-z ()]{3,60} [245]\d\d-'(.*)'", re.S)
_HOST_SAID = re.compile(r"\b(?:remote host|host \S{1,200}) said:?")
_CODE = re.compile(r"(?<![\d.])[45]\d\d[ -]")
_BLANK = re.compile(r"\s+")
GAP = 60  # characters between the halves of a pair: within one sentence
LONGEST = 4000  # characters of a diagnostic that are read; SMTP replies are under 1,000
SHORT = 150  # characters of a reply that is one sentence
GRAM = 4  # characters of a needle that the index knows it by

# A block list's address in the text outweighs words as general as these, and only these.
WEAKER_THAN_LINKS = frozenset({
    "spamdetected", "securityerror", "policyviolation", "rejected", "systemerror", "networkerror", "expired",
    "filtered", "syntaxerror", "contenterror",
})  # fmt: skip

# What a sentence may say against "does not exist" and its like, which are said of domains and senders, too.
NO_RECIPIENT = frozenset({"hostunknown", "rejected"})

# Postfix puts these words before any cause at all, its own or another server's.
PREFIXES = frozenset({"recipient address rejected", "address rejected", "rejected recipient", "recipient rejected"})
SENTENCE = "a sentence"  # the sign of an answer that sentences.py gave
HIDDEN = "a cause in unknown words"  # behind "recipient address rejected:"
COURTESY = "a courtesy"  # the sign of an answer that only a courtesy gave
# Needles that say what was done, not why: a sentence about the sender, our host or a connection knows better.
BARE = frozenset({
    "not allowed", "you are not allowed", "forbidden", "not permitted", "not authorized", "unauthorized", "prohibited",
    "banned", "blocked", "blocked by", "was blocked", "spam", "suspected", "suspicious", "your ip", "from your ip",
    "your server", "your host", "your network", "connection refused", "connection rejected", "refusing connection",
    "access denied… ip", " ip…access denied", "socket error", "protocol error", "remote server", "too busy", "unavailable", "attachment", "policy", "not available",
})  # fmt: skip
# Reasons that a sentence must not give against a needle: a living address would be called dead.
PROVES_DEATH = frozenset({"userunknown", "hostunknown", "hasmoved"})
#: Signs that say nearly nothing: a telling status, the refused command or the notice around knows better.
WEAK_SIGNS = PREFIXES | {COURTESY, HIDDEN}

# What a mail system says to everybody, whatever the cause: read only where nothing else is said.
_COURTESIES = re.compile(
    r"i'm not going to try again[^.;]{0,3}(?:; ?this message has been in the queue too long)?|giving up on [\d.]{7,15}"
    r"|(?:please note that )?this is only a temporary failure report|the message is kept in the queue for up to [^.]{0,30}"
    r"|no action is required on your part|delivery attempts will continue(?: to be made)? for [^.,]{0,20}"
    r"|this warning may be repeated at intervals|if the message remains undelivered"
    r"|(?:you )?do not need to re-?send (?:the|your|this) message|(?:the )?message will be retried for [^.]{0,30}"
    r"|please (?:do not|don't) (?:reply to|resend) (?:this|your)[^.]{0,40}"
)

# One of these stands in each courtesy; looking for them costs a tenth of looking for the courtesies.
_COURTEOUS = (
    "try again", "giving up on", "failure report", "is kept in the queue", "no action is", "attempts will continue",
    "may be repeated", "remains undelivered", "need to re", "will be retried", "please ",
)  # fmt: skip

# sysexits.h, by which a program tells a mail system how it ended; any other number is the program's own.
_EXIT = re.compile(r"x-unix; ?(\d{1,3})\b")
_EXITS = {67: "userunknown", 68: "hostunknown", 76: "networkerror", 128: "mailererror"} | dict.fromkeys(
    (69, 70, 71, 72, 73, 74, 75, 77, 78), "systemerror"
)


class Finder:
    """The first needle of a table, by the table's order, that occurs in a text.

    Trying 1,300 needles one after another costs a millisecond. Each needle is therefore filed under its rarest four
    characters, and only needles whose four characters occur in the text are tried: the same answer, 30 times faster.
    """

    def __init__(self, table: Table) -> None:
        self.needles = [
            (reason, *needle.partition("…")[::2], needle) for reason, needles in table for needle in needles
        ]
        heads = [head for _, head, _, _ in self.needles]
        common = Counter(gram for head in heads for gram in _grams(head))
        self.always = [i for i, head in enumerate(heads) if len(head) < GRAM]
        self.index: dict[str, list[int]] = {}
        for i, head in enumerate(heads):
            if len(head) >= GRAM:
                self.index.setdefault(min(_grams(head), key=lambda gram: (common[gram], gram)), []).append(i)

    def first(self, text: str, banned: frozenset[str] = frozenset()) -> tuple[str, str] | None:
        """(reason, needle), or None. banned: needles that are passed over, to measure what the others know."""
        tried = list(self.always)
        for gram in self.index.keys() & _grams(text):
            tried += self.index[gram]
        for i in sorted(tried):
            reason, head, tail, needle = self.needles[i]
            if needle in banned:
                continue
            at = text.find(head)
            if at >= 0 and (not tail or text.find(tail, at + len(head), at + len(head) + GAP) >= 0):
                return reason, needle
        return None


def _grams(text: str) -> set[str]:
    return {text[i : i + GRAM] for i in range(len(text) - GRAM + 1)}


_WORDS = Finder(NEEDLES)
_LINKS = Finder(IN_URLS)


def explain(diagnostic: str) -> tuple[str, str] | None:
    """(reason, the needle that decided) for a server's words, or None when they say nothing that is known."""
    text = diagnostic[:LONGEST].lower()
    return _explain(_MAILBOX.sub("@", text.replace("...", " ... ")) if "@" in text else text)


# Bounces of one campaign repeat the same few sentences; without addresses they are equal.
@lru_cache(maxsize=4096)
def _explain(text: str) -> tuple[str, str] | None:
    code = reason_of_code(text)
    if code:
        return code
    links = _LINKS.first(text)
    if links and links[0] != "blocked":
        return links
    plain = _plain(text)
    telling = _COURTESIES.sub(" ", plain) if any(mark in plain for mark in _COURTEOUS) else plain
    found = _by_words(telling, text)
    if links and (found is None or found[0] in WEAKER_THAN_LINKS):
        return links
    if found is None and telling != plain:
        polite = _by_words(plain, text)
        return (polite[0], COURTESY) if polite else None
    return found


def _by_words(plain: str, text: str) -> tuple[str, str] | None:
    found = _WORDS.first(plain)
    if found is None or found[0] in ("mailererror", "systemerror"):
        ended = _EXIT.search(plain)
        if ended:
            return _EXITS.get(int(ended[1]), "mailererror"), ended[0]
    if found and found[1] in PREFIXES:
        return _behind(found, plain)
    if found is None or found[0] == "userunknown":
        return _by_sentence(found, plain, text)
    if found[1] in BARE and (reason := reason_of_sentence(plain)):
        of_host = found[0] == "blocked" and reason in ("rejected", "policyviolation") and "blocked" not in found[1]
        return found if of_host or reason in PROVES_DEATH else (reason, SENTENCE)
    return found


def _behind(found: tuple[str, str], plain: str) -> tuple[str, str]:
    """What is said behind "recipient address rejected", where it says something."""
    cause = plain.partition(found[1])[2].lstrip(" :;,.-")
    if not cause:
        return found
    better = _WORDS.first(" " + cause)
    if better is None:
        reason = reason_of_sentence(cause)
        better = (reason, SENTENCE) if reason else None
    return better or (found[0], HIDDEN)


def _by_sentence(found: tuple[str, str] | None, plain: str, text: str) -> tuple[str, str] | None:
    """What the sentences say where no needle fits, or where one fits that is said of domains and senders, too.

    Against a needle only the server's own reply counts: the prose around it speaks of hosts as well.
    """
    if found is None:
        reason = reason_of_sentence(plain)
        return (reason, SENTENCE) if reason else None
    reply = _plain(text[max((code.end() for code in _CODE.finditer(text)), default=0) :])
    reason = reason_of_sentence(reply, events=False) if len(reply) < SHORT else None
    return (reason, SENTENCE) if reason and reason in NO_RECIPIENT else found


def _plain(text: str) -> str:
    """Words only: URLs, repeated reply codes, hosts and one gateway's preamble taken out."""
    text = _BLANK.sub(" ", _URL.sub(" ", text).replace("’", "'"))
    text = text.replace("rfc822;", " ").replace("message/rfc822", " ")  # fields of a report
    text = text.replace("delivery temporarily suspended", "")  # Postfix: a host is given a rest, not a mailbox
    if "host " in text:
        text = _HOST_SAID.sub(" ", text)
    if "-'" in text and (quoted := _QUOTED.search(text)):
        text = quoted[1]
    return " " + _REPEATED.sub("", text)


def reason_in(diagnostic: str) -> str | None:
    found = explain(diagnostic)
    return found[0] if found else None
