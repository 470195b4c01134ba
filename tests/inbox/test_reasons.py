"""Why a server refused: the table's order, and the index that finds its needles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.inbox.needles import IN_URLS, NEEDLES
from outreach.inbox.reasons import COURTESY, GAP, Finder, explain, reason_in

ALL = [needle for _, needles in NEEDLES for needle in needles]
#: The vocabulary of the corpora, and the few words of the field beyond it.
VOCABULARY = {
    "authfailure", "badreputation", "blocked", "contenterror", "exceedlimit", "expired", "failedstarttls", "filtered",
    "hasmoved", "hostunknown", "mailboxfull", "mailererror", "mesgtoobig", "networkerror", "norelaying", "notaccept",
    "policyviolation", "rejected", "requireptr", "securityerror", "spamdetected", "speeding", "suspend", "syntaxerror",
    "systemerror", "systemfull", "toomanyconn", "userunknown", "virusdetected",
}  # fmt: skip


def test_reasons_are_of_the_vocabulary():
    assert {reason for reason, _ in [*NEEDLES, *IN_URLS]} <= VOCABULARY


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "501 Invalid greeting I'm not going to try again; this message has been in the queue too long.",
            ("expired", COURTESY),
        ),
        (
            "550 mailbox full. I'm not going to try again; this message has been in the queue too long.",
            ("mailboxfull", "mailbox full"),
        ),
    ],
)
def test_courtesies_are_read_last(text: str, found: tuple[str, str]):
    assert explain(text) == found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("554 5.7.1 connections from your country are refused", "blocked"),
        ("550 your ip has sent too many messages", "speeding"),
        ("550 return address not allowed", "rejected"),
        ("550 not allowed", "securityerror"),
        ("550 remote server returned a wrong domain", "systemerror"),
    ],
)
def test_a_bare_word_gives_way_to_a_sentence_but_never_to_a_dead_address(text: str, reason: str):
    assert reason_in(text) == reason


def test_needles_can_match():
    """Text is searched in lower case and with straight apostrophes: a needle with others never matches."""
    assert not [needle for needle in ALL if needle != needle.lower() or "’" in needle or "  " in needle]


def test_a_needle_has_two_halves_at_most_and_stands_once():
    assert not [needle for needle in ALL if needle.count("…") > 1]
    pairs = [(reason, needle) for reason, needles in NEEDLES for needle in needles]
    assert len(pairs) == len(set(pairs))


def naive(text: str) -> tuple[str, str] | None:
    for reason, needles in NEEDLES:
        for needle in needles:
            head, _, tail = needle.partition("…")
            at = text.find(head)
            if at >= 0 and (not tail or tail in text[at + len(head) : at + len(head) + GAP]):
                return reason, needle
    return None


FINDER = Finder(NEEDLES)


@given(st.lists(st.one_of(st.sampled_from(ALL), st.text(max_size=8)), max_size=6).map(" ".join))
def test_the_index_finds_what_a_plain_search_finds(text: str):
    assert FINDER.first(text) == naive(text)


@pytest.mark.parametrize("needle", ALL[::5])
def test_a_needle_is_found_or_an_earlier_one_is(needle: str):
    assert FINDER.first(needle.replace("…", " ")) == naive(needle.replace("…", " "))
    assert FINDER.first(needle.replace("…", " ")) is not None


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("550 5.1.1 <a@b.example>: Recipient address rejected: User unknown in virtual mailbox table", "userunknown"),
        ("550-5.1.1 The email account that you tried\n550-5.1.1 to reach does not exist.", "userunknown"),
        ("552 5.2.2 <spam@b.example>... Mailbox Full", "mailboxfull"),
        ("553 5.1.8 <a@b.example>... Domain of sender address a@b.example does not exist", "rejected"),
        ("550 5.7.1 Message rejected due to DMARC policy of seller.example", "authfailure"),
        ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", "blocked"),
        ("550 5.7.25 The IP address sending this message does not have a PTR record setup", "requireptr"),
        ("421 4.7.0 [192.0.2.1] Our system has detected an unusual rate of unsolicited mail", "speeding"),
        ("550 5.1.1 user unknown; see https://help.example/spam", "userunknown"),
        ("550 recipient address rejected", "userunknown"),
        ("<box@b.example>: delivery temporarily suspended: connect to mx: Connection refused", "networkerror"),
        ("5.1.0 - Unknown address error 550-'5.4.1 Recipient address rejected: Access denied' (delivery attempts: 0)", "userunknown"),
        ("procmail: Couldn't create \"/var/spool/mail/x\" id: r: No such user", "mailererror"),
        ("550 收件人不存在", "userunknown"),
        ("552 对方邮箱已满", "mailboxfull"),
        ("452 4.2.2 https://support.google.com/mail/?p=OverQuotaTemp", "mailboxfull"),
        ("250 ok", None),
        ("", None),
    ],
)  # fmt: skip
def test_what_servers_say(said: str, reason: str | None):
    assert reason_in(said) == reason


def test_the_needle_that_decided_is_named():
    assert explain("550 mailbox full") == ("mailboxfull", "mailbox full")
