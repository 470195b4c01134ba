"""Sentences of servers that no list knows."""

from __future__ import annotations

import re

import pytest

from outreach.inbox.provider_codes import reason_of_code
from outreach.inbox.sentences import reason_of_sentence
from outreach.inbox.wording import CLAIMS, MEANS, NOUNS


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("there is no such addressee at our company", "userunknown"),
        ("the sender you gave does not exist", "rejected"),
        ("el dominio del destinatario no existe", "hostunknown"),
        ("die mailbox des empfängers ist voll", "mailboxfull"),
        ("ihre ip-adresse steht auf einer sperrliste", "blocked"),
        ("учетная запись отключена", "suspend"),
        ("您的邮件被识别为垃圾邮件", "spamdetected"),
        ("le message est trop volumineux", "mesgtoobig"),
        ("böyle bir kullanıcı yok", "userunknown"),
        ("user (@) unknown.", "userunknown"),
        ("too many simultaneous sessions were opened", "toomanyconn"),
        ("la connexion a été refusée: connexion refused", "networkerror"),
        ("the spf test did not pass", "authfailure"),
        ("your certificate could not be checked: not trusted", "failedstarttls"),
        ("the delivery script died", "mailererror"),
        ("the transmission attempts were exhausted", "expired"),
        ("das system hat einen fehler gemeldet", "systemerror"),
        ("la taille du message (14 mo) dépasse la limite", "mesgtoobig"),
        ("宛のメールは、受信者のメールボックスが満杯のため、お届けできませんでした", "mailboxfull"),
        ("mailbox @ unavailable", "userunknown"),
        ("mailbox server unavailable", "systemerror"),
        ("recipient verification is temporarily unavailable", None),
        ("the weather is fine", None),
        ("the user is happy. something else is unknown", None),
        ("", None),
    ],
)
def test_a_sentence_is_about_somebody(said: str, reason: str | None):
    assert reason_of_sentence(said) == reason


def test_every_meaning_has_its_words():
    assert {noun for noun, _ in MEANS} <= {*NOUNS, ""}
    assert {claim for _, claim in MEANS} <= set(CLAIMS)
    for words in (*NOUNS.values(), *CLAIMS.values()):
        assert not re.compile("|".join(words)).match("")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("421 hl:icc 163 mx1", "toomanyconn"),
        ("554 dt:spm 163 mx1", "spamdetected"),
        ("550 5.1.1 rcp-p1 refused", "userunknown"),
        ("550 5.7.1 pol-p7 refused", "authfailure"),
        ("552 5.2.0 refused. ofr006_506 [506]", "spamdetected"),
        ("421 cmsmtp blocked. aup#in-1370", "blocked"),
        ("550 blocked aup#cxcnct", "toomanyconn"),
        ("554 rtr:rd", "requireptr"),
        ("550 user unknown", None),
        ("550 the pol-price list", None),
    ],
)
def test_codes_of_providers(said: str, reason: str | None):
    found = reason_of_code(said)
    assert (found and found[0]) == reason
