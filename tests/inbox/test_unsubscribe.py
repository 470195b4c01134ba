from __future__ import annotations

import pytest

from outreach.inbox.classify import classify
from outreach.inbox.conversation import is_reply
from outreach.inbox.detectors.unsubscribe import says
from outreach.inbox.intent import of
from outreach.inbox.parse import parse
from outreach.inbox.verdict import Intent, Kind
from tests.inbox.human_sets import HEADERS, mail


@pytest.mark.parametrize(
    "subject", ["unsubscribe", "Unsubscribe 7f3a9c1e22b4", "unsubscribe:eyJhIjoxfQ.abc", "退订", "Abmelden"]
)
def test_the_mailto_form(subject: str) -> None:
    assert classify(mail("", subject)).kind is Kind.UNSUBSCRIBE


@pytest.mark.parametrize(
    "text", ["Please remove me from your list.", "退订", "TD", "STOP", "Désabonnez-moi", "配信停止をお願いします"]
)
def test_wishes(text: str) -> None:
    assert says(text)


@pytest.mark.parametrize(
    "text",
    [
        "Please remove the logo.",
        "Stop the shipment, please.",
        "Don't stop sending us news.",
        "Not interested.",
        "请取消第二项订单",
        "",
    ],
)
def test_other_wishes(text: str) -> None:
    assert not says(text)


def test_a_quoted_footer_is_not_a_wish() -> None:
    body = (
        "Price for 200?\n\nOn 19 Nov 2026 at 10:02, Li wrote:\n> To unsubscribe click here. Remove me from your list."
    )
    assert classify(mail(body, headers=HEADERS["R"])).kind is Kind.REPLY


def test_mass_mail_is_not_a_wish() -> None:
    raw = mail("Unsubscribe me from your list", "News", "List-Unsubscribe: <mailto:u@x.example>\n")
    assert classify(raw).kind is Kind.OTHER


def test_not_interested_is_an_intent_not_a_wish() -> None:
    verdict = classify(mail("Not interested, thanks.", headers=HEADERS["R"]))
    assert (verdict.kind, verdict.intent) == (Kind.REPLY, Intent.NOT_INTERESTED)
    both = classify(mail("Not interested, remove us from your list.", headers=HEADERS["R"]))
    assert (both.kind, both.intent) == (Kind.UNSUBSCRIBE, Intent.NOT_INTERESTED)


def test_unsure_is_an_answer() -> None:
    assert of("I forwarded it to my boss.") is None
    assert of("") is None
    assert of("> What is the price?") is None  # the question is ours


@pytest.mark.parametrize(
    ("subject", "headers", "reply"),
    [
        ("Re: Offer", "", True), ("AW: Angebot", "", True), ("回复：报价", "", True), ("رد: عرض", "", True),
        ("Offer", HEADERS["R"], True), ("Offer", "", False), ("Fwd: Offer", "", False),
        ("Re: Offer", "List-Id: <l.example>\n", False), ("Re: Offer", "Precedence: bulk\n", False),
    ],
)  # fmt: skip
def test_what_is_a_reply(subject: str, headers: str, reply: bool) -> None:
    assert is_reply(parse(mail("Hello", subject, headers))) is reply
