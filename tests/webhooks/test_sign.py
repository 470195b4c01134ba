"""The signature is the Standard Webhooks specification's; what goes out names nobody."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from outreach.webhooks.sign import headers, key_of, payload, signature, verify

#: The example of the specification (standard-webhooks 1.0.0, "Signature scheme").
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)


def test_the_specifications_example() -> None:
    body = b'{"test": 2432232314}'
    number, moment = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
    assert signature(SECRET, number, moment, body) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_accepts_ours_and_nothing_else() -> None:
    body = b'{"type":"message.reply"}'
    given = headers([SECRET], "evt_7", NOW, body)
    assert verify(SECRET, given, body, NOW)
    assert not verify(SECRET, given, body + b" ", NOW)
    assert not verify(SECRET, given | {"Webhook-Id": "evt_8"}, body, NOW)
    assert not verify("whsec_" + "A" * 32, given, body, NOW)
    assert not verify(SECRET, given, body, NOW + timedelta(minutes=6)), "a recorded delivery played again"


def test_while_a_secret_changes_both_hold() -> None:
    other = "whsec_" + "B" * 32
    given = headers([SECRET, other], "evt_7", NOW, b"{}")
    assert verify(SECRET, given, b"{}", NOW)
    assert verify(other, given, b"{}", NOW)


def test_a_secret_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="whsec_"):
        key_of("whsec_no base64!")


def test_the_body_holds_ids_and_closed_words_alone() -> None:
    data = {
        "address": "ana@canary.example",
        "reason": "userunknown",
        "text": "Canary",
        "from_name": "Ana Canary",
        "hard": True,
    }
    event = {
        "id": 7,
        "kind": "bounce",
        "at": NOW,
        "machine": False,
        "contact_id": 3,
        "campaign_id": 1,
        "uid": "u1",
        "data": data,
    }
    body = payload(event)
    assert b"anary" not in body
    told = json.loads(body)
    assert told["type"] == "message.bounce"
    assert told["data"] == {
        "event_id": 7, "machine": False, "contact_id": 3, "campaign_id": 1, "message": "u1", "reason": "userunknown", "hard": True,
    }  # fmt: skip
